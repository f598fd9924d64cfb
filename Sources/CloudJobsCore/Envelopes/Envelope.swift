/// The request formats that ask for a run, and their decoding to a ``Delivery``.
///
/// A body on the route ``EnvelopePath/trigger`` is one of
/// 1. the native form `{"jobId", "payload"?, "key"?, "delay"?, "notBefore"?, "runId"?, "attempt"?, "reenqueues"?,
///    "correlationId"?}`;
/// 2. a task descriptor `{"taskType", "metadata": {"id"?, "weight"?, "schemaVersion"?}?, "payload"?}`;
/// 3. a Pub/Sub push (<https://cloud.google.com/pubsub/docs/push#receive_push>) or a CloudEvent 1.0, binary or
///    structured (<https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md>),
///    whose data is form 1 or 2, or else the payload of the job that the attribute `jobId` (in a CloudEvent: `jobid`)
///    names.
///
/// On ``EnvelopePath/scheduled(_:)`` and ``EnvelopePath/master`` the path names the job, and the body (empty, JSON, a
/// Pub/Sub push or a CloudEvent) is only the payload.
///
/// Unknown members are ignored, so that a newer sender can call an older handler. A misspelled member of the native
/// form, or another system's name for one (`input`, `idempotencyKey`, `eta`), is rejected with the correct name,
/// because the run would otherwise ignore it.
///
/// `key` identifies the work: a second request with the same key is a duplicate. `delay` (`"90s"`, `"1h30m"`, or a
/// number of seconds) and `notBefore` (RFC 3339) delay the start by up to 366 days.
///
/// **Occurrence.** The first of these that is present: the body's `runId` or `metadata.id`; Cloud Tasks' queue and task
/// name; Cloud Scheduler's schedule time; the id of the Pub/Sub message or event; the header `Idempotency-Key`. Without
/// any, each delivery is its own occurrence. The body has precedence over the headers because its author knows the
/// identity of the work, while the same work enqueued twice has two task names. A body that never changes, such as that
/// of a Cloud Scheduler job, must therefore not contain a `runId`.
///
/// The keys are `task:QUEUE/NAME`, `pubsub:SUBSCRIPTION/MESSAGE`, `event:SOURCE/ID` and `http:KEY`, with all but
/// printable ASCII percent-encoded.
///
/// **Schedule times** are occurrences of the job, not of the scheduler: two Cloud Scheduler jobs that fire one job at
/// the same time result in one run. With a payload they belong to the scheduler (`schedule:NAME/TIME`), because two
/// payloads are different work.
public enum Envelope {
  /// An alias of the master job, used by schedules of the Dart runtime.
  static let masterAlias = "zen_master_scheduler"

  /// Decodes a request.
  ///
  /// - Parameters:
  ///   - request: the route, the headers and the body.
  ///   - limits: the limits of the request.
  /// - Returns: the delivery; its payload is the text as received.
  /// - Throws: ``JobError`` `malformedJSON` for invalid JSON; `tooLarge`; `malformedEnvelope` for an unsupported
  ///   format; `invalidField` for an invalid member or header. Each error names its field: a dotted path into the body,
  ///   a header's name, `path` or `body`.
  public static func decode(
    _ request: EnvelopeRequest, limits: EnvelopeLimits = .standard
  ) throws(JobError) -> Delivery {
    guard request.body.count <= limits.body.bytes else {
      throw JobError(
        .tooLarge,
        "The body has \(request.body.count) bytes; at most \(limits.body.bytes) are allowed. "
          + "Store it elsewhere and send its location.",
        field: "body")
    }
    let headers = try TransportHeaders(request.headers, limits: limits)
    let named = try job(namedBy: request.path)
    let reader = EnvelopeReader(headers: request.headers, named: named, limits: limits)
    let contents = try reader.contents(of: request.body)
    guard let job = named ?? contents.job else { throw EnvelopeReader.noJob(at: "jobId", nil) }
    var delivery = Delivery(job: job, trigger: .manual)
    delivery.trigger =
      if headers.isTask { .task } else if named != nil || headers.isSchedule { .schedule } else {
        contents.isMessage ? .task : .manual
      }
    delivery.runID = contents.runID
    if let key = contents.key {
      delivery.occurrence = .key(key)
    } else if contents.runID == nil {
      delivery.occurrence =
        headers.occurrence(hasPayload: contents.payload != nil)
        ?? contents.messageKey.map { .key($0) }
        ?? headers.idempotencyKey.map { .key("http:\($0)") }
    }
    delivery.attempt = contents.attempt
    delivery.reenqueues = contents.reenqueues
    delivery.payload = contents.payload
    delivery.correlationID = contents.correlationID ?? headers.correlationID
    delivery.trace = headers.trace
    delivery.start = contents.start
    delivery.scheduledFor = headers.scheduleTime ?? headers.taskTime
    delivery.transport = headers.transport
    return delivery
  }

  /// Returns the job with a name from an envelope.
  static func job(named text: String, at field: String) throws(JobError) -> JobID {
    if text == masterAlias { return .master }
    do {
      return try JobID(text)
    } catch {
      throw error.located(at: field)
    }
  }

  private static func job(namedBy path: EnvelopePath) throws(JobError) -> JobID? {
    switch path {
    case .trigger: nil
    case .scheduled(let text): try job(named: text, at: "path")
    case .master: .master
    }
  }
}

/// An HTTP request for a run, independent of the server that received it.
public struct EnvelopeRequest: Sendable {
  /// The route.
  public var path: EnvelopePath
  /// The header fields.
  public var headers: EnvelopeHeaders
  /// The whole body.
  public var body: [UInt8]

  /// Creates a request, by default without headers and with an empty body.
  public init(path: EnvelopePath = .trigger, headers: EnvelopeHeaders = [:], body: [UInt8] = []) {
    self.path = path
    self.headers = headers
    self.body = body
  }
}

/// The header fields of a request; lookup ignores case.
public struct EnvelopeHeaders: Sendable {
  /// The values by lower-case name.
  private let fields: [(name: String, value: String)]

  /// Creates header fields in the order received; a name may occur more than once.
  public init(_ fields: [(name: String, value: String)] = []) {
    self.fields = fields.map { (name: $0.name.lowercased(), value: $0.value) }
  }

  /// Returns the first value of a field without surrounding white space, or nil if the field is absent or empty.
  public subscript(name: String) -> String? {
    let lowercased = name.lowercased()
    for index in fields.indices where fields[index].name == lowercased {
      if let value = Self.trimmed(fields[index].value) { return value }
    }
    return nil
  }

  /// Returns the value of a field that must have only one.
  ///
  /// - Parameter name: the field's name.
  /// - Returns: the value without surrounding white space, or nil if the field is absent or empty.
  /// - Throws: ``JobError`` `invalidField` if the field occurs with different values, as two readers could then see
  ///   different identities in one request.
  func single(_ name: String) throws(JobError) -> String? {
    var found: String?
    let lowercased = name.lowercased()
    for index in fields.indices where fields[index].name == lowercased {
      guard let value = Self.trimmed(fields[index].value) else { continue }
      guard found == nil || found == value else {
        throw JobError(.invalidField, "The header \(name) occurs with two values. Send one.", field: name)
      }
      found = value
    }
    return found
  }

  private static func trimmed(_ value: String) -> String? {
    let isSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
    let bytes = value.utf8
    guard let start = bytes.firstIndex(where: { !isSpace($0) }), let end = bytes.lastIndex(where: { !isSpace($0) })
    else { return nil }
    return String(value[start...end])
  }
}

extension EnvelopeHeaders: ExpressibleByDictionaryLiteral {
  /// Creates header fields from a literal; a name may occur more than once.
  public init(dictionaryLiteral elements: (String, String)...) {
    self.init(elements.map { (name: $0.0, value: $0.1) })
  }
}

/// The route of a request, below the prefix where the handler is mounted.
public enum EnvelopePath: Hashable, Sendable {
  /// `trigger`: the body names the job.
  case trigger
  /// `scheduled/{jobId}`: the path names the job, and the optional body is the payload.
  ///
  /// The text is the percent-decoded path segment, not yet validated.
  case scheduled(String)
  /// `master`: a request to run the master pass.
  case master
}

/// The limits of an envelope.
public struct EnvelopeLimits: Hashable, Sendable {
  /// The limits of the whole body.
  public var body: JSONLimits
  /// The limits of the payload, which must fit into a native envelope again when a retry is enqueued.
  public var payload: JSONLimits
  /// The maximum length of a caller's occurrence key, in bytes.
  public var keyBytes: Int
  /// The maximum length of a correlation id, in bytes.
  public var correlationBytes: Int
  /// The maximum length of a delivering service's name (a task, a message, an event's source), in bytes.
  public var nameBytes: Int
  /// The maximum number of an attempt.
  public var attempt: Int64

  /// Creates limits, by default the standard ones.
  public init(
    body: JSONLimits = .envelope, payload: JSONLimits = .payload, keyBytes: Int = 256, correlationBytes: Int = 256,
    nameBytes: Int = 1_024, attempt: Int64 = 1_000_000
  ) {
    self.body = body
    self.payload = payload
    self.keyBytes = keyBytes
    self.correlationBytes = correlationBytes
    self.nameBytes = nameBytes
    self.attempt = attempt
  }

  /// A body of 1 MiB and 32 levels, a payload of 4 KiB and one level less, keys and correlation ids of 256 bytes, names
  /// of 1 KiB, and attempts up to 1,000,000.
  public static let standard = EnvelopeLimits()
}

extension Envelope {
  /// Returns the native envelope of a delivery, as it is enqueued.
  ///
  /// It contains the job, run, attempt, correlation id and payload; decoding it returns the same delivery. A run id has
  /// precedence over an occurrence. An occurrence that can't be expressed as a key (a schedule time, or text that looks
  /// like a run id or violates the rules of keys) is sent as its run id, which identifies the same run. A correlation
  /// id or an attempt outside ``EnvelopeLimits/standard`` is omitted. The payload must be within
  /// ``JSONLimits/payload``, or no handler will accept the envelope.
  ///
  /// - Parameter delivery: the delivery to encode.
  /// - Returns: the body of a request to the route ``EnvelopePath/trigger``.
  public static func native(for delivery: Delivery) -> JSONText {
    var bytes = Array("{\"jobId\":\"\(delivery.job.rawValue)\"".utf8)
    if let run = delivery.runID?.rawValue ?? delivery.occurrence.map({ runText(for: $0, of: delivery.job) }) {
      bytes += Array(",\"runId\":".utf8) + JSONValue.string(run).encoded
    }
    if let attempt = delivery.attempt, (1...EnvelopeLimits.standard.attempt).contains(Int64(attempt)) {
      bytes += Array(",\"attempt\":\(attempt)".utf8)
      if let number = delivery.reenqueues, number >= 0 { bytes += Array(",\"reenqueues\":\(number)".utf8) }
    }
    switch delivery.start {
    case .after(let delay) where delay >= .zero && delay.microseconds % 1_000 == 0:
      let text = IntervalText.text(microseconds: delay.microseconds)
      bytes += Array(",\"delay\":\"\(text.isEmpty ? "0s" : text)\"".utf8)
    case .after, nil: break
    case .at(let time): bytes += Array(",\"notBefore\":\"\(time)\"".utf8)
    }
    if let correlationID = delivery.correlationID, isCorrelationID(correlationID, limits: .standard) {
      bytes += Array(",\"correlationId\":".utf8) + JSONValue.string(correlationID).encoded
    }
    if let payload = delivery.payload {
      bytes += Array(",\"payload\":".utf8)
      bytes += payload.bytes
    }
    bytes.append(UInt8(ascii: "}"))
    return JSONText(trusted: bytes)
  }

  /// Returns the `runId` text of an occurrence.
  private static func runText(for occurrence: Occurrence, of job: JobID) -> String {
    if case .key(let key) = occurrence, (try? RunID(key)) == nil, isKey(key, limits: .standard) { return key }
    return RunID(job: job, occurrence: occurrence).rawValue
  }

  /// Returns whether text is a valid occurrence key in a body: not empty, within the length limit, and without control
  /// characters, which some stores can't keep.
  static func isKey(_ text: String, limits: EnvelopeLimits) -> Bool {
    (1...limits.keyBytes).contains(text.utf8.count)
      && !text.unicodeScalars.contains { $0.properties.generalCategory == .control }
  }

  /// Returns whether text is a valid correlation id: not empty, within the length limit, and all printable ASCII.
  static func isCorrelationID(_ text: String, limits: EnvelopeLimits) -> Bool {
    (1...limits.correlationBytes).contains(text.utf8.count) && text.utf8.allSatisfy { (0x20..<0x7F).contains($0) }
  }
}
