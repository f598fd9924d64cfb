import CloudJobsCore
import Synchronization

/// The deliveries and attempts that this instance processes, and whether it admits more.
final class ActiveAttempts: Sendable {
  /// The answer to a delivery that asks for admission.
  enum Admission {
    case admitted, draining, full
  }

  private struct State {
    var attempts: [Int: ClaimedRun] = [:]
    /// The functions that cancel the handlers of the attempts when the drain's limit is over.
    var cancellations: [Int: @Sendable () -> Void] = [:]
    var lastPlace = 0
    var deliveries = 0
    var isDraining = false
    var isClosed = false

    var isDrained: Bool { isDraining && deliveries == 0 }
  }

  private let state = Mutex(State())
  /// Opens when the instance drains and no delivery is processed any more.
  let drained = Latch()

  /// Admits a delivery, unless the instance drains or the limit is reached.
  func enter(limit: Int) -> Admission {
    state.withLock { state in
      if state.isDraining { return .draining }
      if state.deliveries >= limit { return .full }
      state.deliveries += 1
      return .admitted
    }
  }

  /// Ends a delivery that was admitted.
  func leave() {
    let isDrained = state.withLock { state in
      state.deliveries -= 1
      return state.isDrained
    }
    if isDrained { drained.open() }
  }

  /// Registers an attempt from its claim until its result is committed.
  ///
  /// - Returns: its place, by which it is ended, as two deliveries may be about to claim one run; nil if no attempt may
  ///   begin any more.
  func begin(_ attempt: ClaimedRun) -> Int? {
    state.withLock { state in
      if state.isClosed { return nil }
      state.lastPlace += 1
      state.attempts[state.lastPlace] = attempt
      state.attempts[state.lastPlace]?.place = state.lastPlace
      return state.lastPlace
    }
  }

  /// Removes an attempt.
  func end(_ place: Int) {
    state.withLock { _ = $0.attempts.removeValue(forKey: place) }
  }

  /// Whether new work is refused.
  var isDraining: Bool { state.withLock { $0.isDraining } }

  /// Whether no attempt may begin any more, not even that of an admitted delivery.
  var isClosed: Bool { state.withLock { $0.isClosed } }

  /// Refuses new attempts from now on, and cancels the handlers of those under way.
  func cancelHandlers() {
    let cancellations = state.withLock { state in
      state.isClosed = true
      return state.cancellations.sorted { $0.key < $1.key }
    }
    for cancellation in cancellations { cancellation.value() }
  }

  /// Sets the function that cancels an attempt's handler; called at once if the drain's limit is over already.
  ///
  /// - Parameters:
  ///   - place: the attempt's place.
  ///   - cancel: the function; nil once the handler has ended.
  func onCancellation(of place: Int, _ cancel: (@Sendable () -> Void)?) {
    let isClosed = state.withLock { state in
      state.cancellations[place] = cancel
      return state.isClosed
    }
    if isClosed { cancel?() }
  }

  /// Refuses new work from now on.
  func startDraining() {
    let isDrained = state.withLock { state in
      state.isDraining = true
      return state.isDrained
    }
    if isDrained { drained.open() }
  }

  /// The attempts under way.
  var attempts: [ClaimedRun] {
    state.withLock { $0.attempts.values.sorted { $0.run.id < $1.run.id } }
  }

  /// The number of deliveries in process.
  var deliveries: Int { state.withLock { $0.deliveries } }
}
