/// Tells the forms of a body apart, and reads the forms that name their job themselves.
struct EnvelopeReader {
  let headers: EnvelopeHeaders
  /// The job that the path names, where it does.
  let named: JobID?
  let limits: EnvelopeLimits

  /// Reads a body, whatever form it has.
  func contents(of body: [UInt8]) throws(JobError) -> EnvelopeContents {
    if let event = try CloudEvent.announced(by: headers, body: body, limits: limits) {
      return try contents(of: event)
    }
    guard let first = Self.firstByte(of: body) else {
      guard named == nil else { return EnvelopeContents() }
      throw JobError(
        .malformedEnvelope, "The body is empty. Send {\"jobId\": \"<a registered job>\", \"payload\": {…}}.",
        field: "body")
    }
    guard first == UInt8(ascii: "{") else {
      let text = try payload(body, at: "body")
      guard named == nil else { return EnvelopeContents(payload: text) }
      throw JobError(
        .malformedEnvelope,
        "The body is \(text.value.kind), not an object. Send {\"jobId\": \"<a registered job>\", \"payload\": {…}}.",
        field: "body")
    }
    let object = try EnvelopeObject(body, at: "", limits: limits.body)
    if named != nil {
      if Self.isPush(object) { return try pushContents(of: object) }
      return EnvelopeContents(payload: try payload(body, at: "body"))
    }
    if let contents = try ownContents(of: object) { return contents }
    if object.has("specversion") { return try contents(of: CloudEvent(structured: object, limits: limits)) }
    if object.has("message") { return try pushContents(of: object) }
    throw Self.noJob(at: "jobId", object)
  }

  /// Whether an object has all that marks a Pub/Sub push, so that a payload with a member `message` is not taken for
  /// one.
  private static func isPush(_ object: EnvelopeObject) -> Bool {
    guard object.has("subscription"), let message = try? object.object("message") else { return false }
    return message.has("messageId") || message.has("message_id")
  }

  /// Reads the native form or a task descriptor; nil where the object is neither.
  func ownContents(of object: EnvelopeObject) throws(JobError) -> EnvelopeContents? {
    switch (object.has("jobId"), object.has("taskType")) {
    case (true, true):
      throw JobError(
        .malformedEnvelope, "The envelope names its job twice, by jobId and by taskType. Send one of them.",
        field: object.place(of: "taskType"))
    case (true, false): return try nativeContents(of: object)
    case (false, true): return try descriptorContents(of: object)
    case (false, false): return nil
    }
  }

  private func nativeContents(of object: EnvelopeObject) throws(JobError) -> EnvelopeContents {
    try EnvelopeMembers.check(object)
    var contents = EnvelopeContents(job: try job("jobId", of: object))
    if let text = try object.text("key") {
      guard !object.has("runId") else {
        throw JobError(
          .invalidField, "The envelope names its work twice, by key and by runId. Send one of them.",
          field: object.place(of: "key"))
      }
      contents.key = try key(text, at: object.place(of: "key"))
    } else if let text = try object.text("runId") {
      if let run = try? RunID(text) {
        contents.run = run
      } else {
        contents.key = try key(text, at: object.place(of: "runId"))
      }
    }
    contents.attempt = try object.integer("attempt", in: 1...limits.attempt).map { Int($0) }
    contents.start = try start(of: object)
    contents.correlationID = try correlationID(of: object)
    contents.payload = try object.payload(limits: limits)
    return contents
  }

  /// Reads `delay` or `notBefore`.
  private func start(of object: EnvelopeObject) throws(JobError) -> DeliveryStart? {
    if let value = try object.value(of: "delay") {
      guard !object.has("notBefore") else {
        throw JobError(
          .invalidField, "The envelope names its start twice, by delay and by notBefore. Send one of them.",
          field: object.place(of: "delay"))
      }
      guard let delay = IntervalText.duration(of: value), delay <= EnvelopeMembers.longestDelay else {
        throw JobError(
          .invalidField, "Expected a delay such as \"90s\", \"1h30m\" or a number of seconds, at most 366 days.",
          field: object.place(of: "delay"))
      }
      return .after(delay)
    }
    guard let text = try object.text("notBefore") else { return nil }
    guard let time = Timestamp(rfc3339: text) else {
      throw JobError(
        .invalidField, "Expected a time of RFC 3339, such as 2026-11-21T02:54:00Z.",
        field: object.place(of: "notBefore"))
    }
    return .at(time)
  }

  private static let weights: Set<String> = ["light", "medium", "heavy"]

  private func descriptorContents(of object: EnvelopeObject) throws(JobError) -> EnvelopeContents {
    try EnvelopeMembers.checkDescriptor(object)
    var contents = EnvelopeContents(job: try job("taskType", of: object))
    if let metadata = try object.object("metadata") {
      let version = try metadata.value(of: "schemaVersion")
      guard version == nil || version?.integer == 1 else {
        let place = metadata.place(of: "schemaVersion")
        throw JobError(.invalidField, "\(place) must be 1, the only version of the task descriptor.", field: place)
      }
      if let text = try metadata.text("id") { contents.key = try key(text, at: metadata.place(of: "id")) }
      if let text = try metadata.text("weight") {
        // The weight is a part of the descriptor's contract; all weights execute alike so far.
        guard Self.weights.contains(text) else {
          let place = metadata.place(of: "weight")
          throw JobError(.invalidField, "\(place) must be light, medium or heavy.", field: place)
        }
      }
    }
    contents.correlationID = try correlationID(of: object)
    contents.payload = try object.payload(limits: limits)
    return contents
  }

  /// Checks a text that is to be a payload and stands for itself; the space around it does not belong to it.
  func payload(_ bytes: [UInt8], at field: String) throws(JobError) -> JSONText {
    do {
      let text = try JSONText(checking: bytes, limits: limits.payload)
      guard Self.isSpace(bytes[0]) || Self.isSpace(bytes[bytes.count - 1]) else { return text }
      let end = bytes.lastIndex { !Self.isSpace($0) } ?? 0
      return JSONText(trusted: Array(bytes[...end].drop { Self.isSpace($0) }))
    } catch {
      throw error.located(at: field)
    }
  }

  /// The first byte that is not space.
  static func firstByte(of bytes: [UInt8]) -> UInt8? {
    bytes.first { !isSpace($0) }
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
  }

  /// The fault of an envelope that names no job, with a hint where a member looks as if it should.
  static func noJob(at field: String, _ object: EnvelopeObject?) -> JobError {
    var message = "The envelope names no job. Send {\"jobId\": \"<a registered job>\", \"payload\": {…}}."
    let others: Set = ["jobid", "job", "jobname", "jobtype", "tasktype", "task", "taskname", "type", "name"]
    if let name = object?.misspelling(of: others) {
      message += " Its member \"\(name)\" is not read: the name is jobId, or taskType in a task descriptor."
    }
    return JobError(.malformedEnvelope, message, field: field)
  }

  private func job(_ name: String, of object: EnvelopeObject) throws(JobError) -> JobID? {
    guard let text = try object.text(name) else { return nil }
    return try Envelope.job(named: text, at: object.place(of: name))
  }

  private func key(_ text: String, at field: String) throws(JobError) -> String {
    guard !text.isEmpty else {
      throw JobError(.invalidField, "\(field) is empty. Send what identifies the work, or leave it out.", field: field)
    }
    guard text.utf8.count <= limits.keyBytes else {
      throw JobError(
        .tooLarge,
        "\(field) has \(text.utf8.count) bytes; at most \(limits.keyBytes) are allowed. Send a digest of it.",
        field: field)
    }
    guard Envelope.isKey(text, limits: limits) else {
      throw JobError(.invalidField, "\(field) may not contain control characters.", field: field)
    }
    return text
  }

  private func correlationID(of object: EnvelopeObject) throws(JobError) -> String? {
    guard let text = try object.text("correlationId") else { return nil }
    let field = object.place(of: "correlationId")
    guard text.utf8.count <= limits.correlationBytes else {
      throw JobError(
        .tooLarge, "\(field) has \(text.utf8.count) bytes; at most \(limits.correlationBytes) are allowed.",
        field: field)
    }
    guard Envelope.isCorrelationID(text, limits: limits) else {
      throw JobError(
        .invalidField, "\(field) must have at least one character, all of them printable ASCII.", field: field)
    }
    return text
  }
}
