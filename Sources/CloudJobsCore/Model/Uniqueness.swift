/// The uniqueness of a request: while a run with the same key counts, there is no second one.
///
/// It holds across instances: of any number of simultaneous requests, one creates the run. The plain `key` of a request
/// is something else: it names one run for as long as its record is kept.
public struct Uniqueness: Hashable, Sendable {
  /// The key; keys of different jobs are independent.
  public var key: String
  /// The time after its creation for which a run counts; nil means that only its status matters.
  public var window: Duration?
  /// The statuses in which a run counts.
  public var states: Set<RunStatus>
  /// What happens to a request while a run counts.
  public var onConflict: UniqueConflict

  /// The statuses of runs that have not ended.
  public static let unfinished: Set<RunStatus> = [.scheduled, .pending, .running]

  /// Creates a uniqueness.
  ///
  /// - Parameters:
  ///   - key: the key; keys of different jobs are independent.
  ///   - window: the time after its creation for which a run counts; nil means that only its status matters.
  ///   - states: the statuses in which a run counts. With final statuses, the window should be no longer than the job's
  ///     retention.
  ///   - onConflict: what happens to a request while a run counts.
  public init(
    _ key: String, within window: Duration? = nil, states: Set<RunStatus> = Uniqueness.unfinished,
    onConflict: UniqueConflict = .drop
  ) {
    self.key = key
    self.window = window
    self.states = states
    self.onConflict = onConflict
  }
}

/// What happens to a request while a run with its unique key counts.
///
/// Only a run that waits can be replaced or changed: if it executes or has ended, every case drops the request.
public enum UniqueConflict: String, Hashable, Sendable, CaseIterable {
  /// The request is dropped; the caller gets the existing run.
  case drop
  /// The existing run is cancelled, and the new one takes its place.
  case replace
  /// The existing run gets the new input, and the later of both start times: it starts once requests have paused.
  case keepLater
}

/// The holder of a unique key.
public struct UniqueLedger: Hashable, Sendable {
  /// The run.
  public var run: RunID
  /// The time of the run's creation.
  public var createdAt: Timestamp
  /// The time after which the ledger may be deleted.
  public var expireAt: Timestamp

  /// The time for which a key is kept, after its run's creation or start, if the window is no longer.
  public static let retention = Duration.days(90)

  /// Creates a holder.
  public init(run: RunID, createdAt: Timestamp, expireAt: Timestamp) {
    self.run = run
    self.createdAt = createdAt
    self.expireAt = expireAt
  }
}

extension UniqueLedger {
  init(_ reader: FieldReader) throws(JobError) {
    self.init(
      run: try reader.required("run", reader.runID("run")),
      createdAt: try reader.required("createdAt", reader.timestamp("createdAt")),
      expireAt: try reader.required("expireAt", reader.timestamp("expireAt")))
  }

  var fields: JSONValue {
    [
      "kind": "unique", "run": .string(run.rawValue), "createdAt": .string(createdAt.description),
      "expireAt": .string(expireAt.description),
    ]
  }
}
