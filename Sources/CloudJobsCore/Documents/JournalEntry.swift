/// What one master pass decided, kept where anything was due.
public struct JournalEntry: Hashable, Sendable {
  /// One decision of a pass.
  public struct Line: Hashable, Sendable {
    /// The job, as its document is called.
    public var job: String
    /// The moment of the schedule that was due.
    public var slot: Timestamp?
    /// What was decided: `run`, `queued`, `conflict`, `quarantined` or one of the skips of ``JobStatus``.
    public var verdict: String
    /// Why, in words.
    public var reason: String
    /// The run, where there is one.
    public var run: RunID?

    /// A line.
    public init(job: String, slot: Timestamp?, verdict: String, reason: String, run: RunID? = nil) {
      self.job = job
      self.slot = slot
      self.verdict = verdict
      self.reason = reason
      self.run = run
    }
  }

  /// The entry's own name: the pass's time and owner.
  public var id: String
  /// When the pass looked, by the store's clock.
  public var time: Timestamp
  /// Which instance it was.
  public var owner: String
  /// The decisions in their order.
  public var lines: [Line]

  /// An entry.
  public init(id: String, time: Timestamp, owner: String, lines: [Line]) {
    self.id = id
    self.time = time
    self.owner = owner
    self.lines = lines
  }
}

extension JournalEntry {
  /// Reads a stored entry.
  ///
  /// - Parameters:
  ///   - id: the document's id.
  ///   - fields: its fields, an object.
  /// - Throws: ``JobError`` `invalidField` with the field that can't be read.
  public init(id: String, fields: JSONValue) throws(JobError) {
    let reader = try FieldReader(fields)
    var lines = [Line]()
    for (index, line) in (try reader.read("lines", "a list", { $0.array }) ?? []).enumerated() {
      let reader = try FieldReader(line, prefix: "lines.\(index).", field: "lines.\(index)")
      lines.append(
        Line(
          job: try reader.string("job") ?? "", slot: try reader.timestamp("slot"),
          verdict: try reader.string("verdict") ?? "", reason: try reader.string("reason") ?? "",
          run: try reader.runID("run")))
    }
    self.init(
      id: id, time: try reader.required("time", reader.timestamp("time")), owner: try reader.string("owner") ?? "",
      lines: lines)
  }

  /// The fields; times are RFC 3339 text.
  public var fields: JSONValue {
    let lines = lines.map { line in
      var members: [String: JSONValue] = [
        "job": .string(line.job), "verdict": .string(line.verdict), "reason": .string(line.reason),
      ]
      members["slot"] = line.slot.map { .string($0.description) }
      members["run"] = line.run.map { .string($0.rawValue) }
      return JSONValue.object(members)
    }
    return ["time": .string(time.description), "owner": .string(owner), "lines": .array(lines)]
  }
}
