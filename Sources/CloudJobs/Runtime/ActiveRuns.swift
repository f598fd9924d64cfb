import CloudJobsCore
import Synchronization

/// The attempts that this instance executes now, and whether it takes more.
final class ActiveRuns: Sendable {
  struct Attempt: Sendable {
    var claimed: ClaimedRun
    var job: ResolvedJob

    var run: Run { claimed.run }
  }

  private struct State {
    var attempts: [RunID: Attempt] = [:]
    var deliveries = 0
    var isDraining = false
    var isReleased = false
    var waiters: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  /// Takes a place for a delivery; false where the instance drains or all places are taken.
  func enter(limit: Int) -> Admission {
    state.withLock { state in
      if state.isDraining { return .draining }
      if state.deliveries >= limit { return .full }
      state.deliveries += 1
      return .admitted
    }
  }

  /// Gives the place back.
  func leave() {
    let waiters = state.withLock { state in
      state.deliveries -= 1
      defer { if state.deliveries == 0 { state.waiters = [] } }
      return state.deliveries == 0 ? state.waiters : []
    }
    for waiter in waiters { waiter.resume() }
  }

  func begin(_ attempt: Attempt) {
    state.withLock { $0.attempts[attempt.run.id] = attempt }
  }

  func end(_ id: RunID) {
    state.withLock { _ = $0.attempts.removeValue(forKey: id) }
  }

  /// Whether new work is refused.
  var isDraining: Bool { state.withLock { $0.isDraining } }

  /// Refuses new work from now on.
  func startDraining() {
    state.withLock { $0.isDraining = true }
  }

  /// The attempts under way.
  var attempts: [Attempt] {
    state.withLock { $0.attempts.values.sorted { $0.run.id < $1.run.id } }
  }

  /// How many deliveries are being dealt with.
  var deliveries: Int { state.withLock { $0.deliveries } }

  /// Waits until no delivery is being dealt with.
  func idle() async {
    await withCheckedContinuation { continuation in
      let isIdle = state.withLock { state in
        let isIdle = state.deliveries == 0 || state.isReleased
        if !isIdle { state.waiters.append(continuation) }
        return isIdle
      }
      if isIdle { continuation.resume() }
    }
  }

  /// Lets go of whoever waits in ``idle()``, whether or not deliveries are under way.
  func releaseWaiters() {
    let waiters = state.withLock { state in
      defer { state.waiters = [] }
      state.isReleased = true
      return state.waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  enum Admission {
    case admitted, draining, full
  }
}
