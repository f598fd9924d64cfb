package import CloudJobsCore
import Synchronization

/// The ledgers as this process last committed them, so that a change need not decode them again.
///
/// Another process may have changed a ledger since: its stored version tells.
package final class LedgerCache: Sendable {
  /// The maximum number of ledgers that are kept.
  private static let limit = 1_000

  private let records = Mutex<[LedgerID: LedgerRecord]>([:])

  /// Creates an empty cache.
  package init() {}

  /// Returns a ledger as this process last committed it; nil if it has not, or no longer keeps it.
  package subscript(id: LedgerID) -> LedgerRecord? { records.withLock { $0[id] } }

  /// Keeps ledgers that are committed.
  package func keep(_ changed: some Collection<LedgerRecord>) {
    if changed.isEmpty { return }
    records.withLock { records in
      if records.count + changed.count > Self.limit { records.removeAll(keepingCapacity: true) }
      for record in changed { records[record.id] = record }
    }
  }
}
