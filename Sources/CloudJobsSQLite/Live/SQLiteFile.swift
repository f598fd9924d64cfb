#if SQLite
import CloudJobs
import CloudJobsCore
import Foundation
import GRDB

/// The opening of a store's file.
enum SQLiteFile {
  /// The number of concurrent snapshot reads.
  private static let readers = 4
  /// The delay before a file is opened again that other processes are opening or recovering.
  private static let pause = Duration.milliseconds(25)

  /// Opens or creates the file, with the latest schema and the promised durability.
  ///
  /// - Parameters:
  ///   - path: the file's path.
  ///   - busyTimeout: the maximum wait for another process that writes.
  ///   - migrates: whether an older schema is brought to the latest one; otherwise it is an error.
  /// - Returns: the open file.
  /// - Throws: ``StoreError`` as ``SQLiteStore/init(path:clock:busyTimeout:)`` does.
  static func open(_ path: String, busyTimeout: Duration, migrates: Bool) throws(StoreError) -> DatabasePool {
    if path.isEmpty || path.hasPrefix(":memory:") || path.hasPrefix("file:") {
      throw StoreError(.invalid, "An SQLite store needs a file path. Use MemoryStore for a store in memory.")
    }
    var configuration = Configuration()
    configuration.label = "CloudJobs.SQLiteStore"
    configuration.foreignKeysEnabled = false
    configuration.busyMode = .timeout(seconds(busyTimeout))
    configuration.maximumReaderCount = readers
    let clock = ContinuousClock()
    let deadline = clock.now + busyTimeout
    makePrivate(path)
    while true {
      do {
        let pool = try DatabasePool(path: path, configuration: configuration)
        try pool.writeWithoutTransaction { database in
          try makeDurable(database)
          if migrates { try SQLiteSchema.migrate(database) } else { try SQLiteSchema.check(database) }
        }
        return pool
      } catch {
        // Enabling WAL does not wait for other processes that do the same: SQLite immediately returns busy.
        let isContended = (error as? DatabaseError).map { [.SQLITE_BUSY, .SQLITE_LOCKED].contains($0.resultCode) }
        guard isContended ?? false, clock.now < deadline else {
          throw StoreError(sqlite: error, during: .opening(path))
        }
        Thread.sleep(forTimeInterval: seconds(pause))
      }
    }
  }

  /// Creates a missing file with access for its owner only, whatever the umask.
  ///
  /// SQLite creates the files beside it with the same mode (<https://www.sqlite.org/wal.html>). An existing file keeps
  /// its mode.
  ///
  /// The file is created under another name first: closing it under its own would release the locks that another store
  /// in this process may already hold (<https://www.sqlite.org/howtocorrupt.html>, section 2.2). Failures here are
  /// reported when the file is opened.
  private static func makePrivate(_ path: String) {
    var status = stat()
    guard stat(path, &status) != 0, errno == ENOENT else { return }
    var template = Array("\(path).XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else { return }
    close(descriptor)
    // Fails if another process was faster, or if the path is a link to a missing file.
    if link(template, path) != 0, lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK {
      let target = systemOpen(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
      if target >= 0 { close(target) }
    }
    unlink(template)
  }

  /// Makes commits wait for the disk.
  ///
  /// Called after the pool is open, because GRDB sets `synchronous=NORMAL` on its writer while opening, with which a
  /// power failure may lose completed commits.
  private static func makeDurable(_ database: Database) throws {
    try database.execute(
      sql: """
        PRAGMA synchronous = FULL;
        PRAGMA journal_size_limit = 67108864;
        PRAGMA cache_size = -8192;
        """)
  }

  /// The identity of the file at a path when it was opened.
  ///
  /// A file that is moved or replaced while open keeps accepting commits, which no other program finds
  /// (<https://www.sqlite.org/howtocorrupt.html>, section 4.1).
  struct FileIdentity: Sendable {
    private let path: String
    private let device: dev_t
    private let number: ino_t

    init(_ path: String) throws(StoreError) {
      self.path = path
      guard let status = Self.status(of: path) else { throw Self.isGone(path) }
      (device, number) = (status.st_dev, status.st_ino)
    }

    /// Checks that the same file is still at the path.
    ///
    /// - Throws: ``StoreError`` `unavailable`.
    func check() throws(StoreError) {
      guard let status = Self.status(of: path), status.st_dev == device, status.st_ino == number else {
        throw Self.isGone(path)
      }
    }

    private static func status(of path: String) -> stat? {
      var status = stat()
      return stat(path, &status) == 0 ? status : nil
    }

    private static func isGone(_ path: String) -> StoreError {
      StoreError(
        .unavailable,
        "The file \(path) was moved, deleted or replaced while it was open. Put it back, or restart the service.")
    }
  }

  private static func seconds(_ span: Duration) -> TimeInterval {
    TimeInterval(max(span.microseconds, 0)) / 1_000_000
  }
}

/// Calls the system's `open`, which the type's own function of that name hides.
private func systemOpen(_ path: String, _ flags: CInt, _ mode: mode_t) -> CInt {
  open(path, flags, mode)
}
#endif
