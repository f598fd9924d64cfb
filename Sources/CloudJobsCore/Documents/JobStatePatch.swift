/// A change to some fields of a job's state; what it does not name stays as it is.
///
/// The values are those of the stored form, and `null` removes a field: a JSON merge patch
/// (<https://www.rfc-editor.org/rfc/rfc7396>), which every store can apply without reading first.
public struct JobStatePatch: Hashable, Sendable {
  /// The new values by field name; `null` removes the field.
  public private(set) var fields: [String: JSONValue] = [:]

  /// A patch that changes nothing.
  public init() {}

  /// Sets or removes the start of the latest run.
  public mutating func set(lastRun time: Timestamp?) { fields["lastRun"] = Self.value(time) }
  /// Sets or removes the time of the next look.
  public mutating func set(nextRun time: Timestamp?) { fields["nextRun"] = Self.value(time) }
  /// Sets how the last occasion went.
  public mutating func set(status: JobStatus) { fields["status"] = .string(status.rawValue) }
  /// Sets the failed attempts of the latest run.
  public mutating func set(retries count: Int) { fields["retries"] = .integer(Int64(count)) }
  /// Sets the count of occasions dealt with.
  public mutating func set(epoch: Int64) { fields["epoch"] = .integer(epoch) }
  /// Sets the latest run.
  public mutating func set(lastRunID run: RunID) { fields["lastRunId"] = .string(run.rawValue) }
  /// Sets how long the latest attempt took.
  public mutating func set(lastDuration span: Duration) {
    fields["lastDuration"] = .integer(span.microseconds / 1_000)
  }
  /// Sets the runs that failed in a row.
  public mutating func set(consecutiveFailures count: Int) { fields["consecutiveFailures"] = .integer(Int64(count)) }
  /// Sets or removes what `nextRun` was computed for.
  public mutating func set(plannedFor text: String?) { fields["plannedFor"] = text.map { .string($0) } ?? .null }
  /// Sets or removes the reason of a quarantine.
  public mutating func set(quarantine reason: String?) { fields["quarantine"] = reason.map { .string($0) } ?? .null }

  private static func value(_ time: Timestamp?) -> JSONValue {
    time.map { .string($0.description) } ?? .null
  }

  /// The stored state after the change.
  ///
  /// - Parameter stored: the fields of the state as stored; nil or no object counts as empty.
  /// - Returns: an object without the removed fields.
  public func applied(to stored: JSONValue?) -> JSONValue {
    var members = stored?.object ?? [:]
    for (name, value) in fields {
      // A literal nil would mean the JSON value null here.
      if value.isNull { members.removeValue(forKey: name) } else { members[name] = value }
    }
    return .object(members)
  }
}

extension JobState {
  /// Reads the map `state` of a document.
  ///
  /// - Parameter fields: an object; `null` counts as empty.
  /// - Throws: ``JobError`` `invalidField` with the dotted path of the first field that can't be read.
  public init(fields: JSONValue) throws(JobError) {
    self.init()
    if fields.isNull { return }
    let reader = try FieldReader(fields, prefix: "state.", field: "state")
    lastRun = try reader.timestamp("lastRun")
    nextRun = try reader.timestamp("nextRun")
    // The predecessor's runtime has a status that nothing here sets; a job of that status is like one that never ran.
    if reader.value("status")?.string != "skippedBreakerOpen" {
      status = try reader.choice("status", JobStatus.self)
    }
    retries = try reader.int("retries", 0...Int.max)
    epoch = try reader.long("epoch")
    lastRunID = try reader.runID("lastRunId")
    lastDuration = try reader.long("lastDuration").map { .milliseconds($0) }
    consecutiveFailures = try reader.int("consecutiveFailures", 0...Int.max)
    plannedFor = try reader.string("plannedFor")
    quarantine = try reader.string("quarantine")
  }

  /// The names of all fields of a state.
  public static let fieldNames: Set<String> = [
    "lastRun", "nextRun", "status", "retries", "epoch", "lastRunId", "lastDuration", "consecutiveFailures",
    "plannedFor", "quarantine",
  ]

  /// The fields that are set; `lastDuration` is in milliseconds.
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
    if let plannedFor { patch.set(plannedFor: plannedFor) }
    if let quarantine { patch.set(quarantine: quarantine) }
    return .object(patch.fields)
  }
}
