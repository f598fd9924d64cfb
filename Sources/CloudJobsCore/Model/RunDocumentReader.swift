/// A reader for the documents of runs in the form that ``Run/document`` writes, without a tree of values in between.
///
/// A worker reads a document for each run that it claims. Any other form, valid or not, is left to ``FieldReader``,
/// whose errors name the fields.
enum RunDocumentReader {
  /// Reads a document; nil if it has another form.
  static func read(_ document: [UInt8], id: RunID) -> RunContent? {
    let limits = JSONLimits(bytes: .max, depth: 512)
    return try? JSONParser.parse(document, limits: limits) { (parser) throws(JobError) -> RunContent in
      guard try parser.nextByte() == UInt8(ascii: "{") else { throw parser.otherForm }
      var content = RunContent(
        id: id, job: "none", trigger: .task, input: nil, status: .pending, maxAttempts: 0, scheduledFor: nil,
        notBefore: .distantPast, createdAt: .distantPast)
      var previous = ""
      var required = 0
      try parser.object(depth: 0) { (parser, span) throws(JobError) in
        let name = parser.string(span)
        // In ascending order no name occurs twice.
        guard previous < name, try parser.readField(name, into: &content, &required) else { throw parser.otherForm }
        previous = name
      }
      guard required == 6 else { throw parser.otherForm }
      return content
    }
  }
}

extension JSONParser {
  fileprivate var otherForm: JobError { fault("the document has another form") }

  /// Reads the value of a field.
  ///
  /// - Parameters:
  ///   - name: the field's name.
  ///   - content: takes in the value.
  ///   - required: the number of required fields that were read.
  /// - Returns: false if no field has the name.
  /// - Throws: ``JobError`` if the value has another form.
  fileprivate mutating func readField(
    _ name: String, into content: inout RunContent, _ required: inout Int
  ) throws(JobError) -> Bool {
    switch name {
    case "job": content.job = try JobID(text())
    case "trigger": content.trigger = try choice()
    case "status": content.status = try choice()
    case "maxAttempts": content.maxAttempts = try count(from: 1)
    case "notBefore": content.notBefore = try time()
    case "createdAt": content.createdAt = try time()
    default: return try readOptionalField(name, into: &content)
    }
    required += 1
    return true
  }

  private mutating func readOptionalField(_ name: String, into content: inout RunContent) throws(JobError) -> Bool {
    switch name {
    case "after": content.prerequisites = try runIDs()
    case "afterFailure": content.failedPrerequisite = try choice()
    case "amendments": content.amendments = try integer()
    case "attempt": content.attempt = try count()
    case "attemptLimit": content.attemptLimit = try count(from: 1)
    case "attemptStartedAt": content.attemptStartedAt = try time()
    case "awaiting": content.awaiting = try RunID(text())
    case "cancellation": content.cancellation = try text()
    case "continuations": content.continuations = try count()
    case "correlationId": content.correlationID = try text()
    case "dependents": content.dependents = try runIDs()
    case "earlierAttempts": content.earlierAttempts = try RunAttempt.list(try value(depth: 1))
    case "expireAt": content.expireAt = try time()
    case "failures": content.failures = try count()
    case "fence": content.fence = try integer()
    case "finishedAt": content.finishedAt = try time()
    case "handoffs": content.reenqueues = try count()
    case "losses": content.losses = try count()
    case "parent": content.parent = try RunID(text())
    case "priority": content.priority = try count(from: .min)
    case "queue": content.queue = try text()
    case "reason": content.reason = try text()
    case "scheduledFor": content.scheduledFor = try time()
    case "startedAt": content.startedAt = try time()
    case "uniqueKey": content.uniqueKey = try text()
    case "wakeAt": content.wakeAt = try time()
    case "lease": content.lease = try Lease(fields: try value(depth: 1))
    case "error": content.failure = try RunFailure(fields: try value(depth: 1))
    default: return false
    }
    return true
  }

  private mutating func text() throws(JobError) -> String {
    guard try nextByte() == UInt8(ascii: "\"") else { throw otherForm }
    return string(try scanString())
  }

  private mutating func choice<Choice: RawRepresentable>() throws(JobError) -> Choice where Choice.RawValue == String {
    guard let choice = Choice(rawValue: try text()) else { throw otherForm }
    return choice
  }

  private mutating func integer() throws(JobError) -> Int64 {
    _ = try nextByte()
    guard case .integer(let value) = try number() else { throw otherForm }
    return value
  }

  private mutating func count(from least: Int = 0) throws(JobError) -> Int {
    guard let count = Int(exactly: try integer()), count >= least else { throw otherForm }
    return count
  }

  private mutating func time() throws(JobError) -> Timestamp {
    guard try nextByte() == UInt8(ascii: "\"") else { throw otherForm }
    let span = try scanString()
    guard let time = Timestamp(commonForm: UnsafeBufferPointer(rebasing: input[span.start..<span.end])) else {
      throw otherForm
    }
    return time
  }

  private mutating func runIDs() throws(JobError) -> [RunID] {
    var ids: [RunID] = []
    guard try nextByte() == UInt8(ascii: "[") else { throw otherForm }
    try array(depth: 1) { (parser) throws(JobError) in ids.append(try RunID(parser.text())) }
    return ids
  }
}
