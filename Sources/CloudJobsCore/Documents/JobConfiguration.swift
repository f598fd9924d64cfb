/// The settings in a job's document; a nil setting falls back to the definition in code.
public struct JobConfiguration: Hashable, Sendable {
  /// The kind of trigger.
  public var type: JobKind?
  /// Whether the job may run.
  public var enabled: Bool?
  /// Whether the job is paused.
  public var paused: Bool?
  /// The schedule: a cron expression or another supported form.
  public var cron: String?
  /// The interval of a periodic job.
  public var interval: Duration?
  /// The IANA name of the time zone.
  public var timeZone: String?
  /// The earliest time or day on which the job may run.
  public var startAt: CalendarMoment?
  /// The last day on which the job may run, inclusive.
  public var endAt: CalendarMoment?
  /// Days on which the job does not run.
  public var skipDates: [CalendarMoment]?
  /// Jobs whose last run must have succeeded.
  public var dependencies: [JobID]?
  /// The order among jobs that are due: higher first.
  public var priority: Int?
  /// The maximum number of attempts after the first.
  public var maxRetries: Int?
  /// The retry policy; `maxRetries` takes precedence over its number of attempts.
  public var retry: RetryOverride?
  /// The time limit of one attempt.
  public var timeout: Duration?
  /// The retention of runs after their end.
  public var retention: RetentionOverride?
  /// The load that an attempt puts on a processor.
  public var weight: JobDescriptor.Weight?
  /// A label shared by related jobs.
  public var group: String?
  /// The policy for missed occurrences.
  public var misfire: MisfirePolicy?
  /// The policy for overlapping runs.
  public var overlap: OverlapPolicy?
  /// The circuit breaker; a threshold of 0 switches it off.
  public var breaker: CircuitBreaker?
  /// The maximum number of the job's attempts at once, across all instances; 0 means no limit.
  public var maxConcurrent: Int?
  /// The maximum number of the job's starts in a period; a count of 0 means no limit.
  public var rate: RateLimit?
  /// The maximum number of attempts at once of all jobs in the group; 0 means no limit.
  public var groupMaxConcurrent: Int?
  /// The trigger of a job of the kind `scheduled`.
  public var trigger: ScheduleTrigger?
  /// The queue for the job's tasks.
  public var queue: String?
  /// The input of runs that bring none, such as those of a schedule.
  public var input: JSONValue?
  /// Data that goes with each run of the job; a member goes before the definition's.
  public var metadata: [String: JSONValue]?

  /// Creates a configuration that overrides nothing.
  public init() {}
}

extension JobConfiguration {
  /// Creates a configuration from a document's fields.
  ///
  /// - Parameter fields: the document's fields, an object.
  /// - Throws: ``JobError`` `invalidField` with the name of the first invalid field.
  public init(fields: JSONValue) throws(JobError) {
    let reader = try FieldReader(fields)
    self.init()
    type = try reader.choice("type", JobKind.self)
    enabled = try reader.bool("enabled")
    paused = try reader.bool("paused")
    cron = try reader.string("cron")
    interval = try reader.span("interval", seconds: 1...31_622_400)
    timeZone = try reader.string("timeZone")
    startAt = try reader.calendarMoment("startAt")
    endAt = try reader.calendarMoment("endAt")
    skipDates = try reader.calendarMoments("skipDates")
    dependencies = try reader.jobIDs("dependencies")
    priority = try reader.int("priority", -1_000_000...1_000_000)
    maxRetries = try reader.int("maxRetries", 0...1_000_000)
    retry = try reader.value("retry").map { (value) throws(JobError) in try RetryOverride(fields: value) }
    timeout = try reader.span("timeout", seconds: 1...86_400)
    retention = try reader.value("retention").map { (value) throws(JobError) in
      try RetentionOverride(field: value, in: reader)
    }
    weight = try reader.choice("weight", JobDescriptor.Weight.self)
    group = try reader.string("group")
    misfire = try reader.read("misfire", "skip, once or catchUp(k)") { $0.string.flatMap { MisfirePolicy($0) } }
    maxConcurrent = try reader.int("maxConcurrent", 0...JobLimit.maximumConcurrent)
    if let count = OverlapPolicy.allowedCount(members: reader.members) {
      overlap = .allow
      maxConcurrent = maxConcurrent ?? count
    } else {
      overlap = try reader.choice("overlap", OverlapPolicy.self)
    }
    breaker = try reader.value("breaker").map { (value) throws(JobError) in try CircuitBreaker(fields: value) }
    rate = try reader.value("rate").map { (value) throws(JobError) in try RateLimit(fields: value) }
    groupMaxConcurrent = try reader.int("groupMaxConcurrent", 0...JobLimit.maximumConcurrent)
    trigger = try reader.choice("trigger", ScheduleTrigger.self)
    queue = try reader.string("queue")
    input = reader.value("input")
    metadata = try reader.read("metadata", "an object") { $0.object }
  }

  /// The stored form: the fields that are set.
  public var fields: JSONValue {
    var members = [String: JSONValue]()
    members["type"] = type.map { .string($0.rawValue) }
    members["enabled"] = enabled.map { .bool($0) }
    members["paused"] = paused.map { .bool($0) }
    members["cron"] = cron.map { .string($0) }
    members["interval"] = interval.map(\.field)
    members["timeZone"] = timeZone.map { .string($0) }
    members["startAt"] = startAt.map(\.field)
    members["endAt"] = endAt.map(\.field)
    members["skipDates"] = skipDates.map { .array($0.map(\.field)) }
    members["dependencies"] = dependencies.map { .array($0.map { .string($0.rawValue) }) }
    members["priority"] = priority.map { .integer(Int64($0)) }
    members["maxRetries"] = maxRetries.map { .integer(Int64($0)) }
    members["retry"] = retry.map(\.field)
    members["timeout"] = timeout.map(\.field)
    members["retention"] = retention.map(\.field)
    members["weight"] = weight.map { .string($0.rawValue) }
    members["group"] = group.map { .string($0) }
    members["misfire"] = misfire.map { .string($0.text) }
    members["overlap"] = overlap.map { .string($0.rawValue) }
    members["breaker"] = breaker.map(\.field)
    members["maxConcurrent"] = maxConcurrent.map { .integer(Int64($0)) }
    members["rate"] = rate.map(\.field)
    members["groupMaxConcurrent"] = groupMaxConcurrent.map { .integer(Int64($0)) }
    members["trigger"] = trigger.map { .string($0.rawValue) }
    members["queue"] = queue.map { .string($0) }
    members["input"] = input
    members["metadata"] = metadata.map { .object($0) }
    return .object(members)
  }

  /// The names of all fields of a configuration in a document.
  public static let fieldNames: Set<String> = [
    "type", "enabled", "paused", "cron", "interval", "timeZone", "startAt", "endAt", "skipDates", "dependencies",
    "priority", "maxRetries", "retry", "timeout", "retention", "weight", "group", "misfire", "overlap", "breaker",
    "trigger", "queue", "input", "metadata", "maxConcurrent", "rate", "groupMaxConcurrent",
  ]

  /// Returns a stored document with its configuration replaced by this one.
  ///
  /// Each field in ``fieldNames`` is set to this configuration's value or removed. The state and all other members are
  /// kept: other programs may keep their own members in the document.
  ///
  /// - Parameter stored: the document's fields as stored; nil or any value but an object counts as empty.
  /// - Returns: the document's fields, an object.
  public func replacing(in stored: JSONValue?) -> JSONValue {
    var members = (stored?.object ?? [:]).filter { !Self.fieldNames.contains($0.key) }
    members.merge(fields.object ?? [:]) { _, new in new }
    return .object(members)
  }
}

extension JobConfiguration {
  /// A field of a document that the runtime does not recognize.
  public struct UnknownField: Hashable, Sendable {
    /// The field's name.
    public var name: String
    /// The name of the field that was probably intended; nil if no field has a similar name.
    public var suggestion: String?
  }

  /// Synonyms of the fields of a document, in lower case and without separators.
  private static let synonyms: [String: String] = [
    "schedule": "cron", "crontab": "cron", "cronexpression": "cron", "every": "interval", "intervals": "interval",
    "intervalseconds": "interval", "frequency": "interval", "period": "interval", "tz": "timeZone",
    "zone": "timeZone", "disabled": "enabled", "active": "enabled", "isenabled": "enabled", "start": "startAt",
    "end": "endAt", "skip": "skipDates", "skipdays": "skipDates", "depends": "dependencies",
    "dependson": "dependencies", "retries": "maxRetries", "maxattempts": "maxRetries", "timeoutseconds": "timeout",
    "kind": "type", "misfires": "misfire", "overlaps": "overlap", "circuitbreaker": "breaker",
    "retrypolicy": "retry", "backoff": "retry", "keep": "retention", "ttl": "retention",
    "concurrency": "maxConcurrent", "maxconcurrency": "maxConcurrent", "ratelimit": "rate",
  ]

  /// Returns the unrecognized fields of a stored document, sorted by name.
  ///
  /// A misspelled field is the usual reason why an edit has no effect. Unrecognized fields are not an error because
  /// other programs may keep their own fields in a document.
  ///
  /// - Parameter fields: the document's fields.
  /// - Returns: the first 20 such fields, each with the name that was probably intended.
  public static func unknownFields(of fields: JSONValue) -> [UnknownField] {
    (fields.object ?? [:]).keys.filter { !fieldNames.contains($0) && $0 != "state" }.sorted().prefix(20).map { name in
      let plain = name.withoutCaseAndSeparators
      let known = fieldNames.first { $0.lowercased() == plain } ?? synonyms[plain]
      return UnknownField(name: name, suggestion: known ?? name.oneSlip(from: fieldNames))
    }
  }
}

extension String {
  /// Returns a name in lower case and without separators, the form in which names are compared.
  var withoutCaseAndSeparators: String { lowercased().filter { $0 != "_" && $0 != "-" && $0 != " " } }

  /// Returns the only name of a set that differs from this one by one inserted, missing, wrong or transposed letter;
  /// nil if there is none or more than one.
  ///
  /// Names of fewer than five letters are excluded because too many words resemble them.
  func oneSlip(from names: Set<String>) -> String? {
    let candidates = names.filter { $0.utf8.count >= 5 && isOneSlip(from: $0) }
    return candidates.count == 1 ? candidates.first : nil
  }

  private func isOneSlip(from right: String) -> Bool {
    let (mine, theirs) = (Array(utf8), Array(right.utf8))
    guard abs(mine.count - theirs.count) <= 1, mine != theirs else { return false }
    let start = zip(mine, theirs).prefix { $0 == $1 }.count
    let (rest, others) = (mine[start...], theirs[start...])
    if rest.count > others.count { return rest.dropFirst() == others }
    if rest.count < others.count { return rest == others.dropFirst() }
    if rest.dropFirst() == others.dropFirst() { return true }
    return rest.prefix(2).elementsEqual(others.prefix(2).reversed()) && rest.dropFirst(2) == others.dropFirst(2)
  }
}
