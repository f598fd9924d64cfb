public import CloudJobsCore

/// One thing that happened in an emulator, with its time.
public struct TraceEntry: Hashable, Sendable {
  /// What happened.
  public enum Event: Hashable, Sendable {
    /// A delivery began.
    case dispatched(id: DispatchID, subject: String, attempt: Int, method: HTTPMethod, url: String, reason: String)
    /// An attempt or a subject ended.
    case settled(Settlement)
    /// Something that the emulator's user noted.
    case note(String)
  }

  /// When.
  public var time: Timestamp
  /// What.
  public var event: Event

  init(time: Timestamp, event: Event) {
    self.time = time
    self.event = event
  }

  init(time: Timestamp, action: ServiceAction) {
    self.time = time
    switch action {
    case .dispatch(let dispatch):
      event = .dispatched(
        id: dispatch.id, subject: dispatch.subject, attempt: dispatch.attempt, method: dispatch.method,
        url: dispatch.url, reason: dispatch.reason)
    case .settled(let settlement): event = .settled(settlement)
    }
  }
}

extension TraceEntry: CustomStringConvertible {
  /// The entry in one line that is the same for the same happening.
  public var description: String {
    switch event {
    case .dispatched(let id, let subject, let attempt, let method, let url, let reason):
      "\(time) \(id) \(subject) attempt \(attempt): \(method.name) \(url), as \(reason)"
    case .settled(let settlement):
      "\(time) \(settlement.id.map { "\($0)" } ?? "-") \(settlement)"
    case .note(let text): "\(time) \(text)"
    }
  }
}
