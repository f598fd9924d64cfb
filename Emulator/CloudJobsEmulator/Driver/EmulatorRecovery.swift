public import CloudJobsCore

/// Makes the records of a journal happen again, which gives the state that they were written in.
public struct EmulatorRecovery: Sendable {
  /// The emulator as of the latest record.
  public private(set) var snapshot: EmulatorSnapshot
  /// Whether there is nothing to go on from: neither a snapshot nor a record.
  public private(set) var isFresh: Bool
  private let initial: EmulatorState

  /// A recovery from the state that an emulator begins at.
  ///
  /// - Parameters:
  ///   - initial: that state, to which a reset goes back too.
  ///   - snapshot: what the first record comes after; nil for the state itself.
  public init(_ initial: EmulatorState, from snapshot: EmulatorSnapshot? = nil) {
    self.initial = initial
    self.snapshot = snapshot ?? EmulatorSnapshot(initial)
    isFresh = snapshot == nil
  }

  /// Makes a record happen.
  ///
  /// - Parameters:
  ///   - record: the next record.
  ///   - serve: serves a request as it was served then.
  /// - Throws: what the closure throws.
  public mutating func apply<Failure: Error>(
    _ record: JournalRecord, serve: (JSONValue, inout EmulatorState, Timestamp) throws(Failure) -> Void
  ) throws(Failure) {
    isFresh = false
    snapshot.time = max(snapshot.time, record.time)
    switch record.change {
    case .request(let request): try serve(request, &snapshot.state, snapshot.time)
    case .moved(let span): snapshot.offset = span
    case .event(let event): handle(event)
    case .reset:
      snapshot = EmulatorSnapshot(initial)
      snapshot.time = record.time
    }
  }

  /// Has the services begin again at a time.
  mutating func resume(at now: Timestamp) {
    snapshot.time = now
    handle(.resumed)
  }

  private mutating func handle(_ event: ServiceEvent) {
    snapshot.deliveries.note(snapshot.state.handle(event, at: snapshot.time))
  }
}
