package import CloudJobsCore

/// A durable record of everything that changes an emulator's services, for replay by another process.
///
/// The services are deterministic functions of events and times. Their state is therefore given by a snapshot, or the
/// initial state, and the records that follow it.
package protocol WriteAheadLog: Sendable {
  /// Appends a record, in the order of the records' effects.
  ///
  /// Called under a lock; it must not wait for a device.
  ///
  /// - Parameter record: the record.
  func append(_ record: WriteAheadLogRecord)

  /// Suspends until all records appended before the call would survive a power failure.
  ///
  /// - Throws: ``JobError`` if a device fails; the log accepts no more writes after that.
  func flush() async throws(JobError)

  /// Whether a snapshot should replace the records so far; false while one is being saved.
  var isSnapshotDue: Bool { get }

  /// Starts a new generation of records that follows a snapshot.
  ///
  /// Called under the same lock as ``append(_:)``.
  ///
  /// - Parameter snapshot: the state after the records so far, which are kept until the snapshot is saved.
  func rotate(after snapshot: EmulatorSnapshot)

  /// Saves the snapshot of the latest rotation and removes the records that it replaces.
  ///
  /// - Throws: ``JobError`` if a device fails.
  func saveSnapshot() async throws(JobError)
}

/// One record of a write-ahead log: a change of an emulator's services.
package struct WriteAheadLogRecord: Hashable, Sendable {
  /// The kind of a change.
  package enum Change: Hashable, Sendable {
    /// A request was served, in the form that its router decodes again.
    case request(JSONValue)
    /// An event was processed.
    case event(ServiceEvent)
    /// The emulator's time was set ahead of the clock by a duration.
    case moved(Duration)
    /// The emulator's clock was stopped at a time, or moved to it while it stood; ``moved(_:)`` starts it again.
    case frozen(at: Timestamp)
    /// The services returned to their initial state and the time to the clock's.
    case reset
  }

  /// The emulator's time of the change.
  package var time: Timestamp
  /// The change.
  package var change: Change

  /// Creates a record of a change.
  package init(time: Timestamp, change: Change) {
    self.time = time
    self.change = change
  }
}

/// The replay of a write-ahead log, which restores the state in which it was written.
package struct EmulatorRecovery: Sendable {
  /// The emulator's state after the latest record.
  package private(set) var snapshot: EmulatorSnapshot
  /// Whether there was neither a snapshot nor a record.
  package private(set) var isFresh: Bool
  private let initial: EmulatorState

  /// Creates a recovery that starts from an initial state or a snapshot.
  ///
  /// - Parameters:
  ///   - initial: the initial state, to which a reset also returns.
  ///   - snapshot: the snapshot that precedes the first record; nil for the initial state.
  package init(_ initial: EmulatorState, from snapshot: EmulatorSnapshot? = nil) {
    self.initial = initial
    self.snapshot = snapshot ?? EmulatorSnapshot(initial)
    isFresh = snapshot == nil
  }

  /// Applies the next record.
  ///
  /// - Parameters:
  ///   - record: the record.
  ///   - serve: serves a recorded request.
  /// - Throws: the closure's error.
  package mutating func apply<Failure: Error>(
    _ record: WriteAheadLogRecord, serve: (JSONValue, inout EmulatorState, Timestamp) throws(Failure) -> Void
  ) throws(Failure) {
    isFresh = false
    snapshot.time = max(snapshot.time, record.time)
    switch record.change {
    case .request(let request): try serve(request, &snapshot.state, snapshot.time)
    case .moved(let span):
      snapshot.offset = span
      snapshot.frozenAt = nil
      snapshot.state.isHeld = false
    case .frozen(let time):
      snapshot.frozenAt = time
      snapshot.state.isHeld = true
    case .event(let event): handle(event)
    case .reset:
      snapshot = EmulatorSnapshot(initial)
      snapshot.time = record.time
    }
  }

  /// Resumes the services at a time.
  mutating func resume(at now: Timestamp) {
    snapshot.time = now
    handle(.resumed)
  }

  private mutating func handle(_ event: ServiceEvent) {
    snapshot.deliveries.note(snapshot.state.handle(event, at: snapshot.time))
  }
}
