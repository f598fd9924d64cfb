import CloudJobs
import Synchronization

/// Events that wait to be printed.
final class PendingEvents: Sendable {
  private let state = Mutex<(events: [JobEvent], isClosed: Bool)>(([], false))

  func add(_ event: JobEvent) {
    state.withLock { $0.events.append(event) }
  }

  /// The events since the last call.
  func take() -> [JobEvent] {
    state.withLock { state in
      defer { state.events = [] }
      return state.events
    }
  }

  func close() {
    state.withLock { $0.isClosed = true }
  }

  var isClosed: Bool { state.withLock { $0.isClosed } }
}
