import CloudJobsCore
import Synchronization

/// The deliveries and attempts that this instance processes, and whether it admits more.
final class ActiveAttempts: Sendable {
  /// The answer to a delivery that asks for admission.
  enum Admission {
    case admitted, draining, full, memoryExhausted
  }

  private struct State {
    var attempts: [Int: ActiveAttempt] = [:]
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

  /// An attempt with its record, once its handler is called.
  private struct ActiveAttempt {
    var claimed: ClaimedRun
    var record: AttemptRecord?
  }

  /// Registers an attempt from its claim until its result is committed.
  ///
  /// - Returns: its place, by which it is ended, as two deliveries may be about to claim one run; nil if no attempt may
  ///   begin any more.
  func begin(_ attempt: ClaimedRun) -> Int? {
    state.withLock { state in
      if state.isClosed { return nil }
      state.lastPlace += 1
      state.attempts[state.lastPlace] = ActiveAttempt(claimed: attempt)
      state.attempts[state.lastPlace]?.claimed.place = state.lastPlace
      return state.lastPlace
    }
  }

  /// Adds the record of an attempt whose handler is called now.
  func add(_ record: AttemptRecord, at place: Int) {
    let mustStop = state.withLock { state in
      state.attempts[place]?.record = record
      return state.isClosed
    }
    if mustStop { record.stop.open() }
  }

  /// Returns the record of a run's attempt in this instance; nil if there is none.
  func record(of run: RunID) -> AttemptRecord? {
    state.withLock { $0.attempts.values.first { $0.claimed.run.id == run }?.record }
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
    let records = state.withLock { state in
      state.isClosed = true
      // In the order of their begin, so that a simulation is the same each time.
      return state.attempts.sorted { $0.key < $1.key }.compactMap(\.value.record)
    }
    for record in records { record.stop.open() }
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
    let attempts = state.withLock { Array($0.attempts.values) }
    return attempts.map { attempt in
      var claimed = attempt.claimed
      // With its latest checkpoint and progress.
      if let record = attempt.record { claimed.run = record.run }
      return claimed
    }.sorted { $0.run.id < $1.run.id }
  }

  /// The number of deliveries in process.
  var deliveries: Int { state.withLock { $0.deliveries } }
}
