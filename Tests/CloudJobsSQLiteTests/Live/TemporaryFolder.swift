#if SQLite
import Foundation

/// A test's own folder, which is deleted with this value.
final class TemporaryFolder: Sendable {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "cloud-jobs-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(at: url)
  }

  /// Returns a path in the folder.
  func path(_ name: String = "store.db") -> String {
    url.appending(path: name).path
  }
}
#endif
