import CloudJobsCore
import Foundation

/// The folder that holds the demo's database and report, for one process at a time.
final class DataFolder: Sendable {
  let url: URL
  private let lock: CInt

  /// Makes the folder where it is missing, and locks it.
  ///
  /// - Throws: ``JobError`` where it can't be made, or where another process works in it.
  init(path: String) throws {
    url = URL(fileURLWithPath: path, isDirectory: true).standardizedFileURL
    do {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    } catch {
      throw JobError(
        .invalidField, "The data folder \(path) can't be made: \(error.localizedDescription)", field: "--data")
    }
    lock = open(url.appendingPathComponent("lock").path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    // The lock ends with the process, however it ends: who holds it knows that no other instance is alive.
    guard lock >= 0, flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      throw JobError(
        .invalidField, "Another process works in \(path), or it can't be written. Choose another folder.",
        field: "--data")
    }
  }

  deinit { close(lock) }

  var database: String { url.appendingPathComponent("jobs.db").path }
  var report: URL { url.appendingPathComponent("report.json") }
  var defaultInbox: URL { url.appendingPathComponent("inbox", isDirectory: true) }
}
