#if HTTP
import Synchronization

/// The state shared by the callers' tasks and the I/O thread.
///
/// A request's continuation is in `waiting` from its submission to its end. The side that removes it under the lock,
/// the thread with a result or a cancellation, resumes it after releasing the lock.
final class TransferMailbox: Sendable {
  /// The outcome of a request.
  typealias Outcome = Result<RawResponse, HTTPExchangeError>
  /// The continuation of a request.
  typealias Waiter = CheckedContinuation<Outcome, Never>

  /// The messages to the thread.
  struct Mail {
    var submitted: [TransferSubmission] = []
    var cancelled: [UInt64] = []
    var mustStop = false
  }

  private enum Phase { case starting, running, stopping, ended }

  private struct State {
    var phase = Phase.starting
    var mail = Mail()
    var waiting: [UInt64: Waiter] = [:]
    var stopWaiters: [CheckedContinuation<Void, Never>] = []
    var wakeUp: CurlWakeUp?
    var isAwake = false
    /// The reason why the thread accepts no requests, unless it was shut down.
    var failure: HTTPExchangeError?
  }

  private let maxRequests: Int
  private let state = Mutex(State())
  private let lastID = Atomic<UInt64>(0)

  /// Creates an empty mailbox with the maximum number of requests.
  init(maxRequests: Int) {
    self.maxRequests = maxRequests
  }

  /// Returns a new request id.
  func nextID() -> UInt64 { lastID.wrappingAdd(1, ordering: .relaxed).newValue }

  // MARK: The callers' side

  /// Submits a request to the thread; if it is rejected, returns the reason and does not keep the continuation.
  func submit(_ submission: TransferSubmission, _ waiter: Waiter) -> HTTPExchangeError? {
    state.withLock { state in
      // A cancellation sets the task's flag before it calls `cancel`, which needs this lock: one of the two notices it.
      if Task.isCancelled { return .cancelled }
      guard state.phase == .starting || state.phase == .running else {
        return state.failure ?? .shutDown
      }
      guard state.waiting.count < maxRequests else { return .tooManyRequests(limit: maxRequests) }
      state.waiting[submission.id] = waiter
      state.mail.submitted.append(submission)
      Self.wake(&state)
      return nil
    }
  }

  /// Fails a request immediately, and makes the thread abort its transfer.
  func cancel(_ id: UInt64) {
    let waiter = state.withLock { state in
      let waiter = state.waiting.removeValue(forKey: id)
      if waiter != nil {
        state.mail.cancelled.append(id)
        Self.wake(&state)
      }
      return waiter
    }
    waiter?.resume(returning: .failure(.cancelled))
  }

  /// Asks the thread to end.
  func stop() {
    state.withLock { Self.stop(&$0) }
  }

  /// Asks the thread to end, and waits for it.
  func stopAndWait() async {
    await withCheckedContinuation { continuation in
      let hasEnded = state.withLock { state in
        Self.stop(&state)
        if state.phase != .ended { state.stopWaiters.append(continuation) }
        return state.phase == .ended
      }
      if hasEnded { continuation.resume() }
    }
  }

  // MARK: The thread's side

  /// Marks the thread as running, so that it can be woken.
  func open(_ wakeUp: CurlWakeUp) {
    state.withLock { state in
      state.wakeUp = wakeUp
      if state.phase == .starting { state.phase = .running }
    }
  }

  /// Returns the messages since the last call.
  func take() -> Mail {
    state.withLock { state in
      var mail = Mail(mustStop: state.phase == .stopping)
      swap(&mail.submitted, &state.mail.submitted)
      swap(&mail.cancelled, &state.mail.cancelled)
      state.isAwake = false
      return mail
    }
  }

  /// Finishes requests, except those that were cancelled meanwhile.
  func finish(_ outcomes: [(id: UInt64, outcome: Outcome)]) {
    let ends = state.withLock { state in
      outcomes.compactMap { end in state.waiting.removeValue(forKey: end.id).map { ($0, end.outcome) } }
    }
    for (waiter, outcome) in ends { waiter.resume(returning: outcome) }
  }

  /// Fails all remaining requests; afterwards the thread is no longer woken and may release libcurl.
  func close(with error: HTTPExchangeError) {
    let waiters = state.withLock { state in
      state.phase = .stopping
      state.failure = error
      state.wakeUp = nil
      state.mail = Mail()
      defer { state.waiting = [:] }
      return Array(state.waiting.values)
    }
    for waiter in waiters { waiter.resume(returning: .failure(error)) }
  }

  /// Marks the thread as ended.
  func end() {
    let waiters = state.withLock { state in
      state.phase = .ended
      defer { state.stopWaiters = [] }
      return state.stopWaiters
    }
    for waiter in waiters { waiter.resume() }
  }

  // MARK: Under the lock

  private static func stop(_ state: inout State) {
    guard state.phase == .starting || state.phase == .running else { return }
    state.phase = .stopping
    wake(&state)
  }

  /// Wakes the thread, once per call of `take()`.
  private static func wake(_ state: inout State) {
    guard !state.isAwake, let wakeUp = state.wakeUp else { return }
    state.isAwake = true
    wakeUp.wake()
  }
}

/// A request on its way to the I/O thread.
struct TransferSubmission: Sendable {
  /// The request's id, unique in the client.
  let id: UInt64
  /// The request.
  let request: PreparedRequest
  /// The time at which the request fails with `timedOut`.
  let deadline: MonotonicTime
}
#endif
