#if PostgreSQL
import Synchronization

/// Notifies other processes after commits: one notification at a time, however many commits there are meanwhile.
///
/// PostgreSQL lets the transactions that notify commit one after the other, whatever they write, so that a notification
/// in each commit would limit all processes together to one flush of the log at a time. Therefore it is a transaction
/// of its own after the commit, which does not wait for the log. If the process ends in between, the others find the
/// work with their next poll.
final class Notifier: Sendable {
  private struct State {
    var isActive = false
    var isWanted = false
  }

  private let client: PostgresClient
  private let channel: String
  private let state = Mutex(State())

  /// Creates a notifier of a channel.
  init(_ client: PostgresClient, channel: String) {
    self.client = client
    self.channel = channel
  }

  /// Whether no notification is under way.
  var isIdle: Bool { state.withLock { !$0.isActive } }

  /// Sends a notification, soon and at least once after this call.
  func notify() {
    let starts = state.withLock { state in
      state.isWanted = true
      defer { state.isActive = true }
      return !state.isActive
    }
    if starts { send() }
  }

  private func send() {
    state.withLock { $0.isWanted = false }
    let statements = [
      Statement("SELECT set_config('synchronous_commit', 'off', true)"),
      Statement("SELECT pg_notify($1, '')") { $0.append(channel) },
    ]
    client.post(statements) { [self] result in
      let goesOn = state.withLock { state in
        // A failure is not repeated: the others poll.
        if case .failure = result { state.isWanted = false }
        state.isActive = state.isWanted
        return state.isActive
      }
      if goesOn { send() }
    }
  }
}
#endif
