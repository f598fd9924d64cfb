#if Server
/// The style sheet and the script of all pages.
package enum PageAssets {
  /// The style sheet.
  package static var style: [UInt8] { PackageResources.style_css }
}
#endif
