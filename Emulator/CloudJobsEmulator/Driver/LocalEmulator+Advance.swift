public import CloudJobsCore
import Synchronization

extension LocalEmulator {
  /// The emulator's time: the clock's, and what it was moved ahead by.
  public var now: Timestamp { shared.withLock { time(&$0) } }

  /// Moves the emulator's time ahead, from one thing that is due to the next, and waits for the deliveries of each.
  ///
  /// So a task that fails and is retried along the way, or a schedule that fires many times, does all of that at its
  /// own times. The emulator must be running. Deliveries are made in real time, and take what they take.
  ///
  /// - Parameter span: how far, from now.
  /// - Returns: the emulator's time afterwards.
  /// - Throws: `CancellationError`.
  public func advance(by span: Duration) async throws -> Timestamp {
    let target = now + span
    while true {
      try await waitUntilQuiet()
      let reached = shared.withLock { shared -> Timestamp? in
        let now = time(&shared)
        guard now < target else { return now }
        let next = min(max(shared.state.nextWake ?? target, now), target)
        shared.offset += next - now
        shared.journal?.append(JournalRecord(time: now, change: .moved(shared.offset)))
        return nil
      }
      if let reached { return reached }
      changes.notify()
    }
  }

  /// Suspends until nothing is due and no delivery is being made.
  private func waitUntilQuiet() async throws {
    while true {
      let seen = changes.generation
      let isQuiet = shared.withLock { shared in
        let now = time(&shared)
        return shared.outbox.isEmpty && shared.underway == 0 && (shared.state.nextWake.map { $0 > now } ?? true)
      }
      if isQuiet { return }
      try await changes.wait(after: seen)
    }
  }
}
