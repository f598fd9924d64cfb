/// The decisions of one master pass, stored if at least one job was due.
public struct PassJournalEntry: Hashable, Sendable {
  /// One decision of a pass.
  public struct Line: Hashable, Sendable {
    /// The id of the job's document.
    public var job: String
    /// The time of the schedule that was due; stored as `slot`.
    public var scheduledFor: Timestamp?
    /// The decision: `run`, `queued`, `conflict`, `quarantined` or one of the skips of ``JobStatus``.
    public var verdict: String
    /// The reason for the decision.
    public var reason: String
    /// The id of the run, if any.
    public var run: RunID?

    /// Creates a line.
    public init(job: String, scheduledFor: Timestamp?, verdict: String, reason: String, run: RunID? = nil) {
      self.job = job
      self.scheduledFor = scheduledFor
      self.verdict = verdict
      self.reason = reason
      self.run = run
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

  /// Creates an entry.
  public init(id: String, time: Timestamp, owner: String, lines: [Line]) {
    self.id = id
    self.time = time
    self.owner = owner
    self.lines = lines
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
          run: try reader.runID("run")))
    }
    self.init(
      id: id, time: try reader.required("time", reader.timestamp("time")), owner: try reader.string("owner") ?? "",
      lines: lines)
  }

  /// The stored form; times are RFC 3339 text.
  public var fields: JSONValue {
    let lines = lines.map { line in
      var members: [String: JSONValue] = [
        "job": .string(line.job), "verdict": .string(line.verdict), "reason": .string(line.reason),
      ]
      members["slot"] = line.scheduledFor.map { .string($0.description) }
      members["run"] = line.run.map { .string($0.rawValue) }
      return JSONValue.object(members)
    }
    return ["time": .string(time.description), "owner": .string(owner), "lines": .array(lines)]
  }
}
