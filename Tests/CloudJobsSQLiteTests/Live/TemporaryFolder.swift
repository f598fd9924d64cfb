#if SQLite
import Foundation

/// A folder of its own for a test, which goes with it.
final class TemporaryFolder: Sendable {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "cloud-jobs-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(at: url)
  }

  /// A path in it.
  func path(_ name: String = "store.db") -> String {
    url.appending(path: name).path
  }
}
#endif
