import CloudJobsCore

/// Something in the inbox that is no folder, as it was when the inbox was scanned.
struct InboxEntry: Hashable, Sendable {
  var path: InboxPath
  /// The size and the time of the last change tell one content of a path from the next.
  var size: Int64
  var modifiedNanoseconds: Int64

  /// What makes its ingestion one occurrence: the inbox, the path and the content's marks.
  func key(inbox: String) -> String {
    let text = "\(inbox)\u{0}\(SHA256.hex(path.bytes))\u{0}\(size)\u{0}\(modifiedNanoseconds)"
    return SHA256.hexDigest(of: text.utf8)
  }
}
