public import CloudJobsCore
import Synchronization

/// A clock whose time changes only when it is moved.
public final class VirtualClock: JobClock {
  private struct Sleeper: Comparable, Sendable {
    var deadline: Timestamp
    var number: UInt64
    static func < (left: Sleeper, right: Sleeper) -> Bool {
      (left.deadline, left.number) < (right.deadline, right.number)
    }
  }

  private struct State {
    var now: Timestamp
    var lastNumber: UInt64 = 0
    var order = MinimumHeap<Sleeper>()
    var continuations: [UInt64: CheckedContinuation<Void, any Error>] = [:]
    var cancelled: Set<UInt64> = []
  }

  /// The effect of ``VirtualClock/sleep(until:)``.
  package enum Sleep: Sendable {
    /// A sleep suspends until the clock is moved to its deadline.
    case suspends
    /// A sleep moves the clock to its deadline and returns.
    case moves
    /// A sleep of at most a span returns at once; a longer one suspends.
    case skips(upTo: Duration)
  }

  private let state: Mutex<State>
  private let sleep: Sleep

  /// Creates a clock that shows a time.
  public convenience init(start: Timestamp) {
    self.init(start: start, sleep: .suspends)
  }

  /// Creates a clock that shows a time, with an effect of its sleeps.
  package init(start: Timestamp, sleep: Sleep) {
    state = Mutex(State(now: start))
    self.sleep = sleep
  }

  /// Returns the time that the clock shows.
  public func now() -> Timestamp {
    state.withLock { $0.now }
  }

  /// Suspends until the clock reaches a time.
  ///
  /// - Parameter deadline: the time at which to resume.
  /// - Throws: `CancellationError` if the task is cancelled first.
  public func sleep(until deadline: Timestamp) async throws {
    switch sleep {
    case .suspends: break
    case .moves:
      try Task.checkCancellation()
      return move(to: deadline)
    case .skips(let longest):
      if deadline - now() <= longest { return }
    }
    let number = state.withLock { state in
      state.lastNumber += 1
      return state.lastNumber
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let result: Result<Void, any Error>? = state.withLock { state in
          if state.cancelled.remove(number) != nil { return .failure(CancellationError()) }
          if deadline <= state.now { return .success(()) }
          state.continuations[number] = continuation
          state.order.insert(Sleeper(deadline: deadline, number: number))
          return nil
        }
        if let result { continuation.resume(with: result) }
      }
    } onCancel: {
      let continuation = state.withLock { state -> CheckedContinuation<Void, any Error>? in
        guard let continuation = state.continuations.removeValue(forKey: number) else {
          state.cancelled.insert(number)
          return nil
        }
        return continuation
      }
      continuation?.resume(throwing: CancellationError())
    }
    state.withLock { _ = $0.cancelled.remove(number) }
  }

  /// The number of sleeping tasks.
  package var sleeperCount: Int {
    state.withLock { $0.continuations.count }
  }

  /// The earliest deadline of a sleeping task, or nil if none sleeps.
  package var nextDeadline: Timestamp? {
    state.withLock { state in
      while let first = state.order.first, state.continuations[first.number] == nil { state.order.removeFirst() }
      return state.order.first?.deadline
    }
  }

  /// Advances the time and resumes the sleepers whose deadline is reached, in the order of their deadlines.
  ///
  /// - Parameter time: the new time; a time before the current one has no effect.
  public func move(to time: Timestamp) {
    let due = state.withLock { state in
      state.now = max(state.now, time)
      var due: [CheckedContinuation<Void, any Error>] = []
      while let first = state.order.first, first.deadline <= state.now {
        state.order.removeFirst()
        if let continuation = state.continuations.removeValue(forKey: first.number) { due.append(continuation) }
      }
      return due
    }
    for continuation in due { continuation.resume() }
  }

  /// Advances the time by a span and resumes the sleepers whose deadline is reached.
  ///
  /// - Parameter span: the span; a negative one has no effect.
  public func advance(by span: Duration) {
    move(to: now() + span)
  }

  /// Sets the time, also to an earlier one; no sleeper resumes.
  ///
  /// - Parameter time: the new time.
  package func set(_ time: Timestamp) {
    state.withLock { $0.now = time }
  }
}
