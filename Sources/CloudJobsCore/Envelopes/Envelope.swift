/// The forms in which a request can ask for an execution, and their one meaning: a ``Delivery``.
///
/// A body on the route ``EnvelopePath/trigger`` is one of
/// 1. the native form `{"jobId", "payload"?, "key"?, "delay"?, "notBefore"?, "runId"?, "attempt"?, "correlationId"?}`;
/// 2. a task descriptor `{"taskType", "metadata": {"id"?, "weight"?, "schemaVersion"?}?, "payload"?}`;
/// 3. a Pub/Sub push (<https://cloud.google.com/pubsub/docs/push#receive_push>) or a CloudEvent 1.0, binary or
///    structured (<https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md>),
///    whose data is form 1 or 2, or else the payload of the job that the attribute `jobId` (in a CloudEvent: `jobid`)
///    names.
///
/// On ``EnvelopePath/scheduled(_:)`` and ``EnvelopePath/master`` the path names the job, and the body (empty, JSON, a
/// Pub/Sub push, a CloudEvent) is nothing but its payload.
///
/// Members that are not known are ignored, so that a newer sender can speak to an older handler; but a member of the
/// native form that is a known one misspelt, or another system's word for one (`input`, `idempotencyKey`, `eta`), is
/// refused with the right name, as the work would be done without what it says.
///
/// `key` names the piece of work: a second request with the same key is a duplicate. `delay` (`"90s"`, `"1h30m"`, or a
/// number of seconds) and `notBefore` (RFC 3339) put the start off, up to 366 days.
///
/// **Which occurrence.** The first of these that is there: the body's `runId` or `metadata.id`; Cloud Tasks' queue and
/// task name; Cloud Scheduler's schedule time; the Pub/Sub message's or the event's id; the header `Idempotency-Key`.
/// Without any, each delivery is an occurrence of its own. The body goes before the headers because its author knows
/// what is one piece of work, while a task name only tells one task from another: the same work enqueued twice has two.
/// The price is that a body which never changes, such as that of a Cloud Scheduler job, must not carry a `runId`.
///
/// The keys are `task:QUEUE/NAME`, `pubsub:SUBSCRIPTION/MESSAGE`, `event:SOURCE/ID` and `http:KEY`, percent-encoded
/// where they would not be printable ASCII.
///
/// **Schedule times** are occurrences of the job, not of the scheduler: two Cloud Scheduler jobs that fire one job at
/// one moment make one run. With a payload they are the scheduler's own (`schedule:NAME/TIME`), as two payloads are two
/// pieces of work.
public enum Envelope {
  /// Another name of the master job, which schedules made for the runtime's predecessor address.
  static let masterAlias = "zen_master_scheduler"

  /// Reads what a request asks for.
  ///
  /// - Parameters:
  ///   - request: the route, the headers, the body.
  ///   - limits: the bounds that it must keep.
  /// - Returns: the delivery; its payload is the text as it came.
  /// - Throws: ``JobError`` `malformedJSON` where what must be JSON is not; `tooLarge`; `malformedEnvelope` where the
  ///   form is none of the known; `invalidField` where a member or a header has a wrong value. Each names its field: a
  ///   dotted path into the body, a header's name, `path` or `body`.
  public static func decode(
    _ request: EnvelopeRequest, limits: EnvelopeLimits = .standard
  ) throws(JobError) -> Delivery {
    guard request.body.count <= limits.body.bytes else {
      throw JobError(
        .tooLarge,
        "The body has \(request.body.count) bytes; at most \(limits.body.bytes) are allowed. Send where it is stored.",
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
    delivery.run = contents.run
    if let key = contents.key {
      delivery.occurrence = .key(key)
    } else if contents.run == nil {
      delivery.occurrence =
        headers.occurrence(hasPayload: contents.payload != nil)
        ?? contents.messageKey.map { .key($0) }
        ?? headers.idempotencyKey.map { .key("http:\($0)") }
    }
    delivery.attempt = contents.attempt
    delivery.payload = contents.payload
    delivery.correlationID = contents.correlationID ?? headers.correlationID
    delivery.start = contents.start
    delivery.scheduledFor = headers.scheduleTime ?? headers.taskTime
    delivery.transport = headers.transport
    return delivery
  }

  /// The job that a name of an envelope means.
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
