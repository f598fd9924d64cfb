#if SQLite
import CloudJobs
import GRDB

extension StoreError {
  /// The operation during which the database failed.
  enum Phase: Equatable {
    /// Opening the file at a path.
    case opening(String)
    /// Reading a snapshot.
    case reading
    /// Waiting for the write lock; nothing was changed.
    case beginning
    /// Making changes, which are rolled back.
    case changing
    /// Writing the transaction to disk.
    case committing
  }

  /// The meaning of a result code (<https://www.sqlite.org/rescode.html>).
  private struct Meaning {
    let result: ResultCode?
    let native: String
    let code: Code
    let message: String
    /// Whether a transaction may be committed although writing it failed in this way: its last page may have reached
    /// the disk before the failure, and then recovery treats it as committed.
    let mayStand: Bool

    init(_ result: ResultCode?, _ native: String, code: Code, message: String, mayStand: Bool = true) {
      self.result = result
      self.native = native
      self.code = code
      self.message = message
      self.mayStand = mayStand
    }
  }

  private static let meanings: [Meaning] = [
    Meaning(
      .SQLITE_BUSY, "SQLITE_BUSY", code: .unavailable,
      message: "Another process holds the database's write lock. Retry; if the error persists, stop that process.",
      mayStand: false),
    Meaning(
      .SQLITE_LOCKED, "SQLITE_LOCKED", code: .unavailable, message: "The database is locked. Retry.",
      mayStand: false),
    Meaning(
      .SQLITE_FULL, "SQLITE_FULL", code: .unavailable,
      message: "The disk or the database's page limit is full. Free some space or purge expired runs.",
      mayStand: false),
    Meaning(
      .SQLITE_IOERR, "SQLITE_IOERR", code: .unavailable,
      message: "The disk failed to read or write. Check its health, its free space and the system log."),
    Meaning(
      .SQLITE_CANTOPEN, "SQLITE_CANTOPEN", code: .unavailable,
      message: "The file can't be opened or made. Does its folder exist, and may this process write there?"),
    Meaning(
      .SQLITE_READONLY, "SQLITE_READONLY", code: .unavailable,
      message: "The file can't be written. Grant this process write access to the file and its folder.", mayStand: false
    ),
    Meaning(
      .SQLITE_PERM, "SQLITE_PERM", code: .unavailable,
      message: "Access to the file is denied. Grant this process write access to the file and its folder.",
      mayStand: false),
    Meaning(
      .SQLITE_AUTH, "SQLITE_AUTH", code: .unavailable, message: "The database denied the operation.", mayStand: false),
    Meaning(
      .SQLITE_NOMEM, "SQLITE_NOMEM", code: .unavailable,
      message: "The database ran out of memory. Retry with smaller batches."
    ),
    Meaning(
      .SQLITE_PROTOCOL, "SQLITE_PROTOCOL", code: .unavailable,
      message: "Other processes kept changing the log's locks. Retry.", mayStand: false),
    Meaning(
      .SQLITE_CORRUPT, "SQLITE_CORRUPT", code: .invalid,
      message: "The database is damaged. Restore it from a backup, or recover it with sqlite3's .recover."),
    Meaning(
      .SQLITE_NOTADB, "SQLITE_NOTADB", code: .invalid,
      message: "The file is not an SQLite database. Give another path, or move the file away."),
    Meaning(
      .SQLITE_TOOBIG, "SQLITE_TOOBIG", code: .invalid,
      message: "A document exceeds the database's size limit. Make it smaller.",
      mayStand: false),
    Meaning(
      .SQLITE_CONSTRAINT, "SQLITE_CONSTRAINT", code: .invalid, message: "A document violates a table constraint.",
      mayStand: false),
  ]

  /// Creates the error for a database failure.
  ///
  /// - Parameters:
  ///   - error: GRDB's error; a ``StoreError`` is kept.
  ///   - phase: the operation that failed.
  init(sqlite error: any Error, during phase: Phase) {
    if let error = error as? StoreError {
      self = error
      if case .opening(let path) = phase { message = "\(path): \(message)" }
      return
    }
    let failure = error as? DatabaseError
    let meaning =
      failure.flatMap { failure in Self.meanings.first { $0.result == failure.resultCode } }
      ?? Meaning(
        nil, failure.map { "SQLITE_\($0.resultCode.rawValue)" } ?? "GRDB", code: .unavailable,
        message: "The database failed with an unknown code. Look it up at sqlite.org/rescode.html.")
    let extended = failure.map { $0.extendedResultCode == $0.resultCode ? "" : "/\($0.extendedResultCode.rawValue)" }
    let native = meaning.native + (extended ?? "")
    switch phase {
    case .opening(let path): self.init(meaning.code, "\(path): \(meaning.message)", nativeCode: native)
    case .reading, .beginning, .changing: self.init(meaning.code, meaning.message, nativeCode: native)
    case .committing where meaning.mayStand:
      self.init(
        .unknownOutcome, "The commit failed while it was written to the disk; read again. \(meaning.message)",
        nativeCode: native)
    case .committing: self.init(meaning.code, meaning.message, nativeCode: native)
    }
  }
}
#endif
