/// A CloudEvent 1.0 in one of its two HTTP content modes.
///
/// Source: <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md>.
struct CloudEvent {
  let id: String
  let source: String
  let type: String
  /// The extension attribute `jobid`, which names the job if the data does not.
  let job: String?
  let data: [UInt8]
  /// The fields of the request that hold the job's name and the data.
  let jobField: String
  let dataField: String

  /// The type of events with which Eventarc delivers Pub/Sub messages
  /// (<https://cloud.google.com/eventarc/docs/cloudevents#pubsub>).
  static let publishedType = "google.cloud.pubsub.topic.v1.messagePublished"

  /// Returns the event of a request, or nil if its headers announce none.
  static func announced(
    by headers: EnvelopeHeaders, body: [UInt8], limits: EnvelopeLimits
  ) throws(JobError) -> CloudEvent? {
    let mediaType = (headers["Content-Type"] ?? "").prefix { $0 != ";" && $0 != " " }.lowercased()
    if mediaType.hasPrefix("application/cloudevents-batch") {
      throw JobError(
        .malformedEnvelope, "Batches of CloudEvents are not supported. Send each event in its own request.",
        field: "Content-Type")
    }
    if mediaType.hasPrefix("application/cloudevents") {
      guard mediaType == "application/cloudevents+json" || mediaType == "application/cloudevents" else {
        throw JobError(
          .malformedEnvelope, "The content type of a structured CloudEvent must be application/cloudevents+json.",
          field: "Content-Type")
      }
      return try CloudEvent(structured: EnvelopeObject(body, at: "", limits: limits.body), limits: limits)
    }
    guard headers["ce-specversion"] != nil else { return nil }
    return try CloudEvent(binary: headers, body: body, limits: limits)
  }

  /// Creates an event whose attributes are headers and whose data is the body (binary content mode).
  private init(binary headers: EnvelopeHeaders, body: [UInt8], limits: EnvelopeLimits) throws(JobError) {
    try Self.check(version: headers.single("ce-specversion"), at: "ce-specversion")
    id = try Self.attribute(headers.single("ce-id").map(Self.decoded), at: "ce-id", limits)
    source = try Self.attribute(headers.single("ce-source").map(Self.decoded), at: "ce-source", limits)
    type = try Self.attribute(headers.single("ce-type").map(Self.decoded), at: "ce-type", limits)
    job = try headers.single("ce-jobid")
    data = body
    jobField = "ce-jobid"
    dataField = "body"
  }

  /// Creates an event from an object (structured content mode).
  init(structured event: EnvelopeObject, limits: EnvelopeLimits) throws(JobError) {
    try Self.check(version: event.text("specversion"), at: "specversion")
    id = try Self.attribute(event.text("id"), at: "id", limits)
    source = try Self.attribute(event.text("source"), at: "source", limits)
    type = try Self.attribute(event.text("type"), at: "type", limits)
    job = try event.text("jobid")
    jobField = "jobid"
    let range = event.range(of: "data")
    guard let text = try event.text("data_base64") else {
      data = range.map { Array(event.bytes[$0]) } ?? []
      dataField = "data"
      return
    }
    guard range == nil else {
      throw JobError(
        .malformedEnvelope, "The event has both data and data_base64. Send one of them.", field: "data_base64")
    }
    guard let bytes = Base64.decode(text) else {
      throw JobError(.invalidField, "data_base64 is not base64. Encode the data.", field: "data_base64")
    }
    data = bytes
    dataField = "data_base64"
  }

  private static func check(version: String?, at field: String) throws(JobError) {
    guard version == "1.0" else {
      throw JobError(.invalidField, "\(field) must be 1.0, the supported version of CloudEvents.", field: field)
    }
  }

  /// Returns a header's value with percent-encoding removed (section 3.1.3.2 of the source).
  private static func decoded(_ value: String) -> String {
    value.utf8.contains(UInt8(ascii: "%")) ? PercentEncoding.decode(value, plusIsSpace: false) : value
  }

  /// Returns a required attribute.
  private static func attribute(
    _ value: String?, at field: String, _ limits: EnvelopeLimits
  ) throws(JobError) -> String {
    guard let value, !value.isEmpty else {
      throw JobError(.malformedEnvelope, "\(field) is missing. CloudEvents 1.0 requires it.", field: field)
    }
    guard value.utf8.count <= limits.nameBytes else {
      throw JobError(
        .tooLarge, "\(field) has \(value.utf8.count) bytes; at most \(limits.nameBytes) are allowed.", field: field)
    }
    return value
  }
}
