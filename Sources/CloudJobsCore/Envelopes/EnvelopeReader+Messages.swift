extension EnvelopeReader {
  /// Reads a CloudEvent's data.
  func contents(of event: CloudEvent) throws(JobError) -> EnvelopeContents {
    var contents: EnvelopeContents
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
    contents.messageKey = contents.messageKey ?? EnvelopeContents.key("event", event.source, event.id)
    contents.isMessage = true
    return contents
  }

  /// Reads a Pub/Sub push: `{"message": {"data", "attributes", "messageId"}, "subscription"}`.
  func pushContents(of push: EnvelopeObject) throws(JobError) -> EnvelopeContents {
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
        throw JobError(.invalidField, "\(place) is not base64. Send the message's data encoded.", field: place)
      }
      data = bytes
    }
    var contents = try dataContents(
      data, at: place, job: try attributes?.text("jobId"), attribute: "\(message.place(of: "attributes")).jobId")
    contents.messageKey = EnvelopeContents.key("pubsub", subscription, identifier)
    contents.isMessage = true
    return contents
  }

  /// Reads what a message or an event carries: an envelope of the first two forms, or a payload.
  ///
  /// There is no way from here to another message: wrappers do not nest.
  private func dataContents(
    _ data: [UInt8], at field: String, job text: String?, attribute: String
  ) throws(JobError) -> EnvelopeContents {
    let job: JobID? = if let text { try Envelope.job(named: text, at: attribute) } else { nil }
    guard let first = Self.firstByte(of: data) else {
      guard named != nil || job != nil else { throw Self.noJobInMessage(at: field, attribute, nil) }
      return EnvelopeContents(job: job)
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
    return EnvelopeContents(job: job, payload: text)
  }

  /// The fault of a message that names no job, with what is wrong where that can be told.
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

  /// A name that the delivering service must give.
  private func name(
    _ name: String, called proper: String? = nil, of object: EnvelopeObject
  ) throws(JobError) -> String {
    let place = object.place(of: proper ?? name)
    guard let text = try object.text(name), !text.isEmpty else {
      throw JobError(.malformedEnvelope, "\(place) is missing. Send what Pub/Sub sends in a push.", field: place)
    }
    guard text.utf8.count <= limits.nameBytes else {
      throw JobError(
        .tooLarge, "\(place) has \(text.utf8.count) bytes; at most \(limits.nameBytes) are allowed.", field: place)
    }
    return text
  }
}
