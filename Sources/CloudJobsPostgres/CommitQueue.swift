#if PostgreSQL
import CloudJobs
import CloudJobsCore
import Synchronization

/// A queue of commits, in which those that wait together share a transaction.
///
/// A few groups are under way at a time; meanwhile further commits gather. Callers only wait, so that neither their
/// cancellation nor an executor that is blocked holds up the commits of others.
final class CommitQueue: Sendable {
  /// The result of a commit.
  typealias Outcome = Result<Timestamp, StoreError>
  /// Executes the commits of a group; returns the outcomes in its order.
  typealias Perform = @Sendable (_ group: [[Write]], _ kind: CommitKind) async -> [Outcome]

  /// The maximum number of waiting commits.
  static let waitingLimit = 16_384

  /// A commit that waits for its group.
  private struct Member: Sendable {
    let writes: [Write]
    let profile: CommitProfile
    let waiter: CheckedContinuation<Outcome, Never>
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
  ///   - perform: executes a group, of this commit and of others.
  /// - Returns: the time of the commit.
  /// - Throws: the error of this commit.
  func commit(_ writes: [Write], perform: @escaping Perform) async throws(StoreError) -> Timestamp {
    let profile = CommitProfile(writes)
    let outcome = await withCheckedContinuation { continuation in
      let (isAccepted, starts) = state.withLock { state in
        if state.waiting.count >= Self.waitingLimit { return (false, false) }
        state.waiting.append(Member(writes: writes, profile: profile, waiter: continuation))
        let starts = state.active < maxActive
        if starts { state.active += 1 }
        return (true, starts)
      }
      if !isAccepted {
        let error = StoreError(.unavailable, "\(Self.waitingLimit) commits are waiting already. Send fewer at a time.")
        continuation.resume(returning: .failure(error))
      }
      if starts { DetachedWork.start { [self] in await drain(perform) } }
    }
    return try outcome.get()
  }

  /// Executes groups until nothing waits.
  private func drain(_ perform: Perform) async {
    while true {
      let group = takeGroup()
      guard let first = group.first else { return }
      let outcomes = await perform(group.map(\.writes), first.profile.kind)
      for (member, outcome) in zip(group, outcomes) { member.waiter.resume(returning: outcome) }
    }
  }

  private func takeGroup() -> [Member] {
    state.withLock { state in
      let places = CommitGroups.next(of: state.waiting.lazy.map(\.profile), countLimit: countLimit)
      guard let last = places.last else {
        state.active -= 1
        return []
      }
      let taken = Set(places)
      let group = places.map { state.waiting[$0] }
      let kept = (0...last).filter { !taken.contains($0) }.map { state.waiting[$0] }
      state.waiting.replaceSubrange(0...last, with: kept)
      return group
    }
  }
}
#endif
