/// A reader that determines the format of a body and decodes it.
struct EnvelopeReader {
  let headers: EnvelopeHeaders
  /// The job named by the path, if any.
  let named: JobID?
  let limits: EnvelopeLimits

  /// Decodes a body in any format.
  func contents(of body: [UInt8]) throws(JobError) -> BodyFields {
    if let event = try CloudEvent.announced(by: headers, body: body, limits: limits) {
      return try contents(of: event)
    }
    guard let first = Self.firstByte(of: body) else {
      guard named == nil else { return BodyFields() }
      throw JobError(
        .malformedEnvelope, "The body is empty. Send {\"jobId\": \"<a registered job>\", \"payload\": {…}}.",
        field: "body")
    }
    guard first == UInt8(ascii: "{") else {
      let text = try payload(body, at: "body")
      guard named == nil else { return BodyFields(payload: text) }
      throw JobError(
        .malformedEnvelope,
        "The body is \(text.value.kind), not an object. Send {\"jobId\": \"<a registered job>\", \"payload\": {…}}.",
        field: "body")
    }
    let object = try EnvelopeObject(body, at: "", limits: limits.body)
    if named != nil {
      if Self.isPush(object) { return try pushContents(of: object) }
      return BodyFields(payload: try payload(body, at: "body"))
    }
    if let contents = try ownContents(of: object) { return contents }
    if object.has("specversion") { return try contents(of: CloudEvent(structured: object, limits: limits)) }
    if object.has("message") { return try pushContents(of: object) }
    throw Self.noJob(at: "jobId", object)
  }

  /// Returns whether an object has all the members that identify a Pub/Sub push, so that a payload with a member
  /// `message` is not mistaken for one.
  private static func isPush(_ object: EnvelopeObject) -> Bool {
    guard object.has("subscription"), let message = try? object.object("message") else { return false }
    return message.has("messageId") || message.has("message_id")
  }

  /// Decodes the native form or a task descriptor; returns nil if the object is neither.
  func ownContents(of object: EnvelopeObject) throws(JobError) -> BodyFields? {
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

  private func nativeContents(of object: EnvelopeObject) throws(JobError) -> BodyFields {
    try EnvelopeMembers.check(object)
    var contents = BodyFields(job: try job("jobId", of: object))
    if let text = try object.text("key") {
      guard !object.has("runId") else {
        throw JobError(
          .invalidField, "The envelope names its work twice, by key and by runId. Send one of them.",
          field: object.place(of: "key"))
      }
      contents.key = try key(text, at: object.place(of: "key"))
    } else if let text = try object.text("runId") {
      if let run = try? RunID(text) {
        contents.runID = run
      } else {
        contents.key = try key(text, at: object.place(of: "runId"))
      }
    }
    contents.attempt = try object.integer("attempt", in: 1...limits.attempt).map { Int($0) }
    contents.reenqueues = try object.integer("reenqueues", in: 0...Int64.max).map { Int($0) }
    contents.start = try start(of: object)
    contents.correlationID = try correlationID(of: object)
    contents.payload = try object.payload(limits: limits)
    return contents
  }

  /// Decodes `delay` or `notBefore`.
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

  private func descriptorContents(of object: EnvelopeObject) throws(JobError) -> BodyFields {
    try EnvelopeMembers.checkDescriptor(object)
    var contents = BodyFields(job: try job("taskType", of: object))
    if let metadata = try object.object("metadata") {
      let version = try metadata.value(of: "schemaVersion")
      guard version == nil || version?.integer == 1 else {
        let place = metadata.place(of: "schemaVersion")
        throw JobError(.invalidField, "\(place) must be 1, the only version of the task descriptor.", field: place)
      }
      if let text = try metadata.text("id") { contents.key = try key(text, at: metadata.place(of: "id")) }
      if let text = try metadata.text("weight") {
        // The weight is part of the form; the descriptor that the job is registered with decides where it executes.
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

  /// Validates text that is a payload by itself, without surrounding white space.
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

  /// Returns the first byte that is not white space.
  static func firstByte(of bytes: [UInt8]) -> UInt8? {
    bytes.first { !isSpace($0) }
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
  }

  /// Returns the error for an envelope without a job, with a hint if a member resembles one that names it.
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
      throw JobError(
        .invalidField, "\(field) is empty. Send a value that identifies the work, or omit it.", field: field)
    }
    guard text.utf8.count <= limits.keyBytes else {
      throw JobError(
        .tooLarge,
        "\(field) has \(text.utf8.count) bytes; at most \(limits.keyBytes) are allowed. Send a hash of it.",
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

extension EnvelopeReader {
  /// Decodes a CloudEvent's data.
  func contents(of event: CloudEvent) throws(JobError) -> BodyFields {
    var contents: BodyFields
    if event.type == CloudEvent.publishedType {
      guard Self.firstByte(of: event.data) == UInt8(ascii: "{") else {
        throw JobError(
          .malformedEnvelope,
          "An event of type \(CloudEvent.publishedType) must have an object as its data: {\"message\": {…}}.",
          field: event.dataField)
      }
      let path = event.dataField == "body" ? "" : event.dataField
      contents = try pushContents(of: EnvelopeObject(event.data, at: path, limits: limits.body))
    } else {
      contents = try dataContents(event.data, at: event.dataField, job: event.job, attribute: event.jobField)
    }
    contents.messageKey = contents.messageKey ?? BodyFields.key("event", event.source, event.id)
    contents.isMessage = true
    return contents
  }

  /// Decodes a Pub/Sub push: `{"message": {"data", "attributes", "messageId"}, "subscription"}`.
  func pushContents(of push: EnvelopeObject) throws(JobError) -> BodyFields {
    guard let message = try push.object("message") else {
      let place = push.place(of: "message")
      throw JobError(.malformedEnvelope, "\(place) is missing. Send a Pub/Sub push with its message.", field: place)
    }
    let subscription = try name("subscription", of: push)
    let identifier = try name(message.has("messageId") ? "messageId" : "message_id", called: "messageId", of: message)
    let attributes = try message.object("attributes")
    var data = [UInt8]()
    let place = message.place(of: "data")
    if let text = try message.text("data") {
      guard let bytes = Base64.decode(text) else {
        throw JobError(.invalidField, "\(place) is not base64. Encode the message's data.", field: place)
      }
      data = bytes
    }
    var contents = try dataContents(
      data, at: place, job: try attributes?.text("jobId"), attribute: "\(message.place(of: "attributes")).jobId")
    contents.messageKey = BodyFields.key("pubsub", subscription, identifier)
    contents.isMessage = true
    return contents
  }

  /// Decodes the data of a message or event: an envelope of the first two formats, or a payload.
  ///
  /// Data that is a message again is not decoded: wrappers do not nest.
  private func dataContents(
    _ data: [UInt8], at field: String, job text: String?, attribute: String
  ) throws(JobError) -> BodyFields {
    let job: JobID? = if let text { try Envelope.job(named: text, at: attribute) } else { nil }
    guard let first = Self.firstByte(of: data) else {
      guard named != nil || job != nil else { throw Self.noJobInMessage(at: field, attribute, nil) }
      return BodyFields(job: job)
    }
    if named == nil, first == UInt8(ascii: "{") {
      let object = try EnvelopeObject(data, at: field == "body" ? "" : field, limits: limits.body)
      if let contents = try ownContents(of: object) {
        guard job == nil || job == contents.job else {
          throw JobError(
            .malformedEnvelope, "\(attribute) names another job than the data. Send one of them.", field: attribute)
        }
        return contents
      }
      guard job != nil else { throw Self.noJobInMessage(at: field, attribute, object) }
    }
    let text = try payload(data, at: field)
    guard named != nil || job != nil else { throw Self.noJobInMessage(at: field, attribute, nil) }
    return BodyFields(job: job, payload: text)
  }

  /// Returns the error for a message without a job, with the cause if it can be determined.
  private static func noJobInMessage(at field: String, _ attribute: String, _ object: EnvelopeObject?) -> JobError {
    if object?.has("message") == true || object?.has("specversion") == true {
      return JobError(
        .malformedEnvelope, "The data is itself a message. Wrappers do not nest: send the job's envelope as data.",
        field: field)
    }
    var error = noJob(at: field == "body" ? "jobId" : "\(field).jobId", object)
    error.message += " Or name the job in the attribute \(attribute)."
    return error
  }

  /// Returns a name that the delivering service must send.
  private func name(
    _ name: String, called proper: String? = nil, of object: EnvelopeObject
  ) throws(JobError) -> String {
    let place = object.place(of: proper ?? name)
    guard let text = try object.text(name), !text.isEmpty else {
      throw JobError(.malformedEnvelope, "\(place) is missing. Send a Pub/Sub push request.", field: place)
    }
    guard text.utf8.count <= limits.nameBytes else {
      throw JobError(
        .tooLarge, "\(place) has \(text.utf8.count) bytes; at most \(limits.nameBytes) are allowed.", field: place)
    }
    return text
  }
}

/// Fields decoded from the body, before headers and path are applied.
struct BodyFields {
  var job: JobID?
  var runID: RunID?
  var key: String?
  var attempt: Int?
  var reenqueues: Int?
  var payload: JSONText?
  var correlationID: String?
  var start: DeliveryStart?
  /// The occurrence key of the wrapping message or event, used if the body has none.
  var messageKey: String?
  /// Whether the body was wrapped in a message or event.
  var isMessage = false

  /// Returns the key for a pair of names: printable ASCII, and different for each pair.
  ///
  /// All other characters are percent-encoded, and so is a slash in the second name: the last slash separates the
  /// names.
  static func key(_ kind: String, _ first: String, _ second: String) -> String {
    "\(kind):\(escape(first) { $0 == UInt8(ascii: "%") })/"
      + escape(second) { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "/") }
  }

  private static func escape(_ name: String, _ isSpecial: (UInt8) -> Bool) -> String {
    PercentEncoding.encode(name, lowercaseDigits: true) { !(0x21..<0x7F).contains($0) || isSpecial($0) }
  }
}
