#if Server
import CloudJobs
import CloudJobsCore
import CloudJobsPages

/// A field of a job's document as a form shows and reads it.
struct JobField: Sendable {
  /// The form of its value.
  enum Form: Hashable, Sendable {
    /// One of some texts.
    case choice([String])
    /// `true` or `false`.
    case truth
    /// A text.
    case line
    /// A whole number.
    case number
    /// A time span.
    case span
    /// Texts, each on a line of its own.
    case lines
    /// A time span, or JSON.
    case spanOrJSON
    /// JSON.
    case json
  }

  /// The name of the field.
  let name: String
  /// The label.
  let label: String
  /// What to write.
  let hint: String
  /// The form of the value.
  let form: Form

  /// The value as the form shows it; empty for none.
  func text(of value: JSONValue?) -> String {
    guard let value else { return "" }
    switch form {
    case .span, .spanOrJSON:
      if let seconds = value.integer { return Duration.seconds(seconds).settingText }
      return value.string ?? (Self.sameSpan(value) ?? PrettyJSON.text(value))
    case .lines: return (value.array ?? []).map { $0.string ?? $0.text }.joined(separator: "\n")
    case .json: return PrettyJSON.text(value)
    case .choice, .truth, .line, .number: return value.string ?? value.text
    }
  }

  /// Returns the value of a text of the form; nil for none.
  ///
  /// - Parameter text: the text.
  /// - Returns: the value, which the document's reader checks.
  /// - Throws: ``JobError`` `malformedJSON` with the field's name.
  func value(of text: String) throws(JobError) -> JSONValue? {
    let text = Self.trimmed(text)
    if text.isEmpty { return nil }
    switch form {
    case .truth: return Bool(text).map { .bool($0) } ?? .string(text)
    case .number, .span: return Int64(text).map { .integer($0) } ?? .string(text)
    case .choice, .line: return .string(text)
    case .lines:
      let parts = text.split { $0 == "\n" || $0 == "," }.map { Self.trimmed(String($0)) }.filter { !$0.isEmpty }
      return .array(parts.map { .string($0) })
    case .spanOrJSON:
      if text.first == "{" { return try json(text) }
      return Int64(text).map { .integer($0) } ?? .string(text)
    case .json: return try json(text)
    }
  }

  private func json(_ text: String) throws(JobError) -> JSONValue {
    do throws(JobError) {
      return try JSONValue(parsing: Array(text.utf8))
    } catch {
      throw JobError(error.code, error.message, field: name)
    }
  }

  /// Returns the span that all statuses of a retention share; nil if they differ.
  private static func sameSpan(_ value: JSONValue) -> String? {
    guard let members = value.object, members.count == 3, let first = members["succeeded"]?.integer,
      members.values.allSatisfy({ $0.integer == first })
    else { return nil }
    return Duration.seconds(first).settingText
  }

  private static func trimmed(_ text: String) -> String {
    let isBlank = { (character: Character) in character.isWhitespace }
    var rest = text.drop(while: isBlank)
    while let last = rest.last, isBlank(last) { rest.removeLast() }
    return String(rest)
  }
}

extension JobField {
  /// A part of the form.
  struct Part: Sendable {
    /// The title.
    let title: String
    /// Whether the part can be folded: its fields are changed rarely.
    let isFoldable: Bool
    /// The fields.
    let fields: [JobField]

    /// Creates a part.
    init(_ title: String, isFoldable: Bool = true, fields: [JobField]) {
      (self.title, self.isFoldable, self.fields) = (title, isFoldable, fields)
    }
  }

  private static func field(_ name: String, _ label: String, _ form: Form, _ hint: String) -> JobField {
    JobField(name: name, label: label, hint: hint, form: form)
  }

  /// All fields, in parts; the first one has those that are changed often.
  static let parts: [Part] = [
    Part(
      "Often changed", isFoldable: false,
      fields: [
        field("enabled", "Enabled", .truth, "Whether the job may run."),
        field("paused", "Paused", .truth, "Whether schedules are skipped, and enqueued runs wait."),
        field("cron", "Schedule", .line, "Cron, an interval or English: 0 9 * * 1-5; goes before the interval."),
        field("interval", "Interval", .span, "Such as 30m; 1 s to 366 days."),
        field("timeZone", "Time zone", .line, "An IANA name, such as Europe/Berlin."),
        field("misfire", "Missed times", .line, "skip, once or catchUp(3)."),
        field(
          "overlap", "Overlap", .line, "While an earlier run is under way: skip, queue, allow or allow(3)."),
        field("timeout", "Time limit", .span, "Of one attempt, such as 2m; 1 s to 1 day."),
        field("maxRetries", "Retries", .number, "Attempts after the first."),
        field("priority", "Priority", .number, "Higher first among jobs that are due together."),
        field("queue", "Queue", .line, "The queue of the job's tasks."),
      ]),
    Part(
      "More about the schedule",
      fields: [
        field("type", "Kind", .choice(JobKind.allCases.map(\.rawValue)), "What triggers the job."),
        field("startAt", "From", .line, "The first day or time, such as 2026-12-01."),
        field("endAt", "Until", .line, "The last day, included."),
        field(
          "trigger", "Fired by", .choice(ScheduleTrigger.allCases.map(\.rawValue)), "What fires a scheduled job."),
        field("skipDates", "Not on", .lines, "Days, each on a line."),
      ]),
    Part(
      "More about the execution",
      fields: [
        field("weight", "Weight", .choice(JobDescriptor.Weight.allCases.map(\.rawValue)), "Where attempts execute."),
        field("retry", "Retry policy", .json, #"JSON, such as {"backoff": "linear", "delay": "30s"}."#),
        field("dependencies", "After", .lines, "Jobs whose last run must have succeeded, each on a line."),
      ]),
    Part(
      "Limits",
      fields: [
        field("maxConcurrent", "At once", .number, "Attempts of the job on all instances; 0: no limit."),
        field("group", "Group", .line, "A label of related jobs."),
        field("groupMaxConcurrent", "At once in the group", .number, "Attempts of all its jobs; 0: no limit."),
        field("rate", "Starts", .json, #"JSON, such as {"count": 100, "period": "1m"}."#),
        field("breaker", "Circuit breaker", .json, #"JSON, such as {"threshold": 5, "cooldown": "1m"}."#),
      ]),
    Part(
      "Data",
      fields: [
        field("retention", "Kept for", .spanOrJSON, #"Such as 90d, or {"failed": "90d"}."#),
        field("input", "Input", .json, "JSON, for runs that bring none."),
        field("metadata", "Metadata", .json, #"A JSON object that goes with each run, such as {"owner": "ops"}."#),
      ]),
  ]

  /// All fields.
  static let all: [JobField] = parts.flatMap(\.fields)
}

/// What a visitor typed into the form of a job's document.
struct JobDraft: Sendable {
  /// The texts by the names of the fields.
  var texts: [String: String]
  /// The version of the document that the form showed.
  var version: String
  /// Whether the confidential input of the document is given back to the code.
  var clearsInput = false

  /// Creates the draft that a document's form begins with.
  ///
  /// - Parameters:
  ///   - configuration: the document's configuration.
  ///   - hidesInput: whether the input is confidential, and is not shown.
  init(_ configuration: JobConfiguration, hidesInput: Bool) {
    let members = configuration.fields.object ?? [:]
    texts = Dictionary(uniqueKeysWithValues: JobField.all.map { ($0.name, $0.text(of: members[$0.name])) })
    if hidesInput { texts["input"] = "" }
    version = Self.version(of: configuration)
  }

  /// Reads the fields of a form.
  init(_ form: PageFields) {
    texts = Dictionary(uniqueKeysWithValues: JobField.all.map { ($0.name, form.text($0.name) ?? "") })
    version = form.text("version") ?? ""
    clearsInput = form.text("clearInput") == "true"
  }

  /// Returns the version of a configuration, by which a change in the meantime is found.
  static func version(of configuration: JobConfiguration) -> String {
    String(SHA256.hexDigest(of: configuration.fields.encoded).prefix(16))
  }

  /// Returns the changes of a document as a JSON merge patch (RFC 7396): only fields whose texts differ.
  ///
  /// - Parameters:
  ///   - configuration: the document's configuration.
  ///   - hidesInput: whether the input is confidential, and was not shown.
  /// - Returns: the patch; empty without a change.
  /// - Throws: ``JobError`` with the field's name for JSON that can't be parsed.
  func patch(of configuration: JobConfiguration, hidesInput: Bool) throws(JobError) -> [String: JSONValue] {
    let shown = JobDraft(configuration, hidesInput: hidesInput)
    var patch: [String: JSONValue] = [:]
    for field in JobField.all {
      let text = texts[field.name] ?? ""
      if text == shown.texts[field.name] { continue }
      let value = try field.value(of: text)
      if value == nil, shown.texts[field.name]?.isEmpty ?? true { continue }
      patch[field.name] = value ?? .null
    }
    if hidesInput, clearsInput, patch["input"] == nil { patch["input"] = .null }
    return patch
  }
}
#endif
