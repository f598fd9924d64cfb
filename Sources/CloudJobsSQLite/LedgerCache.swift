#if SQLite
import CloudJobs
import CloudJobsCore
import GRDB
import Synchronization

/// The ledgers as this process last committed them, so that a change need not decode them again.
///
/// Another process may have changed a ledger since: its version in the file tells.
final class LedgerCache: Sendable {
  /// The maximum number of ledgers that are kept.
  private static let limit = 1_000

  private let records = Mutex<[LedgerID: LedgerRecord]>([:])

  /// Returns a ledger as this process last committed it; nil if it has not, or no longer keeps it.
  subscript(id: LedgerID) -> LedgerRecord? { records.withLock { $0[id] } }

  /// Keeps ledgers that are on disk.
  func keep(_ changed: some Collection<LedgerRecord>) {
    if changed.isEmpty { return }
    records.withLock { records in
      if records.count + changed.count > Self.limit { records.removeAll(keepingCapacity: true) }
      for record in changed { records[record.id] = record }
    }
  }
}

/// The ledgers of a transaction: each is read once, and written once however many of its commits change it.
struct TransactionLedgers {
  private let cache: LedgerCache
  /// The ledgers that were read or changed; nil for those that don't exist.
  private var known: [LedgerID: LedgerRecord?] = [:]
  private var changed: Set<LedgerID> = []

  init(_ cache: LedgerCache) {
    self.cache = cache
  }

  /// Returns a ledger as it is after the changes so far.
  mutating func record(_ id: LedgerID, _ database: Database) throws -> LedgerRecord? {
    if let record = known[id] { return record }
    let record = try LedgerRecord.fetch(id, database, unlessUnchangedSince: cache[id])
    known[id] = .some(record)
    return record
  }

  /// Replaces or deletes a ledger.
  mutating func put(_ id: LedgerID, _ ledger: Ledger?, version: Int64, at time: Timestamp) {
    changed.insert(id)
    known[id] = .some(ledger.map { LedgerRecord(id: id, version: Version(version), changedAt: time, ledger: $0) })
  }

  /// Writes the changed ledgers to the database.
  ///
  /// - Returns: these ledgers, apart from the deleted ones.
  mutating func save(_ database: Database) throws -> [LedgerRecord] {
    defer { changed.removeAll() }
    var saved = [LedgerRecord]()
    for id in changed {
      if let record = known[id] ?? nil, let ledger = record.ledger {
        try record.save(ledger, database)
        saved.append(record)
      } else {
        try database.cachedStatement(sql: "DELETE FROM ledgers WHERE id = ?").execute(arguments: [id.rawValue])
      }
    }
    return saved
  }

  /// Forgets what was read, because the tables may be changed by others; ``save(_:)`` comes first.
  mutating func forget() {
    known.removeAll()
  }
}
#endif
