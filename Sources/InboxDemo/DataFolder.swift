import CloudJobsCore
import Foundation

/// The folder with the demo's database and report, locked by one process at a time.
final class DataFolder: Sendable {
  let url: URL
  private let lock: CInt

  /// Creates a missing folder and locks it.
  ///
  /// - Throws: ``JobError`` if the folder can't be created, or if another process uses it.
  init(path: String) throws {
    url = URL(fileURLWithPath: path, isDirectory: true).standardizedFileURL
    do {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    } catch {
      throw JobError(
        .invalidField, "The data folder \(path) can't be made: \(error.localizedDescription)", field: "--data")
    }
    lock = open(url.appendingPathComponent("lock").path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    // The lock ends with the process in any case, so the holder knows that no other instance is alive.
    guard lock >= 0, flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      throw JobError(
        .invalidField, "The folder \(path) is in use by another process or not writable. Choose another folder.",
        field: "--data")
    }
  }

  deinit { close(lock) }

  var database: String { url.appendingPathComponent("jobs.db").path }
  var report: URL { url.appendingPathComponent("report.json") }
  var defaultInbox: URL { url.appendingPathComponent("inbox", isDirectory: true) }
}
