#if PostgreSQL
import CloudJobs
import CloudJobsCore
import Synchronization

/// A queue of commits, in which those that wait together share a transaction.
///
/// A few groups are under way at a time; meanwhile further commits gather. A group is executed by the task of one of
/// its commits, and the end of a group lets the task of a waiting one lead the next. So there is no task of the queue's
/// own, and no commit is lost with a cancelled task, because nothing here observes cancellation.
final class CommitQueue: Sendable {
  /// The result of a commit.
  typealias Outcome = Result<Timestamp, StoreError>

  /// The maximum number of waiting commits.
  static let waitingLimit = 16_384

  /// A commit of a group.
  struct Member: Sendable {
    /// The changes.
    let writes: [Write]
    /// What the group depends on.
    let profile: CommitProfile
    fileprivate let waiter: CheckedContinuation<Turn, Never>?
  }

  /// What a waiting commit is told.
  fileprivate enum Turn: Sendable {
    /// Its outcome.
    case finished(Outcome)
    /// To execute a group, of which it is the first.
    case lead([Member])
  }

  private struct State {
    var waiting: [Member] = []
    var active = 0
  }

  private let state = Mutex(State())
  private let maxActive: Int
  private let countLimit: Int

  /// Creates a queue.
  ///
  /// - Parameters:
  ///   - maxActive: the maximum number of groups under way.
  ///   - countLimit: the maximum number of commits in a group.
  init(maxActive: Int, countLimit: Int) {
    self.maxActive = maxActive
    self.countLimit = countLimit
  }

  /// Commits changes, alone or with others.
  ///
  /// - Parameters:
  ///   - writes: the changes.
  ///   - perform: executes a group; returns the outcomes in its order.
  /// - Returns: the time of the commit.
  /// - Throws: the error of this commit.
  func commit(
    _ writes: [Write], perform: ([Member]) async -> [Outcome]
  ) async throws(StoreError) -> Timestamp {
    let profile = CommitProfile(writes)
    let turn = await withCheckedContinuation { continuation in
      let immediate: Turn? = state.withLock { state in
        if state.active < maxActive {
          state.active += 1
          return .lead([Member(writes: writes, profile: profile, waiter: nil)])
        }
        if state.waiting.count >= Self.waitingLimit {
          return .finished(
            .failure(
              StoreError(.unavailable, "\(Self.waitingLimit) commits are waiting already. Send fewer at a time.")))
        }
        state.waiting.append(Member(writes: writes, profile: profile, waiter: continuation))
        return nil
      }
      if let immediate { continuation.resume(returning: immediate) }
    }
    switch turn {
    case .finished(let outcome): return try outcome.get()
    case .lead(let group):
      let outcomes = await perform(group)
      handOver()
      for (member, outcome) in zip(group, outcomes).dropFirst() { member.waiter?.resume(returning: .finished(outcome)) }
      return try outcomes[0].get()
    }
  }

  /// Ends a group: the first commit of the next one leads it.
  private func handOver() {
    let next: [Member] = state.withLock { state in
      let places = CommitGroups.next(of: state.waiting.lazy.map(\.profile), countLimit: countLimit)
      if places.isEmpty { state.active -= 1 }
      let group = places.map { state.waiting[$0] }
      if let last = places.last {
        let taken = Set(places)
        let kept = (0...last).filter { !taken.contains($0) }.map { state.waiting[$0] }
        state.waiting.replaceSubrange(0...last, with: kept)
      }
      return group
    }
    next.first?.waiter?.resume(returning: .lead(next))
  }
}
#endif
