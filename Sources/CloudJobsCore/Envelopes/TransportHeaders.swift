/// What the headers of a request say about who delivers it, and what for.
///
/// Sources: <https://cloud.google.com/tasks/docs/creating-http-target-tasks#handler>,
/// <https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs#HttpTarget>.
struct TransportHeaders {
  let transport: DeliveryTransport?
  /// When the scheduler's tick was due; the same over its retries.
  let scheduleTime: Timestamp?
  /// When the task was due.
  let taskTime: Timestamp?
  let idempotencyKey: String?
  let correlationID: String?
  /// Whether Cloud Scheduler delivers.
  let isSchedule: Bool

  /// Reads the headers.
  ///
  /// What would become an identity must be sound. What only informs is dropped where it is not: a count that a proxy
  /// has mangled is no reason to refuse work.
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
    if let text = try Self.text("X-Correlation-ID", of: headers, upTo: limits.correlationBytes) {
      correlationID = text
    } else {
      correlationID = headers["traceparent"].flatMap { TraceContext(traceparent: $0)?.traceID }
    }
  }

  private static let scheduleTimeName = "X-CloudScheduler-ScheduleTime"

  /// Whether Cloud Tasks delivers.
  var isTask: Bool { transport?.queueName != nil || transport?.taskName != nil }

  /// The occurrence that the delivering service's own names stand for.
  func occurrence(hasPayload: Bool) -> Occurrence? {
    if let queue = transport?.queueName, let task = transport?.taskName {
      return .key(EnvelopeContents.key("task", queue, task))
    }
    guard let scheduleTime else { return nil }
    if !hasPayload { return .slot(scheduleTime) }
    return .key(EnvelopeContents.key("schedule", transport?.schedulerJobName ?? "", scheduleTime.description))
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
