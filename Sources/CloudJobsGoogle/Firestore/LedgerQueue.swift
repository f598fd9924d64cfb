#if HTTP
import CloudJobsCore
import Synchronization

/// The order in which the commits of this process change a ledger: one at a time, since two at once would conflict.
final class LedgerQueue: Sendable {
  private let waiting = Mutex<[LedgerID: [CheckedContinuation<Void, Never>]]>([:])

  /// Waits until no other commit of this process changes any of some ledgers.
  ///
  /// - Parameter ids: the ids; they are taken in their order, so that two callers never wait for each other.
  func enter(_ ids: some Collection<LedgerID>) async {
    for id in ids.sorted() {
      await withCheckedContinuation { continuation in
        let isFree = waiting.withLock { waiting in
          guard waiting[id] != nil else {
            waiting[id] = []
            return true
          }
          waiting[id]?.append(continuation)
          return false
        }
        if isFree { continuation.resume() }
      }
    }
  }

  /// Lets the next commit change the ledgers.
  func leave(_ ids: some Collection<LedgerID>) {
    for id in ids {
      let next = waiting.withLock { waiting -> CheckedContinuation<Void, Never>? in
        guard waiting[id]?.isEmpty == false else {
          waiting[id] = nil
          return nil
        }
        return waiting[id]?.removeFirst()
      }
      next?.resume()
    }
  }
}
#endif
