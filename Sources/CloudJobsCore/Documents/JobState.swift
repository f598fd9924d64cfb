/// A job's state as maintained by the runtime, in the map `state` of the job's document.
public struct JobState: Hashable, Sendable {
  /// The start of the latest run.
  public var lastRun: Timestamp?
  /// The time at which the master pass must next check the job; nil if it is disabled, has ended or is not run by the
  /// pass.
  public var nextRun: Timestamp?
  /// The result of the last occurrence.
  public var status: JobStatus?
  /// The number of failed attempts of the latest run.
  public var retries: Int?
  /// A counter that grows with each occurrence that a pass has processed.
  public var epoch: Int64?
  /// The id of the latest run.
  public var lastRunID: RunID?
  /// The duration of the latest attempt.
  public var lastDuration: Duration?
  /// The number of consecutive failed runs.
  public var consecutiveFailures: Int?
  /// The time until which the circuit breaker is open; nil if it is closed.
  ///
  /// Once the time has passed, the breaker is half-open.
  public var breakerOpenUntil: Timestamp?
  /// The schedule and time zone for which `nextRun` was computed, which reveals an edit.
  public var plannedFor: String?
  /// The reason why passes skip the document until it is fixed.
  public var quarantine: String?

  /// Creates an empty state.
  public init() {}
}

/// The result of a job's last occurrence.
public enum JobStatus: String, Hashable, Sendable, CaseIterable {
  /// The last run succeeded.
  case success
  /// The last run, or its latest attempt, failed.
  case failure
  /// Not run: the job is disabled.
  case skippedDisabled
  /// Not run: the job is paused.
  case skippedPaused
  /// Not run: `startAt` is in the future.
  case skippedNotStarted
  /// Not run: `endAt` has passed.
  case skippedEnded
  /// Not run: the day is in `skipDates`.
  case skippedDateExclusion
  /// Not run: a dependency has not succeeded.
  case skippedDependencyFailed
  /// Not run: the circuit breaker was open.
  case skippedBreakerOpen
  /// Not run: an earlier run was in progress.
  case skippedOverlap
  /// Not run: the occurrence was missed, and the misfire policy drops missed occurrences.
  case skippedMisfire
}

/// A change to some fields of a job's state; other fields keep their values.
///
/// The values have their stored form, and `null` removes a field, as in a JSON merge patch
/// (<https://www.rfc-editor.org/rfc/rfc7396>). Every store can apply a patch without reading the document first.
public struct JobStatePatch: Hashable, Sendable {
  /// The new values by field name; `null` removes the field.
  public private(set) var fields: [String: JSONValue] = [:]

  /// Creates an empty patch.
  public init() {}

  /// Sets or removes the start of the latest run.
  public mutating func set(lastRun time: Timestamp?) { fields["lastRun"] = Self.value(time) }
  /// Sets or removes the time of the next check.
  public mutating func set(nextRun time: Timestamp?) { fields["nextRun"] = Self.value(time) }
  /// Sets the result of the last occurrence.
  public mutating func set(status: JobStatus) { fields["status"] = .string(status.rawValue) }
  /// Sets the number of failed attempts of the latest run.
  public mutating func set(retries count: Int) { fields["retries"] = .integer(Int64(count)) }
  /// Sets the number of occurrences processed.
  public mutating func set(epoch: Int64) { fields["epoch"] = .integer(epoch) }
  /// Sets the id of the latest run.
  public mutating func set(lastRunID run: RunID) { fields["lastRunId"] = .string(run.rawValue) }
  /// Sets the duration of the latest attempt.
  public mutating func set(lastDuration span: Duration) {
    fields["lastDuration"] = .integer(span.microseconds / 1_000)
  }
  /// Sets the number of consecutive failed runs.
  public mutating func set(consecutiveFailures count: Int) { fields["consecutiveFailures"] = .integer(Int64(count)) }
  /// Sets or removes the time until which the circuit breaker is open.
  public mutating func set(breakerOpenUntil time: Timestamp?) { fields["breakerOpenUntil"] = Self.value(time) }
  /// Sets or removes the schedule for which `nextRun` was computed.
  public mutating func set(plannedFor text: String?) { fields["plannedFor"] = text.map { .string($0) } ?? .null }
  /// Sets or removes the reason for a quarantine.
  public mutating func set(quarantine reason: String?) { fields["quarantine"] = reason.map { .string($0) } ?? .null }

  private static func value(_ time: Timestamp?) -> JSONValue {
    time.map { .string($0.description) } ?? .null
  }

  /// Returns the stored state with the patch applied.
  ///
  /// - Parameter stored: the fields of the stored state; nil or any value but an object counts as empty.
  /// - Returns: an object without the removed fields.
  public func applied(to stored: JSONValue?) -> JSONValue {
    var members = stored?.object ?? [:]
    for (name, value) in fields {
      // A literal nil would remove the key; this stores the JSON value null.
      if value.isNull { members.removeValue(forKey: name) } else { members[name] = value }
    }
    return .object(members)
  }
}

extension JobState {
  /// Creates a state from the map `state` of a document.
  ///
  /// - Parameter fields: an object; `null` counts as empty.
  /// - Throws: ``JobError`` `invalidField` with the dotted path of the first invalid field.
  public init(fields: JSONValue) throws(JobError) {
    self.init()
    if fields.isNull { return }
    let reader = try FieldReader(fields, prefix: "state.", field: "state")
    lastRun = try reader.timestamp("lastRun")
    nextRun = try reader.timestamp("nextRun")
    status = try reader.choice("status", JobStatus.self)
    retries = try reader.int("retries", 0...Int.max)
    epoch = try reader.long("epoch")
    lastRunID = try reader.runID("lastRunId")
    lastDuration = try reader.long("lastDuration").map { .milliseconds($0) }
    consecutiveFailures = try reader.int("consecutiveFailures", 0...Int.max)
    breakerOpenUntil = try reader.timestamp("breakerOpenUntil")
    plannedFor = try reader.string("plannedFor")
    quarantine = try reader.string("quarantine")
  }

  /// The names of all fields of a state.
  public static let fieldNames: Set<String> = [
    "lastRun", "nextRun", "status", "retries", "epoch", "lastRunId", "lastDuration", "consecutiveFailures",
    "breakerOpenUntil", "plannedFor", "quarantine",
  ]

  /// The stored form: the fields that are set; `lastDuration` is in milliseconds.
  public var fields: JSONValue {
    var patch = JobStatePatch()
    if let lastRun { patch.set(lastRun: lastRun) }
    if let nextRun { patch.set(nextRun: nextRun) }
    if let status { patch.set(status: status) }
    if let retries { patch.set(retries: retries) }
    if let epoch { patch.set(epoch: epoch) }
    if let lastRunID { patch.set(lastRunID: lastRunID) }
    if let lastDuration { patch.set(lastDuration: lastDuration) }
    if let consecutiveFailures { patch.set(consecutiveFailures: consecutiveFailures) }
    if let breakerOpenUntil { patch.set(breakerOpenUntil: breakerOpenUntil) }
    if let plannedFor { patch.set(plannedFor: plannedFor) }
    if let quarantine { patch.set(quarantine: quarantine) }
    return .object(patch.fields)
  }
}
