package import CloudJobsCore
import Synchronization

/// The number of deliveries by their outcome.
package struct DeliveryCounts: Hashable, Sendable {
  /// The number that was started.
  package private(set) var started = 0
  /// The number that ended with a success.
  package private(set) var succeeded = 0
  /// The number that ended otherwise.
  package private(set) var failed = 0

  /// Creates counts of nothing.
  package init() {}

  /// Counts the deliveries among the actions of the services.
  mutating func note(_ actions: [ServiceAction]) {
    for action in actions {
      switch action {
      case .deliver: started += 1
      case .settled(let settlement):
        guard let outcome = settlement.outcome else { continue }
        if outcome.isSuccess { succeeded += 1 } else { failed += 1 }
      }
    }
  }

  /// Returns the counts since earlier ones.
  static func - (later: DeliveryCounts, earlier: DeliveryCounts) -> DeliveryCounts {
    var counts = DeliveryCounts()
    counts.started = max(0, later.started - earlier.started)
    counts.succeeded = max(0, later.succeeded - earlier.succeeded)
    counts.failed = max(0, later.failed - earlier.failed)
    return counts
  }
}

/// The emulator's clock at one time.
package struct ClockStatus: Hashable, Sendable {
  /// The emulator's time.
  package var now: Timestamp
  /// The time that the machine's clock shows.
  package var machineTime: Timestamp
  /// Whether it stands.
  package var isFrozen: Bool
  /// The time of the next attempt of any task or job; nil if none follows by time alone.
  package var nextEvent: Timestamp?
  /// The number of deliveries in flight.
  package var inFlight: Int
  /// The deliveries since the start or the latest reset.
  package var counts: DeliveryCounts

  /// The amount by which the emulator's time is ahead of the machine's; negative if it is behind.
  package var ahead: Duration { now - machineTime }
}

/// The effect of an advance of the emulator's clock.
package struct AdvanceReport: Hashable, Sendable {
  /// The reason why an advance ended.
  package enum End: String, Hashable, Sendable, CaseIterable {
    /// It came to its time.
    case reached
    /// There was nothing more to wait for.
    case idle
    /// It came to the limit of events.
    case limit
    /// What follows is later than the limit of time.
    case later
  }

  /// The time before it.
  package var from: Timestamp
  /// The time after it.
  package var now: Timestamp
  /// The number of times at which something was due.
  package var events: Int
  /// The deliveries that it made.
  package var deliveries: DeliveryCounts
  /// Why it ended.
  package var end: End
}

extension LiveEmulator {
  /// The emulator's time: the clock's time plus the amount by which it was advanced, or the time at which it stands.
  package var now: Timestamp { shared.withLock { time(&$0) } }

  /// The emulator's clock, and what it waits for.
  package var clockStatus: ClockStatus {
    shared.withLock { shared in
      let now = time(&shared)
      // Not read again where both are the same, as time passes between two readings.
      let machine = shared.frozenAt == nil ? min(clock.now(), now - shared.offset) : clock.now()
      return ClockStatus(
        now: now, machineTime: machine, isFrozen: shared.frozenAt != nil,
        nextEvent: shared.state.nextAttempt(at: now), inFlight: shared.underway + shared.outbox.count,
        counts: shared.counts)
    }
  }

  /// Stops the emulator's clock: time stands, and what is due starts only with an advance.
  ///
  /// Deliveries in flight end. A clock that stands stays as it is.
  ///
  /// - Returns: the time at which it stands.
  @discardableResult
  package func freeze() -> Timestamp {
    shared.withLock { shared in
      let now = time(&shared)
      if shared.frozenAt == nil { move(to: now, isFrozen: true, &shared) }
      return now
    }
  }

  /// Starts the emulator's clock again from the time at which it stands, which may then be behind the machine's.
  ///
  /// - Returns: the emulator's time.
  @discardableResult
  package func unfreeze() -> Timestamp {
    defer { changes.notify() }
    return shared.withLock { shared in
      let now = time(&shared)
      if shared.frozenAt != nil { move(to: now, isFrozen: false, &shared) }
      return now
    }
  }

  /// Advances the emulator's time from one due event to the next and waits for the deliveries of each.
  ///
  /// Retries and repeated schedules along the way happen at their own times. The emulator must be running. Deliveries
  /// themselves are made in real time.
  ///
  /// - Parameter span: the duration to advance by.
  /// - Returns: the report, whose end is `reached`.
  /// - Throws: `CancellationError`.
  package func advance(by span: Duration) async throws -> AdvanceReport {
    try await reportAdvance { from in
      AdvanceResult(end: .reached, events: try await advance(to: from + span, limit: .max))
    }
  }

  /// Advances the emulator's time to the next attempt of any task or job, and waits for what is due then.
  ///
  /// While the clock stands, an attempt that is due already is the next one, and time does not change.
  ///
  /// - Returns: the report; its end is `idle` if no attempt follows by time alone.
  /// - Throws: `CancellationError`.
  package func advanceToNextEvent() async throws -> AdvanceReport {
    let isDue = shared.withLock { shared in
      let now = time(&shared)
      return shared.state.nextAttempt(at: now).map { $0 <= now } ?? false
    }
    return try await reportAdvance { _ in
      try await waitUntilQuiet()
      if isDue { return AdvanceResult(end: .reached, events: 1) }
      let next = shared.withLock { shared in shared.state.nextAttempt(at: time(&shared)) }
      guard let next else { return AdvanceResult(end: .idle, events: 0) }
      return AdvanceResult(end: .reached, events: max(1, try await advance(to: next, limit: .max)))
    }
  }

  /// Advances the emulator's time until no task waits for time alone, and no job for a retry.
  ///
  /// Schedules run along the way, but their next times are not waited for, as there is no end of them.
  ///
  /// - Parameters:
  ///   - limit: the maximum number of events.
  ///   - span: the maximum duration to advance by.
  /// - Returns: the report.
  /// - Throws: `CancellationError`.
  package func runUntilIdle(limit: Int, within span: Duration) async throws -> AdvanceReport {
    try await reportAdvance { from in
      var events = 0
      while true {
        try await waitUntilQuiet()
        let next = shared.withLock { shared in shared.state.nextUnsettled(at: time(&shared)) }
        guard let next else { return AdvanceResult(end: .idle, events: events) }
        guard next <= from + span else { return AdvanceResult(end: .later, events: events) }
        guard events < limit else { return AdvanceResult(end: .limit, events: events) }
        events += max(1, try await advance(to: next, limit: limit - events))
      }
    }
  }

  private struct AdvanceResult {
    var end: AdvanceReport.End
    var events: Int
  }

  /// Performs an advance, during which what is due starts even while the clock stands.
  private func reportAdvance(_ body: (Timestamp) async throws -> AdvanceResult) async throws -> AdvanceReport {
    let (from, before) = shared.withLock { shared in
      shared.advanceCount += 1
      return (time(&shared), shared.counts)
    }
    defer { shared.withLock { $0.advanceCount -= 1 } }
    changes.notify()
    let result = try await body(from)
    return shared.withLock { shared in
      AdvanceReport(
        from: from, now: time(&shared), events: result.events, deliveries: shared.counts - before, end: result.end)
    }
  }

  /// Advances to a time, event by event; returns the number of events, at most the limit.
  private func advance(to target: Timestamp, limit: Int) async throws -> Int {
    var events = 0
    while true {
      try await waitUntilQuiet()
      let isEvent = shared.withLock { shared -> Bool? in
        let now = time(&shared)
        guard now < target, events < limit else { return nil }
        let wake = shared.state.nextWake
        move(to: min(max(wake ?? target, now), target), isFrozen: shared.frozenAt != nil, &shared)
        return wake.map { $0 <= target } ?? false
      }
      guard let isEvent else { return events }
      if isEvent { events += 1 }
      changes.notify()
    }
  }

  /// Sets the time, and whether the clock stands at it.
  func move(to time: Timestamp, isFrozen: Bool, _ shared: inout Shared) {
    let change: WriteAheadLogRecord.Change
    if isFrozen {
      shared.frozenAt = time
      change = .frozen(at: time)
    } else {
      shared.offset = time - clock.now()
      shared.frozenAt = nil
      change = .moved(shared.offset)
    }
    shared.state.isHeld = isFrozen
    shared.log?.append(WriteAheadLogRecord(time: shared.lastTime, change: change))
  }

  /// Suspends until nothing is due and no delivery is in progress.
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
