import CloudJobsCore
import Synchronization

/// The wait for one handler: its outcome, its deadlines and the instance's shutdown, as one sequence of events.
///
/// The handler runs in a task of its own. Unlike a child task, it can be left behind: a handler that ignores its
/// cancellation must not keep the delivery waiting for ever.
final class HandlerCall: Sendable {
  /// An event while a handler executes.
  enum Event: Sendable {
    /// The handler returned.
    case returned(Outcome)
    /// The time limit has passed.
    case timedOut
    /// The time that a cancelled handler has to end has passed too.
    case ignoredCancellation
    /// It is time to write what the handler has reported, and to look for requests to cancel the run.
    case tick
    /// The run was taken over or cancelled, or the instance's drain is over.
    case stop
    /// The task that waits was cancelled.
    case cancelled
  }

  /// The end of the wait.
  enum Ending: Sendable {
    /// The handler returned; its outcome, and whether the shutdown had cancelled it by then.
    case returned(Outcome, isShutdown: Bool)
    /// The handler ignored its cancellation, and may still be executing.
    case abandoned
  }

  private struct State {
    var events: [Event] = []
    var waiter: CheckedContinuation<Event, Never>?
  }

  private let state = Mutex(State())

  /// Adds an event.
  func post(_ event: Event) {
    let waiter = state.withLock { state in
      guard let waiter = state.waiter else {
        state.events.append(event)
        return CheckedContinuation<Event, Never>?.none
      }
      state.waiter = nil
      return waiter
    }
    waiter?.resume(returning: event)
  }

  /// Waits for the next event; only one task may wait.
  func next() async -> Event {
    await withCheckedContinuation { continuation in
      let event = state.withLock { state in
        if state.events.isEmpty {
          state.waiter = continuation
          return Event?.none
        }
        return state.events.removeFirst()
      }
      if let event { continuation.resume(returning: event) }
    }
  }
}
