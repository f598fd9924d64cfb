#if SQLite
import CloudJobs
import CloudJobsCore
import Foundation
import GRDB

/// Opening a store's file.
enum SQLiteFile {
  /// How many snapshots are read at once.
  private static let readers = 4
  /// How long to wait before a file is tried again that other processes open or recover at the same moment.
  private static let pause = Duration.milliseconds(25)

  /// Opens the file, or makes it, with the latest tables and the durability that the store promises.
  static func open(_ path: String, busyTimeout: Duration) throws(StoreError) -> DatabasePool {
    if path.isEmpty || path.hasPrefix(":memory:") || path.hasPrefix("file:") {
      throw StoreError(.invalid, "An SQLite store takes a file's path. For a store in memory use MemoryStore.")
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
          try SQLiteSchema.migrate(database)
        }
        return pool
      } catch {
        // Turning WAL on does not wait for other processes that do the same: SQLite answers busy at once.
        let isContended = (error as? DatabaseError).map { [.SQLITE_BUSY, .SQLITE_LOCKED].contains($0.resultCode) }
        guard isContended ?? false, clock.now < deadline else {
          throw StoreError(sqlite: error, during: .opening(path))
        }
        Thread.sleep(forTimeInterval: seconds(pause))
      }
    }
  }

  /// Makes the file, where there is none, readable by its owner alone, whatever the umask.
  ///
  /// SQLite gives the files beside it the same mode (<https://www.sqlite.org/wal.html>). A file that exists keeps its
  /// own.
  ///
  /// It is made under another name first: closing it under its own would release the locks that another store in this
  /// process may have on it by then (<https://www.sqlite.org/howtocorrupt.html>, section 2.2). What fails here, the
  /// opening tells in words.
  private static func makePrivate(_ path: String) {
    var status = stat()
    guard stat(path, &status) != 0, errno == ENOENT else { return }
    var template = Array("\(path).XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else { return }
    close(descriptor)
    // Fails where another process was faster, or where the path is a link to a file that is not there yet.
    if link(template, path) != 0, lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK {
      let target = systemOpen(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
      if target >= 0 { close(target) }
    }
    unlink(template)
  }

  /// Makes commits wait for the disk.
  ///
  /// GRDB sets `synchronous=NORMAL` on its writer while it opens the pool, under which a commit that was answered may
  /// be lost with the machine's power; so this comes after the opening.
  private static func makeDurable(_ database: Database) throws {
    try database.execute(
      sql: """
        PRAGMA synchronous = FULL;
        PRAGMA journal_size_limit = 67108864;
        PRAGMA cache_size = -8192;
        """)
  }

  /// Which file stood at a path when it was opened.
  ///
  /// A file that is moved or replaced while it is open goes on taking commits, which no other program finds
  /// (<https://www.sqlite.org/howtocorrupt.html>, section 4.1).
  struct Place: Sendable {
    private let path: String
    private let device: dev_t
    private let number: ino_t

    init(_ path: String) throws(StoreError) {
      self.path = path
      guard let status = Self.status(of: path) else { throw Self.isGone(path) }
      (device, number) = (status.st_dev, status.st_ino)
    }

    /// Makes sure that the file is still there.
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

/// The system's `open`, which the type's own function of that name would hide.
private func systemOpen(_ path: String, _ flags: CInt, _ mode: mode_t) -> CInt {
  open(path, flags, mode)
}
#endif
