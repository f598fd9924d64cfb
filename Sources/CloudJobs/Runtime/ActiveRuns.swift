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
    var attempts: [Int: Attempt] = [:]
    var lastPlace = 0
    var deliveries = 0
    var isDraining = false
    var isClosed = false

    var isDrained: Bool { isDraining && deliveries == 0 }
  }

  private let state = Mutex(State())
  /// Opens when the drain's limit is over: whoever executes a handler cancels it then.
  let cancellation = Latch()
  /// Opens when the instance drains and no delivery is being dealt with any more.
  let drained = Latch()

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
    let isDrained = state.withLock { state in
      state.deliveries -= 1
      return state.isDrained
    }
    if isDrained { drained.open() }
  }

  /// Keeps an attempt from its claim until its end is committed.
  ///
  /// - Returns: its place, by which it is ended: two deliveries of one run may be about to claim it. Nil where no
  ///   attempt may begin any more.
  func begin(_ attempt: Attempt) -> Int? {
    state.withLock { state in
      if state.isClosed { return nil }
      state.lastPlace += 1
      state.attempts[state.lastPlace] = attempt
      return state.lastPlace
    }
  }

  func end(_ place: Int) {
    state.withLock { _ = $0.attempts.removeValue(forKey: place) }
  }

  /// Whether new work is refused.
  var isDraining: Bool { state.withLock { $0.isDraining } }

  /// Whether no attempt may begin any more, not even that of a delivery that was admitted.
  var isClosed: Bool { state.withLock { $0.isClosed } }

  /// Lets no attempt begin from now on, and has the handlers of those under way cancelled.
  func cancelHandlers() {
    state.withLock { $0.isClosed = true }
    cancellation.open()
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
  var attempts: [Attempt] {
    state.withLock { $0.attempts.values.sorted { $0.run.id < $1.run.id } }
  }

  /// How many deliveries are being dealt with.
  var deliveries: Int { state.withLock { $0.deliveries } }

  enum Admission {
    case admitted, draining, full
  }
}

/// Something that happens once, and that many may wait for.
package final class Latch: Sendable {
  private struct State {
    var isOpen = false
    var next = 0
    var waiters: [Int: AsyncStream<Never>.Continuation] = [:]
  }

  private let state = Mutex(State())

  /// Something that has not happened.
  package init() {}

  /// Whether it has happened.
  package var isOpen: Bool { state.withLock { $0.isOpen } }

  /// Lets go of all who wait, now and later.
  package func open() {
    let waiters = state.withLock { state in
      state.isOpen = true
      return Array(state.waiters.values)
    }
    for waiter in waiters { waiter.finish() }
  }

  /// Waits until it has happened, or until the task is cancelled.
  package func wait() async {
    let (stream, continuation) = AsyncStream.makeStream(of: Never.self)
    let key: Int? = state.withLock { state in
      if state.isOpen { return nil }
      state.next += 1
      state.waiters[state.next] = continuation
      return state.next
    }
    guard let key else { return }
    for await _ in stream {}
    state.withLock { _ = $0.waiters.removeValue(forKey: key) }
  }
}
