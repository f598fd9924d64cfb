#if HTTP
import CloudJobs
import CloudJobsCore
import Synchronization

/// The ledgers that this process read or wrote, with their update times: the commit that follows needs no read.
///
/// Entries only serve as preconditions that the service checks, so they may be stale.
final class FirestoreLedgers: Sendable {
  /// A ledger as a commit changes it.
  struct Change: Sendable {
    /// The update time of the document before; nil if there is none.
    var changedAt: Timestamp?
    /// The ledger after the commit.
    var ledger: Ledger
  }

  private struct Entry {
    var record: LedgerRecord?
    var asOf: Timestamp
  }

  /// The maximum number of entries; beyond it, the cache is emptied and ledgers are read again.
  private static let limit = 10_000
  private let entries = Mutex<[LedgerID: Entry]>([:])

  /// Returns the record of a ledger that is known; its record is nil if it is known not to exist.
  ///
  /// - Parameters:
  ///   - id: the id of the ledger.
  ///   - time: the earliest time as of which it must be known.
  /// - Returns: the record, and the time as of which it is known; nil if the ledger must be read.
  func record(_ id: LedgerID, asOf time: Timestamp = .distantPast) -> (record: LedgerRecord?, asOf: Timestamp)? {
    entries.withLock { entries in
      entries[id].flatMap { $0.asOf >= time ? ($0.record, $0.asOf) : nil }
    }
  }

  /// Stores what a read found.
  func remember(_ id: LedgerID, _ record: LedgerRecord?, asOf time: Timestamp) {
    entries.withLock { entries in
      if let known = entries[id], known.asOf > time { return }
      if let known = entries[id]?.record, let record, record.changedAt < known.changedAt { return }
      if entries.count >= Self.limit { entries.removeAll(keepingCapacity: true) }
      entries[id] = Entry(record: record, asOf: time)
    }
  }

  /// Stores the ledgers of a commit.
  func remember(_ writes: [Write], _ changes: [LedgerID: Change], _ updateTimes: [Timestamp?], at time: Timestamp) {
    for (write, updateTime) in zip(writes, updateTimes) {
      switch write {
      case .changeLedger(let id, _):
        guard let ledger = changes[id]?.ledger, let updateTime else { continue }
        let record = LedgerRecord(
          id: id, version: Version(updateTime.microseconds), changedAt: updateTime, ledger: ledger)
        remember(id, record, asOf: time)
      case .putLedger(let id, _, _): entries.withLock { $0[id] = nil }
      default: continue
      }
    }
  }
}

extension FirestoreStore {
  /// Returns whether any run waits in a ledger that this process read or wrote at a time or later.
  public func hasWaiters(in id: LedgerID, asOf time: Timestamp) -> Bool? {
    ledgers.record(id, asOf: time)?.record.map { $0.ledger.hasWaiters }
  }

  /// Returns the ledgers that writes change, as they become.
  ///
  /// A change is refused only by a ledger that was read for it.
  ///
  /// - Parameters:
  ///   - writes: the writes.
  ///   - isFresh: whether the ledgers are read even if they are known.
  /// - Returns: the changed ledgers.
  /// - Throws: ``StoreError`` `refused`, `conflict` or `unavailable`.
  func changedLedgers(_ writes: [Write], isFresh: Bool) async throws(StoreError) -> [LedgerID: FirestoreLedgers.Change]
  {
    let changes = writes.compactMap { write -> (LedgerID, LedgerChange)? in
      if case .changeLedger(let id, let change) = write { (id, change) } else { nil }
    }
    if changes.isEmpty { return [:] }
    if !isFresh, let changed = try? applied(changes) { return changed }
    _ = try await read(jobs: [], runs: [], ledgers: changes.map(\.0))
    return try applied(changes)
  }

  /// Returns the changes that a group of commits makes to ledgers.
  ///
  /// A commit is refused only by a ledger that was read for it.
  ///
  /// - Parameters:
  ///   - group: the writes of each commit.
  ///   - isFresh: whether the ledgers are read even if they are known.
  /// - Returns: the changes, and the commits that are refused.
  /// - Throws: ``StoreError`` `unavailable`.
  func ledgerPlan(_ group: [[Write]], isFresh: Bool) async throws(StoreError) -> LedgerGroup.Plan {
    let ids = Set(
      group.joined().compactMap { write in if case .changeLedger(let id, _) = write { id } else { nil } }
    ).sorted()
    if !isFresh {
      let known = ids.map { ledgers.record($0) }
      if known.allSatisfy({ $0 != nil }) {
        let plan = LedgerGroup.plan(group, Dictionary(uniqueKeysWithValues: zip(ids, known.compactMap { $0 })))
        if plan.refusals.isEmpty { return plan }
      }
    }
    let reading = try await read(jobs: [], runs: [], ledgers: ids)
    return LedgerGroup.plan(
      group, Dictionary(uniqueKeysWithValues: ids.map { ($0, (reading.ledgers[$0], reading.time)) }))
  }

  /// Returns the ledgers after changes; nil if one is not known.
  private func applied(
    _ changes: [(LedgerID, LedgerChange)]
  ) throws(StoreError) -> [LedgerID: FirestoreLedgers.Change] {
    var changed = [LedgerID: FirestoreLedgers.Change]()
    for (id, change) in changes {
      guard let known = ledgers.record(id) else {
        throw StoreError(.unavailable, "The ledger \(id) is not known. Read it first.")
      }
      let ledger = try known.record.applying(change, at: known.asOf)
      changed[id] = FirestoreLedgers.Change(changedAt: known.record?.changedAt, ledger: ledger)
    }
    return changed
  }
}
#endif
