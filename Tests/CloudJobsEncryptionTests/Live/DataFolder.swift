#if Encryption
import Foundation

/// A test's own folder, which is deleted with this value.
final class DataFolder: Sendable {
  private let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "cloud-jobs-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(at: url)
  }

  /// Returns a path in the folder.
  func path(_ name: String) -> String { url.appending(path: name).path }

  /// The contents of all files by name.
  func contents() throws -> [String: [UInt8]] {
    var contents: [String: [UInt8]] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: url.path) {
      contents[name] = [UInt8](try Data(contentsOf: url.appending(path: name)))
    }
    return contents
  }
}
#endif
