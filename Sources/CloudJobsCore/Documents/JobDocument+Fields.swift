extension JobDocument {
  /// Reads a stored document.
  ///
  /// Dates may be RFC 3339 text (as Firestore's REST face gives timestamps), bare days or epoch milliseconds; numbers
  /// may be integral floats. Members that are not known are left alone.
  ///
  /// - Parameters:
  ///   - id: the document's id.
  ///   - fields: its fields, an object.
  /// - Throws: ``JobError`` `invalidField` with the dotted path of the first field that can't be read.
  public init(id: JobID, fields: JSONValue) throws(JobError) {
    self.init(
      id: id, configuration: try JobConfiguration(fields: fields),
      state: try fields["state"].map { (state) throws(JobError) in try JobState(fields: state) } ?? JobState())
  }

  /// The document's fields: the configuration's, and the state in the member `state`.
  public var fields: JSONValue {
    var members = configuration.fields.object ?? [:]
    members["state"] = state.fields
    return .object(members)
  }
}

extension JobConfiguration {
  /// Reads the configuration out of a document's fields.
  ///
  /// - Parameter fields: an object.
  /// - Throws: ``JobError`` `invalidField` with the name of the first field that can't be read.
  public init(fields: JSONValue) throws(JobError) {
    let reader = try FieldReader(fields)
    self.init()
    type = try reader.choice("type", JobKind.self)
    enabled = try reader.bool("enabled")
    cron = try reader.string("cron")
    interval = try reader.span("interval", seconds: 1...31_622_400)
    timeZone = try reader.string("timeZone")
    startAt = try reader.moment("startAt")
    endAt = try reader.moment("endAt")
    skipDates = try reader.moments("skipDates")
    dependencies = try reader.jobIDs("dependencies")
    priority = try reader.int("priority", -1_000_000...1_000_000)
    maxRetries = try reader.int("maxRetries", 0...1_000_000)
    timeout = try reader.span("timeout", seconds: 1...86_400)
    group = try reader.string("group")
    misfire = try reader.read("misfire", "skip, once or catchUp(k)") { $0.string.flatMap { MisfirePolicy($0) } }
    overlap = try reader.choice("overlap", OverlapPolicy.self)
    trigger = try reader.choice("trigger", ScheduleTrigger.self)
    queue = try reader.string("queue")
    metadata = try reader.read("metadata", "an object") { $0.object }
  }

  /// The fields that are set.
  public var fields: JSONValue {
    var members = [String: JSONValue]()
    members["type"] = type.map { .string($0.rawValue) }
    members["enabled"] = enabled.map { .bool($0) }
    members["cron"] = cron.map { .string($0) }
    members["interval"] = interval.map(\.field)
    members["timeZone"] = timeZone.map { .string($0) }
    members["startAt"] = startAt.map(\.field)
    members["endAt"] = endAt.map(\.field)
    members["skipDates"] = skipDates.map { .array($0.map(\.field)) }
    members["dependencies"] = dependencies.map { .array($0.map { .string($0.rawValue) }) }
    members["priority"] = priority.map { .integer(Int64($0)) }
    members["maxRetries"] = maxRetries.map { .integer(Int64($0)) }
    members["timeout"] = timeout.map(\.field)
    members["group"] = group.map { .string($0) }
    members["misfire"] = misfire.map { .string($0.text) }
    members["overlap"] = overlap.map { .string($0.rawValue) }
    members["trigger"] = trigger.map { .string($0.rawValue) }
    members["queue"] = queue.map { .string($0) }
    members["metadata"] = metadata.map { .object($0) }
    return .object(members)
  }

  /// The names of all fields that a configuration may set, as they stand in a document.
  public static let fieldNames: Set<String> = [
    "type", "enabled", "cron", "interval", "timeZone", "startAt", "endAt", "skipDates", "dependencies", "priority",
    "maxRetries", "timeout", "group", "misfire", "overlap", "trigger", "queue", "metadata",
  ]

  /// The stored document after its configuration is replaced by this one.
  ///
  /// Each field of ``fieldNames`` gets this configuration's value or is removed. The state stays, and so does whatever
  /// else the document has: other programs may keep members of their own in it.
  ///
  /// - Parameter stored: the document's fields as stored; nil or no object counts as empty.
  /// - Returns: the document's fields, an object.
  public func replacing(in stored: JSONValue?) -> JSONValue {
    var members = (stored?.object ?? [:]).filter { !Self.fieldNames.contains($0.key) }
    members.merge(fields.object ?? [:]) { _, new in new }
    return .object(members)
  }
}

extension Duration {
  /// The span as a number of seconds, or as an interval's text where it has a part of a second.
  var field: JSONValue {
    let (seconds, rest) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
    return rest == 0 ? .integer(seconds) : .string(IntervalText.text(microseconds: microseconds))
  }
}

extension CalendarMoment {
  /// The moment as text: `YYYY-MM-DD`, or RFC 3339.
  var field: JSONValue {
    switch self {
    case .day(let date): .string(date.description)
    case .instant(let time): .string(time.description)
    }
  }
}
