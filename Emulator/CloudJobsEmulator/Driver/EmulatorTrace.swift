package import CloudJobsCore

/// A bounded record of events in an emulator; the oldest entries are dropped first.
package struct EmulatorTrace: Sendable {
  /// The maximum number of entries.
  package let limit: Int
  private var storage: [TraceEntry] = []
  private var start = 0

  /// The number of entries dropped so far.
  package private(set) var droppedCount = 0

  /// Creates an empty trace.
  ///
  /// - Parameter limit: the maximum number of entries, at least 1.
  package init(limit: Int) {
    self.limit = max(1, limit)
  }

  /// The entries, oldest first.
  package var entries: [TraceEntry] { Array(storage[start...] + storage[..<start]) }

  /// The entries, newest first, without a copy of all.
  package var newestFirst: some Sequence<TraceEntry> {
    let (storage, start) = (storage, start)
    return (0..<storage.count).lazy.map { storage[(start + storage.count - 1 - $0) % storage.count] }
  }

  /// The entries as lines, oldest first.
  package var lines: [String] { entries.map(\.description) }

  mutating func append(_ entry: TraceEntry) {
    guard storage.count == limit else { return storage.append(entry) }
    storage[start] = entry
    start = (start + 1) % limit
    droppedCount += 1
  }

  mutating func append(_ actions: [ServiceAction], at time: Timestamp) {
    for action in actions { append(TraceEntry(time: time, action: action)) }
  }
}

/// One event in an emulator, with its time.
package struct TraceEntry: Hashable, Sendable {
  /// The kinds of events.
  package enum Event: Hashable, Sendable {
    /// A delivery started.
    case deliveryStarted(
      id: DeliveryID, subject: String, attempt: Int, method: HTTPTarget.Method, url: String, reason: String)
    /// An attempt ended, or a task or job ended without one.
    case settled(Settlement)
    /// A note added by the emulator's user.
    case note(String)
  }

  /// The emulator's time.
  package var time: Timestamp
  /// The event.
  package var event: Event

  init(time: Timestamp, event: Event) {
    self.time = time
    self.event = event
  }

  init(time: Timestamp, action: ServiceAction) {
    self.time = time
    switch action {
    case .deliver(let delivery):
      event = .deliveryStarted(
        id: delivery.id, subject: delivery.subject, attempt: delivery.attempt, method: delivery.method,
        url: delivery.url, reason: delivery.reason)
    case .settled(let settlement): event = .settled(settlement)
    }
  }
}

extension TraceEntry: CustomStringConvertible {
  /// The entry as one line; equal events give equal lines.
  package var description: String {
    switch event {
    case .deliveryStarted(let id, let subject, let attempt, let method, let url, let reason):
      "\(time) \(id) \(subject) attempt \(attempt): \(method.name) \(url), as \(reason)"
    case .settled(let settlement):
      "\(time) \(settlement.id.map { "\($0)" } ?? "-") \(settlement)"
    case .note(let text): "\(time) \(text)"
    }
  }
}
