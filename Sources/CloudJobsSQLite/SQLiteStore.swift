#if SQLite
public import CloudJobs
public import CloudJobsCore
import GRDB

/// A store in an SQLite file, which several processes of one machine may share.
///
/// What a commit has answered is on the disk: the file is in WAL mode with `synchronous=FULL`
/// (<https://www.sqlite.org/pragma.html#pragma_synchronous>). Commits that wait at the same time share one write to the
/// disk, and still succeed and fail each on its own. Reads see a snapshot and never wait for commits.
///
/// The store's time is the machine's, or the given clock's; the latest time of a commit is kept in the file, so that no
/// process that shares it sees time go backwards. After commits under a clock that was far ahead the time stands still
/// until the clock has caught up; `UPDATE store SET last_time = 0`, while no process has the file open, ends that.
///
/// A new file is readable and writable by its owner alone, as runs hold their inputs; one that exists keeps its mode,
/// so that an operator can share it with a group.
///
/// Network file systems can't hold such a file (<https://www.sqlite.org/wal.html>). SQLite 3.37 or later is needed.
public final class SQLiteStore: PurgingStore, DueTimeStore {
  let pool: DatabasePool
  private let place: SQLiteFile.Place
  private let timekeeper: Timekeeper
  private let queue: CommitQueue

  /// Opens the file, and makes it where there is none.
  ///
  /// - Parameters:
  ///   - path: the file's path; its folder must exist. SQLite keeps two more files beside it, `…-wal` and `…-shm`.
  ///   - clock: what counts as the store's time.
  ///   - busyTimeout: how long to wait for another process that writes.
  /// - Throws: ``StoreError`` `unavailable` where the file can't be opened, made or written, and `invalid` where it is
  ///   no database or one that a later version of this program has made.
  public convenience init(
    path: String, clock: any JobClock = .system, busyTimeout: Duration = .seconds(5)
  ) throws(StoreError) {
    try self.init(path: path, clock: clock, busyTimeout: busyTimeout, groupLimit: CommitQueue.groupLimit)
  }

  /// Opens the file; at most so many commits share one write to the disk.
  package init(path: String, clock: any JobClock, busyTimeout: Duration, groupLimit: Int) throws(StoreError) {
    pool = try SQLiteFile.open(path, busyTimeout: busyTimeout)
    place = try SQLiteFile.Place(path)
    timekeeper = Timekeeper(clock: clock)
    queue = CommitQueue(pool: pool, timekeeper: timekeeper, groupLimit: groupLimit)
  }

  /// Reads on a snapshot, outside the caller's executor and whether or not its task is cancelled.
  func read<Value: Sendable>(
    _ body: @escaping @Sendable (Database, Timestamp) throws -> Value
  ) async throws(StoreError) -> Value {
    try place.check()
    let result: Result<Value, StoreError> = await withCheckedContinuation { continuation in
      pool.asyncRead { [timekeeper] access in
        do {
          let database = try access.get()
          let time = timekeeper.advance(past: try Ledger.lastTime(database))
          continuation.resume(returning: .success(try body(database, time)))
        } catch {
          continuation.resume(returning: .failure(StoreError(sqlite: error, during: .reading)))
        }
      }
    }
    return try result.get()
  }

  /// Makes changes in the queue's order, once it is sure that they go where other programs look for them.
  private func change<Value: Sendable>(
    weight: Int, _ body: @escaping @Sendable (CommitTransaction) throws -> Value
  ) async throws(StoreError) -> Value {
    try place.check()
    return try await queue.perform(weight: weight, body)
  }

  /// Makes all the changes, or none, and answers when they are on the disk.
  public func commit(_ writes: [Write]) async throws(StoreError) -> Timestamp {
    try StoreLimits.check(writes)
    return try await change(weight: writes.count) { transaction in
      try transaction.apply(writes)
      return transaction.time
    }
  }

  /// Deletes runs whose `expireAt` has come.
  public func purgeExpired(limit: Int) async throws(StoreError) -> Int {
    let limit = StoreLimits.page(limit)
    return try await change(weight: limit) { try $0.purgeRuns(limit: limit) }
  }

  /// Deletes journal entries, oldest first.
  public func purgeJournal(before time: Timestamp, limit: Int) async throws(StoreError) -> Int {
    let limit = StoreLimits.page(limit)
    return try await change(weight: limit) { try $0.purgeJournal(before: time, limit: limit) }
  }

  /// Puts a document in its stored form, readable or not, as an operator's tool would.
  ///
  /// - Parameters:
  ///   - id: the document's id, whatever it is, but without a NUL character.
  ///   - fields: the fields.
  /// - Throws: ``StoreError`` as ``commit(_:)`` does; `invalid` for an id with a NUL.
  public func importJob(id: String, fields: JSONValue) async throws(StoreError) {
    if id.utf8.contains(0) { throw StoreError(.invalid, "A document's id can't contain a NUL character. Rename it.") }
    try await change(weight: 1) { transaction in
      let exists = try transaction.job(id) != nil
      try transaction.putJob(id, StoredJob(fields: fields), exists: exists)
    }
  }

  /// A document in its stored form, unknown members included.
  ///
  /// - Parameter id: the document's id, whatever it is.
  /// - Returns: the fields; nil where there is no such document.
  /// - Throws: ``StoreError`` `unavailable`, and `invalid` where the document is no JSON text.
  public func exportJob(id: String) async throws(StoreError) -> JSONValue? {
    let job = try await read { database, _ in
      try Row.fetchOne(
        database.cachedStatement(sql: "SELECT configuration, state FROM jobs WHERE id = ?"), arguments: [id]
      ).map { StoredJob(configuration: $0[0], state: $0[1]) }
    }
    do throws(JobError) {
      return try job?.fields()
    } catch {
      throw StoreError(.invalid, "The document is not valid JSON. Import it anew.", nativeCode: error.code.rawValue)
    }
  }
}

extension JobStore where Self == SQLiteStore {
  /// A store in an SQLite file, which is made where there is none.
  ///
  /// - Parameter path: the file's path; its folder must exist.
  /// - Returns: the store, with the machine's clock.
  /// - Throws: ``StoreError`` `unavailable` or `invalid`.
  public static func sqlite(path: String) throws(StoreError) -> SQLiteStore {
    try SQLiteStore(path: path)
  }
}
#endif
