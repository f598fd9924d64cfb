#if SQLite
import CloudJobs
import CloudJobsCore
import GRDB
import Synchronization

/// A queue of commits, in which those that wait together share one database transaction.
///
/// While one transaction is written to disk, further commits gather; the next transaction takes all of them. A commit
/// whose preconditions fail is rejected before it has changed anything, so it does not affect the others. If the
/// database fails, the group is rolled back and each commit is retried on its own. If another process keeps the file
/// locked, all waiting commits are rejected, because each would wait just as long.
///
/// Everything runs on the pool's writer thread; callers only wait, unaffected by cancellation.
final class CommitQueue: Sendable {
  /// The maximum number of commits in one transaction.
  static let groupLimit = 256
  /// The maximum number of changes in one transaction, apart from its first commit; keeps the log small and the wait
  /// short.
  static let weightLimit = 1_000
  /// The maximum number of waiting commits.
  static let waitingLimit = 16_384

  private struct State: Sendable {
    var waiting: [PendingCommit] = []
    var isDraining = false
  }

  private let state = Mutex(State())
  private let pool: DatabasePool
  private let clock: MonotonicClock
  private let groupLimit: Int
  private let ledgers: LedgerCache

  init(pool: DatabasePool, clock: MonotonicClock, groupLimit: Int, ledgers: LedgerCache) {
    self.ledgers = ledgers
    self.pool = pool
    self.clock = clock
    self.groupLimit = groupLimit
  }

  /// Makes changes and waits until they are on disk.
  ///
  /// - Parameters:
  ///   - weight: the approximate number of changed documents.
  ///   - body: makes the changes; a ``StoreError`` thrown before the first of them only affects this commit.
  /// - Returns: the body's result.
  /// - Throws: the body's error, or the database's.
  func perform<Value: Sendable>(
    weight: Int, _ body: @escaping @Sendable (CommitTransaction) throws -> Value
  ) async throws(StoreError) -> Value {
    let result: Result<Value, StoreError> = await withCheckedContinuation { continuation in
      submit(
        PendingCommit(
          weight: weight,
          attempt: { transaction in
            let value = try body(transaction)
            return { continuation.resume(returning: .success(value)) }
          },
          refuse: { continuation.resume(returning: .failure($0)) }))
    }
    return try result.get()
  }

  private func submit(_ commit: PendingCommit) {
    let (accepted, starts) = state.withLock { state in
      if state.waiting.count >= Self.waitingLimit { return (false, false) }
      state.waiting.append(commit)
      defer { state.isDraining = true }
      return (true, !state.isDraining)
    }
    if !accepted {
      commit.refuse(StoreError(.unavailable, "\(Self.waitingLimit) commits are waiting already. Send fewer at a time."))
    }
    if starts { pool.asyncWriteWithoutTransaction { [self] database in drain(database) } }
  }

  private func drain(_ database: Database) {
    while true {
      let group = state.withLock { state in
        var weight = 0
        let count = state.waiting.prefix(groupLimit).prefix { commit in
          weight += commit.weight
          return weight <= Self.weightLimit
        }.count
        let group = Array(state.waiting.prefix(max(count, 1)))
        state.waiting.removeFirst(group.count)
        if group.isEmpty { state.isDraining = false }
        return group
      }
      if group.isEmpty { return }
      if !perform(group, database) {
        for commit in group { _ = perform([commit], database) }
      }
    }
  }

  private func takeWaiting() -> [PendingCommit] {
    state.withLock { state in
      defer { state.waiting = [] }
      return state.waiting
    }
  }

  /// Performs a group as one transaction and resumes its callers.
  ///
  /// - Returns: false if the group was rolled back and the commits should be retried one by one.
  private func perform(_ group: [PendingCommit], _ database: Database) -> Bool {
    var phase = StoreError.Phase.beginning
    var changed: [LedgerRecord] = []
    var done: [(commit: PendingCommit, answer: @Sendable () -> Void)] = []
    var refused: [(commit: PendingCommit, error: StoreError)] = []
    do {
      try database.inTransaction(.immediate) {
        phase = .changing
        let transaction = try CommitTransaction(database, clock: clock, ledgers: ledgers)
        for commit in group {
          do {
            done.append((commit, try commit.attempt(transaction)))
          } catch let error as StoreError {
            refused.append((commit, error))
          }
        }
        changed = try transaction.finish()
        phase = .committing
        return .commit
      }
      ledgers.keep(changed)
      for (_, answer) in done { answer() }
      for (commit, error) in refused { commit.refuse(error) }
    } catch {
      if phase == .changing, group.count > 1 { return false }
      let failure = StoreError(sqlite: error, during: phase)
      // The rejection may depend on another commit's change whose outcome is unknown, so it is not reported as a
      // conflict.
      let vague = StoreError(.unavailable, failure.message, nativeCode: failure.nativeCode)
      if phase == .committing {
        for (commit, _) in done { commit.refuse(failure) }
        for (commit, _) in refused { commit.refuse(vague) }
      } else {
        let others = phase == .beginning ? takeWaiting() : []
        for commit in group + others { commit.refuse(failure) }
      }
    }
    return true
  }
}

/// A commit that waits for the writer.
struct PendingCommit: Sendable {
  /// The approximate number of changed documents.
  let weight: Int
  /// Makes the changes in a transaction; returns a function to call when they are on disk.
  let attempt: @Sendable (CommitTransaction) throws -> @Sendable () -> Void
  /// Reports to the caller that nothing was changed, or that the outcome is unknown.
  let refuse: @Sendable (StoreError) -> Void
}
#endif
