#if Server
import CloudJobsCore
import HTTPTypes

/// The files of all pages: the style sheet, the script and the icon.
///
/// Their paths change with their content, so that browsers keep them.
package struct PageAssets: Sendable {
  /// The name of the file.
  let name: String
  /// Its media type.
  let type: String
  /// Its content.
  package let content: [UInt8]
  private let version: String

  private init(_ name: String, _ type: String, _ content: [UInt8]) {
    (self.name, self.type, self.content) = (name, type, content)
    version = String(SHA256.hexDigest(of: content).prefix(12))
  }

  /// The style sheet.
  package static let style = PageAssets("style.css", "text/css; charset=utf-8", PackageResources.style_css)
  /// The script, without which everything works too.
  package static let script = PageAssets(
    "dashboard.js", "text/javascript; charset=utf-8", PackageResources.dashboard_js)
  /// The icon.
  package static let icon = PageAssets("icon.svg", "image/svg+xml", PackageResources.icon_svg)

  /// Returns the path of the file under that of a dashboard.
  package func path(under base: String) -> String { "\(base)/assets/\(version)/\(name)" }

  /// Returns the response to a request for a file; nil if the path is not that of one.
  ///
  /// - Parameter path: the segments of the path under that of the dashboard.
  /// - Returns: the response.
  package static func response(to path: [String]) -> PageResponse? {
    guard path.count == 3, path[0] == "assets",
      let file = [style, script, icon].first(where: { $0.name == path[2] })
    else { return nil }
    var response = PageResponse(.ok, type: file.type, file.content)
    // An earlier version's path shows the present file, and is not kept.
    if path[1] == file.version { response.fields[.cacheControl] = "public, max-age=31536000, immutable" }
    return response
  }
}
#endif
