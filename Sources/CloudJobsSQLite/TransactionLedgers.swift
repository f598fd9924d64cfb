#if SQLite
import CloudJobs
import CloudJobsCore
import GRDB

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
