/// The decisions of one master pass, of one delivery or of one change of a job's plan, stored if a run alone does not
/// tell them; or an action of an operator.
public struct PassJournalEntry: Hashable, Sendable {
  /// One decision about a job.
  public struct Line: Hashable, Sendable {
    /// The id of the job's document.
    public var job: String
    /// The time of the schedule that was due; stored as `slot`.
    public var scheduledFor: Timestamp?
    /// The decision: one of ``Verdict``, or one of the skips of ``JobStatus``.
    public var verdict: String
    /// The reason for the decision.
    public var reason: String
    /// The id of the run, if any.
    public var run: RunID?
    /// The earlier times that the decision covers, because they were missed; nil for none.
    public var missed: MissedTimes?
    /// The plan after the decision; nil if the decision left it to the next one.
    public var plan: JobPlan?

    /// Creates a line.
    public init(
      job: String, scheduledFor: Timestamp?, verdict: String, reason: String, run: RunID? = nil,
      missed: MissedTimes? = nil, plan: JobPlan? = nil
    ) {
      self.job = job
      self.scheduledFor = scheduledFor
      self.verdict = verdict
      self.reason = reason
      self.run = run
      self.missed = missed
      self.plan = plan
    }
  }

  /// A decision other than a skip.
  public enum Verdict: String, Hashable, Sendable, CaseIterable {
    /// A run was created and claimed.
    case run
    /// A run was created, and waits.
    case queued
    /// A missed time waits for the run of an earlier one; the job stays due.
    case waiting
    /// Another trigger had created the run of this time already.
    case duplicate
    /// Another pass or an edit was faster.
    case conflict
    /// The store was unavailable; the job stays due.
    case unavailable
    /// The job's document is invalid, and is set aside.
    case quarantined
    /// The job was planned, or planned again after an edit.
    case planned
    /// The job has no next time any more.
    case unplanned
    /// The job's document was removed.
    case removed
    /// An operator did something, which ``Line/reason`` tells.
    case action
  }

  /// The name that the first line of an operator's action has in place of a job's.
  ///
  /// By it a store finds all actions as it finds the decisions about a job. It is no valid id of a job.
  public static let operatorName = "@operator"

  /// Times of a schedule that nothing had looked at when the next one was due already.
  public struct MissedTimes: Hashable, Sendable {
    /// The earliest of them.
    public var since: Timestamp
    /// The policy by which they were treated.
    public var policy: MisfirePolicy

    /// Creates missed times.
    public init(since: Timestamp, policy: MisfirePolicy) {
      self.since = since
      self.policy = policy
    }
  }

  /// The schedule of a job as it was planned.
  public struct JobPlan: Hashable, Sendable {
    /// The next time; nil if the job is not planned.
    public var nextRun: Timestamp?
    /// The text of the ``PlanKey``; nil without a schedule.
    public var schedule: String?
    /// The text of the key for which the job was planned before; nil if it was not planned.
    public var replaced: String?

    /// Creates a plan.
    public init(nextRun: Timestamp?, schedule: String?, replaced: String? = nil) {
      self.nextRun = nextRun
      self.schedule = schedule
      self.replaced = replaced
    }
  }

  /// The entry's id, made of the pass's time and owner.
  public var id: String
  /// The time of the pass, by the store's clock.
  public var time: Timestamp
  /// The name of the instance that ran the pass.
  public var owner: String
  /// The decisions in order.
  public var lines: [Line]
  /// The name of the operator whose action it tells; nil for decisions.
  public var actor: String?

  /// Creates an entry.
  public init(id: String, time: Timestamp, owner: String, lines: [Line], actor: String? = nil) {
    self.id = id
    self.time = time
    self.owner = owner
    self.lines = lines
    self.actor = actor
  }
}

extension PassJournalEntry {
  /// Creates an entry from a stored document.
  ///
  /// - Parameters:
  ///   - id: the document's id.
  ///   - fields: the document's fields, an object.
  /// - Throws: ``JobError`` `invalidField` with the invalid field.
  public init(id: String, fields: JSONValue) throws(JobError) {
    let reader = try FieldReader(fields)
    var lines = [Line]()
    for (index, line) in (try reader.read("lines", "a list", { $0.array }) ?? []).enumerated() {
      let reader = try FieldReader(line, prefix: "lines.\(index).", field: "lines.\(index)")
      lines.append(
        Line(
          job: try reader.string("job") ?? "", scheduledFor: try reader.timestamp("slot"),
          verdict: try reader.string("verdict") ?? "", reason: try reader.string("reason") ?? "",
          run: try reader.runID("run"), missed: try MissedTimes(reader), plan: try JobPlan(reader)))
    }
    self.init(
      id: id, time: try reader.required("time", reader.timestamp("time")), owner: try reader.string("owner") ?? "",
      lines: lines, actor: try reader.string("actor"))
  }

  /// The stored form; times are RFC 3339 text.
  public var fields: JSONValue {
    let lines = lines.map { line in
      var members: [String: JSONValue] = [
        "job": .string(line.job), "verdict": .string(line.verdict), "reason": .string(line.reason),
      ]
      members["slot"] = line.scheduledFor.map { .string($0.description) }
      members["run"] = line.run.map { .string($0.rawValue) }
      if let missed = line.missed {
        members["missedSince"] = .string(missed.since.description)
        members["misfire"] = .string(missed.policy.text)
      }
      if let plan = line.plan {
        members["nextRun"] = plan.nextRun.map { .string($0.description) } ?? .null
        members["plannedFor"] = plan.schedule.map { .string($0) }
        members["replaced"] = plan.replaced.map { .string($0) }
      }
      return JSONValue.object(members)
    }
    // By these the store finds the entries of a job.
    let jobs = Set(self.lines.map(\.job)).sorted().map { JSONValue.string($0) }
    var members: [String: JSONValue] = [
      "time": .string(time.description), "owner": .string(owner), "jobs": .array(jobs), "lines": .array(lines),
    ]
    members["actor"] = actor.map { .string($0) }
    return .object(members)
  }
}

extension PassJournalEntry.MissedTimes {
  /// Reads the members of a line; nil if it covers no missed times.
  fileprivate init?(_ reader: FieldReader) throws(JobError) {
    guard let since = try reader.timestamp("missedSince") else { return nil }
    let policy = try reader.read("misfire", "skip, once or catchUp(n)") { $0.string.flatMap { MisfirePolicy($0) } }
    self.init(since: since, policy: policy ?? .once)
  }
}

extension PassJournalEntry.JobPlan {
  /// Reads the members of a line; nil if it has no plan.
  fileprivate init?(_ reader: FieldReader) throws(JobError) {
    guard reader.members["nextRun"] != nil else { return nil }
    self.init(
      nextRun: try reader.timestamp("nextRun"), schedule: try reader.string("plannedFor"),
      replaced: try reader.string("replaced"))
  }
}
