#if HTTP
import Synchronization

/// What the callers' tasks and the I/O thread share: everything else belongs to the thread.
///
/// The continuation of a request stands in `waiting` from its submission to its end and nowhere else. Whoever takes it
/// out under the lock, the thread with a result or a cancellation, resumes it after the lock is released.
final class TransferMailbox: Sendable {
  /// What one request ends with.
  typealias Outcome = Result<RawResponse, HTTPClientError>
  /// What one request waits on.
  typealias Waiter = CheckedContinuation<Outcome, Never>

  /// What the thread finds when it looks.
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
    /// Why the thread takes nothing any more, where that isn't a shutdown.
    var failure: HTTPClientError?
  }

  private let maxRequests: Int
  private let state = Mutex(State())
  private let lastID = Atomic<UInt64>(0)

  /// An empty mailbox, with the most requests that it holds.
  init(maxRequests: Int) {
    self.maxRequests = maxRequests
  }

  /// A number that no other request has.
  func nextID() -> UInt64 { lastID.wrappingAdd(1, ordering: .relaxed).newValue }

  // MARK: The callers' side

  /// Hands a request to the thread; answers why not where it is refused, and then does not keep the continuation.
  func submit(_ submission: TransferSubmission, _ waiter: Waiter) -> HTTPClientError? {
    state.withLock { state in
      // A cancellation sets the task's flag before it calls `cancel`, which needs this lock: one of the two sees it.
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

  /// Ends a request for its caller at once, and lets the thread abort the transfer.
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

  /// Asks the thread to end, and waits until it has.
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

  /// Opens for business: from now on the thread can be woken.
  func open(_ wakeUp: CurlWakeUp) {
    state.withLock { state in
      state.wakeUp = wakeUp
      if state.phase == .starting { state.phase = .running }
    }
  }

  /// Takes what has come in since the last call.
  func take() -> Mail {
    state.withLock { state in
      var mail = Mail(mustStop: state.phase == .stopping)
      swap(&mail.submitted, &state.mail.submitted)
      swap(&mail.cancelled, &state.mail.cancelled)
      state.isAwake = false
      return mail
    }
  }

  /// Ends requests; those that were cancelled in the meantime are passed over.
  func finish(_ outcomes: [(id: UInt64, outcome: Outcome)]) {
    let ends = state.withLock { state in
      outcomes.compactMap { end in state.waiting.removeValue(forKey: end.id).map { ($0, end.outcome) } }
    }
    for (waiter, outcome) in ends { waiter.resume(returning: outcome) }
  }

  /// Fails all requests that are left; from now on the thread is no longer woken, and may let go of libcurl.
  func close(with error: HTTPClientError) {
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

  /// The thread's last word.
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

  /// Wakes the thread, once for each time that it looks.
  private static func wake(_ state: inout State) {
    guard !state.isAwake, let wakeUp = state.wakeUp else { return }
    state.isAwake = true
    wakeUp.wake()
  }
}
#endif
