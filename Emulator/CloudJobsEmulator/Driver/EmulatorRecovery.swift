public import CloudJobsCore

/// Makes the records of a journal happen again, which gives the state that they were written in.
public struct EmulatorRecovery: Sendable {
  /// The services as of the latest record.
  public private(set) var state: EmulatorState
  /// The latest record's time.
  public private(set) var time = Timestamp.distantPast
  /// How far the emulator's time is ahead of the clock's.
  public private(set) var offset: Duration = .zero
  /// How many records there were.
  public private(set) var count = 0
  private var open: [DispatchID: Dispatch] = [:]

  /// A recovery from the state that the journal begins at.
  public init(_ initial: EmulatorState) {
    state = initial
  }

  /// The deliveries that were in flight, in the order of their identities.
  public var outstanding: [Dispatch] { open.values.sorted { $0.id < $1.id } }

  /// Makes a record happen.
  ///
  /// - Parameters:
  ///   - record: the next record.
  ///   - serve: serves a request as it was served then.
  /// - Throws: what the closure throws.
  public mutating func apply<Failure: Error>(
    _ record: JournalRecord, serve: (JSONValue, inout EmulatorState, Timestamp) throws(Failure) -> Void
  ) throws(Failure) {
    count += 1
    time = max(time, record.time)
    switch record.change {
    case .request(let request): try serve(request, &state, time)
    case .moved(let span): offset = span
    case .event(let event): note(state.handle(event, at: time))
    }
  }

  /// Has the services begin again at a time.
  mutating func resume(at now: Timestamp) {
    note(state.handle(.resumed, at: now))
  }

  private mutating func note(_ actions: [ServiceAction]) {
    for action in actions {
      switch action {
      case .dispatch(let dispatch): open[dispatch.id] = dispatch
      case .settled(let settlement):
        if let id = settlement.id { open[id] = nil }
      }
    }
  }
}
