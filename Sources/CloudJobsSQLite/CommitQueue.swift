#if SQLite
import CloudJobs
import CloudJobsCore
import GRDB
import Synchronization

/// Commits in the order in which they came, those that wait together in one transaction of the database.
///
/// While one transaction is being written to the disk, others' commits gather; the next transaction takes them all. A
/// commit whose preconditions do not hold is refused before it has changed anything, so it leaves the others alone.
/// Where the database itself fails, the group is undone and each commit is tried by itself. Where another process keeps
/// the file locked, those that came meanwhile are refused together: each would wait as long once more.
///
/// Everything runs on the pool's writer thread; callers only wait, and a caller's cancellation does not reach it.
final class CommitQueue: Sendable {
  /// The most commits that share one transaction.
  static let groupLimit = 256
  /// The most changes in one transaction, beyond its first commit: keeps the log small and the wait short.
  static let weightLimit = 1_000
  /// The most commits that may wait.
  static let waitingLimit = 16_384

  private struct State: Sendable {
    var waiting: [PendingCommit] = []
    var isDraining = false
  }

  private let state = Mutex(State())
  private let pool: DatabasePool
  private let timekeeper: Timekeeper
  private let groupLimit: Int

  init(pool: DatabasePool, timekeeper: Timekeeper, groupLimit: Int) {
    self.pool = pool
    self.timekeeper = timekeeper
    self.groupLimit = groupLimit
  }

  /// Waits until some changes are on the disk.
  ///
  /// - Parameters:
  ///   - weight: about how many documents change.
  ///   - body: makes the changes; a ``StoreError`` that it throws before the first of them concerns only itself.
  /// - Returns: what the body returned.
  /// - Throws: what the body threw, or how the database failed.
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
      commit.refuse(StoreError(.unavailable, "\(Self.waitingLimit) commits wait already. Send fewer at once."))
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

  /// Performs a group as one transaction and answers its callers.
  ///
  /// - Returns: false where nothing was done and the commits should be tried one by one.
  private func perform(_ group: [PendingCommit], _ database: Database) -> Bool {
    var phase = StoreError.Phase.beginning
    var done: [(commit: PendingCommit, answer: @Sendable () -> Void)] = []
    var refused: [(commit: PendingCommit, error: StoreError)] = []
    do {
      try database.inTransaction(.immediate) {
        phase = .changing
        let transaction = try CommitTransaction(database, timekeeper: timekeeper)
        for commit in group {
          do {
            done.append((commit, try commit.attempt(transaction)))
          } catch let error as StoreError {
            refused.append((commit, error))
          }
        }
        try transaction.finish()
        phase = .committing
        return .commit
      }
      for (_, answer) in done { answer() }
      for (commit, error) in refused { commit.refuse(error) }
    } catch {
      if phase == .changing, group.count > 1 { return false }
      let failure = StoreError(sqlite: error, during: phase)
      // A refusal may rest on a neighbour's change that is not known to be there: it is not told as a conflict.
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
  /// About how many documents it changes.
  let weight: Int
  /// Makes the changes in a transaction; answers what to call when they are on the disk.
  let attempt: @Sendable (CommitTransaction) throws -> @Sendable () -> Void
  /// Tells the caller that nothing was changed, or that it is not known.
  let refuse: @Sendable (StoreError) -> Void
}
#endif
