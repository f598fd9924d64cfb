/// The input of `ingest_file`.
struct IngestFile: Codable, Hashable, Sendable {
  /// The inbox's absolute path.
  var inbox: String
  /// The file's path below it.
  var path: InboxPath
}
