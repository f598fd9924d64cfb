/// The headers in which a delivering service describes itself and the delivery.
///
/// Sources: <https://cloud.google.com/tasks/docs/creating-http-target-tasks#handler>,
/// <https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs#HttpTarget>.
struct TransportHeaders {
  let transport: DeliveryTransport?
  /// The scheduled time of the scheduler's request; the same for its retries.
  let scheduleTime: Timestamp?
  /// The scheduled time of the task.
  let taskTime: Timestamp?
  let idempotencyKey: String?
  let correlationID: String?
  /// The trace that the request belongs to; nil without a valid header.
  let trace: TraceContext?
  /// Whether Cloud Scheduler sent the request.
  let isSchedule: Bool

  /// Parses the headers.
  ///
  /// Headers that identify a run must be valid. Invalid informational headers are ignored: a count altered by a proxy
  /// is no reason to reject work.
  init(_ headers: EnvelopeHeaders, limits: EnvelopeLimits) throws(JobError) {
    var transport = DeliveryTransport()
    transport.queueName = try Self.text("X-CloudTasks-QueueName", of: headers, upTo: limits.nameBytes)
    transport.taskName = try Self.text("X-CloudTasks-TaskName", of: headers, upTo: limits.nameBytes)
    transport.retryCount = Self.count("X-CloudTasks-TaskRetryCount", of: headers)
    transport.executionCount = Self.count("X-CloudTasks-TaskExecutionCount", of: headers)
    transport.schedulerJobName = try Self.text("X-CloudScheduler-JobName", of: headers, upTo: limits.nameBytes)
    self.transport = transport == DeliveryTransport() ? nil : transport
    taskTime = headers["X-CloudTasks-TaskETA"].flatMap { Timestamp(unixSeconds: $0) }
    if let text = try headers.single(Self.scheduleTimeName) {
      guard let time = Timestamp(rfc3339: text) else {
        throw JobError(
          .invalidField, "\(Self.scheduleTimeName) is not a time of RFC 3339. Send one like 2026-11-21T02:54:00Z.",
          field: Self.scheduleTimeName)
      }
      scheduleTime = time
    } else {
      scheduleTime = nil
    }
    isSchedule = scheduleTime != nil || transport.schedulerJobName != nil || headers["X-CloudScheduler"] != nil
    idempotencyKey = try Self.text("Idempotency-Key", of: headers, upTo: limits.keyBytes)
    trace = headers["traceparent"].flatMap { TraceContext(traceparent: $0) }
    if let text = try Self.text("X-Correlation-ID", of: headers, upTo: limits.correlationBytes) {
      correlationID = text
    } else {
      correlationID = trace?.traceID
    }
  }

  private static let scheduleTimeName = "X-CloudScheduler-ScheduleTime"

  /// Whether Cloud Tasks sent the request.
  var isTask: Bool { transport?.queueName != nil || transport?.taskName != nil }

  /// Returns the occurrence identified by the delivering service's own names.
  func occurrence(hasPayload: Bool) -> Occurrence? {
    if let queue = transport?.queueName, let task = transport?.taskName {
      return .key(BodyFields.key("task", queue, task))
    }
    guard let scheduleTime else { return nil }
    if !hasPayload { return .scheduledFor(scheduleTime) }
    return .key(BodyFields.key("schedule", transport?.schedulerJobName ?? "", scheduleTime.description))
  }

  private static func text(
    _ name: String, of headers: EnvelopeHeaders, upTo limit: Int
  ) throws(JobError) -> String? {
    guard let text = try headers.single(name) else { return nil }
    guard text.utf8.count <= limit else {
      throw JobError(
        .tooLarge, "The header \(name) has \(text.utf8.count) bytes; at most \(limit) are allowed.", field: name)
    }
    guard text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) else {
      throw JobError(.invalidField, "The header \(name) may contain only printable ASCII.", field: name)
    }
    return text
  }

  private static func count(_ name: String, of headers: EnvelopeHeaders) -> Int? {
    headers[name].flatMap { $0.utf8.count <= 9 ? CivilDate.number(Array($0.utf8)[...]) : nil }
  }
}
