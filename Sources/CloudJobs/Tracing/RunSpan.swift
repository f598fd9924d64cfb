import CloudJobsCore
import HTTPTypes
package import Tracing

/// The position in a trace that records of a log name.
private enum TraceKey: ServiceContextKey {
  typealias Value = TraceContext
}

/// The run that is in process.
private enum RunKey: ServiceContextKey {
  typealias Value = RunLabels
}

/// The run that is in process, as records of a log name it.
package struct RunLabels: Hashable, Sendable {
  /// The job.
  package var job: JobID
  /// The run.
  package var run: RunID

  /// Names a run.
  package init(job: JobID, run: RunID) {
    self.job = job
    self.run = run
  }
}

extension ServiceContext {
  /// The position in a trace of what is in process; nil if it belongs to none.
  package var trace: TraceContext? {
    get { self[TraceKey.self] }
    set { self[TraceKey.self] = newValue }
  }

  /// The run that is in process; nil if none is.
  package var runLabels: RunLabels? {
    get { self[RunKey.self] }
    set { self[RunKey.self] = newValue }
  }
}

/// A piece of work in a trace: a span of the tracer that the program has set up, and otherwise only the position in the
/// caller's trace.
///
/// The tracer must propagate W3C Trace Context, the header `traceparent`, for a trace to go on in another process.
struct RunSpan: Sendable {
  private let span: (any Span)?
  private let context: ServiceContext
  /// The position of the work in its trace; nil if it belongs to none.
  var trace: TraceContext? { context.trace }
  /// Whether a tracer records the work.
  var isRecorded: Bool { span != nil }

  /// Begins a piece of work.
  ///
  /// - Parameters:
  ///   - name: the name of the span.
  ///   - kind: the kind of the span.
  ///   - parent: the position that the work continues; nil for that of the current task.
  ///   - link: another position that the work has to do with.
  init(_ name: String, _ kind: SpanKind, continuing parent: TraceContext? = nil, link: TraceContext? = nil) {
    var context = ServiceContext.current ?? .topLevel
    if let parent { context.trace = parent }
    let tracer = InstrumentationSystem.tracer
    if tracer is NoOpTracer {
      (span, self.context) = (nil, context)
      return
    }
    if let parent { Self.extract(parent, tracer, into: &context) }
    let span = tracer.startAnySpan(name, context: context, ofKind: kind)
    if let link {
      var linked = ServiceContext.topLevel
      Self.extract(link, tracer, into: &linked)
      span.addLink(SpanLink(context: linked, attributes: [:]))
    }
    context = span.context
    var carrier: [String: String] = [:]
    tracer.inject(context, into: &carrier, using: Headers())
    if let trace = carrier["traceparent"].flatMap({ TraceContext(traceparent: $0) }) { context.trace = trace }
    (self.span, self.context) = (span, context)
  }

  private static func extract(_ trace: TraceContext, _ tracer: any Tracer, into context: inout ServiceContext) {
    tracer.extract(["traceparent": trace.description], into: &context, using: Headers())
  }

  /// Returns the same work about a run, which records of a log name.
  func about(_ labels: RunLabels) -> RunSpan {
    var context = context
    context.runLabels = labels
    return RunSpan(span: span, context: context)
  }

  private init(span: (any Span)?, context: ServiceContext) {
    (self.span, self.context) = (span, context)
  }

  /// Sets attributes; they are only made if a tracer records the work.
  func set(_ change: (inout SpanAttributes) -> Void) {
    guard let span else { return }
    var all = span.attributes
    change(&all)
    span.attributes = all
  }

  /// Notes that the work failed.
  ///
  /// - Parameters:
  ///   - type: the type of the error, of few values.
  ///   - message: the message.
  func fail(_ type: String, _ message: String) {
    set { $0["error.type"] = type }
    span?.setStatus(SpanStatus(code: .error, message: message))
  }

  /// Executes the work and ends it.
  func run<Value, Failure: Error>(
    _ work: () async throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    defer { span?.end() }
    // The task's local values rethrow errors without their type.
    let result = await ServiceContext.$current.withValue(context) { () async -> Result<Value, Failure> in
      do throws(Failure) { return .success(try await work()) } catch { return .failure(error) }
    }
    return try result.get()
  }

  /// The carrier of headers.
  private struct Headers: Injector, Extractor {
    func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) {
      carrier[key.lowercased()] = value
    }

    func extract(key: String, from carrier: [String: String]) -> String? { carrier[key.lowercased()] }
  }
}

extension RunSpan {
  /// Begins to enqueue runs.
  ///
  /// - Parameters:
  ///   - requests: the requests.
  ///   - parent: the run that asks for them, if any.
  init(enqueuing requests: [EnqueueRequest], by parent: Run?) {
    let only = requests.count == 1 ? requests[0] : nil
    let origin = only?.trace ?? (ServiceContext.current?.trace == nil ? parent?.trace : nil)
    self.init(only.map { "enqueue \($0.job)" } ?? "enqueue", .producer, continuing: origin)
    set {
      $0.describe("send", name: "enqueue", queue: only?.queue)
      if let only {
        $0["cloud_jobs.job.id"] = only.job.rawValue
      } else {
        $0["messaging.batch.message_count"] = requests.count
      }
    }
  }

  /// Begins the attempt of a run.
  ///
  /// It continues the request that delivers the run, if that belongs to the trace of the run. Otherwise it continues
  /// the trace of the run, and the request is linked.
  init(attemptOf run: Run) {
    let current = ServiceContext.current?.trace
    let name = "attempt \(run.job)"
    let span: RunSpan
    if let own = run.trace, own.traceID != current?.traceID {
      span = RunSpan(name, .consumer, continuing: own, link: current)
    } else {
      span = RunSpan(name, .consumer, link: run.trace == current ? nil : run.trace)
    }
    self = span.about(RunLabels(job: run.job, run: run.id))
    set {
      $0.describe("process", name: "attempt", queue: run.queue)
      $0["messaging.message.id"] = run.id.rawValue
      $0["messaging.message.conversation_id"] = run.correlationID
      $0["cloud_jobs.job.id"] = run.job.rawValue
      $0["cloud_jobs.run.id"] = run.id.rawValue
      $0["cloud_jobs.run.attempt"] = run.attempt
      $0["cloud_jobs.run.trigger"] = run.trigger.rawValue
    }
  }

  /// Begins to process a delivery.
  ///
  /// - Parameters:
  ///   - delivery: the delivery.
  ///   - trace: the position that its request names, if any.
  init(delivering delivery: Delivery, continuing trace: TraceContext?) {
    self.init("deliver \(delivery.job)", .server, continuing: trace)
    set {
      $0.describe("process", name: "deliver", queue: delivery.transport?.queueName)
      $0["cloud_jobs.job.id"] = delivery.job.rawValue
    }
  }

  /// Notes the run that was enqueued.
  func note(_ run: RunID) {
    set { $0["messaging.message.id"] = run.rawValue }
  }

  /// Notes the result of a delivery.
  func end(with result: DeliveryResult) {
    set {
      $0["cloud_jobs.delivery.status"] = result.status.rawValue
      $0["messaging.message.id"] = result.runID?.rawValue
      $0["cloud_jobs.run.id"] = result.runID?.rawValue
    }
    if let error = result.error { fail(error.code.rawValue, error.message) }
  }

  /// Notes the conclusion of an attempt.
  func end(with conclusion: Conclusion, _ failure: RunFailure?) {
    set { $0["cloud_jobs.outcome"] = conclusion.event.outcome }
    switch conclusion {
    case .retry, .retryByCaller, .deadLetter: fail(failure?.kind ?? "failed", failure?.message ?? "")
    case .succeeded, .snoozed, .continued, .interrupted, .cancelled: break
    }
  }
}

extension SpanAttributes {
  /// Sets the attributes of OpenTelemetry's conventions for messaging
  /// (<https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/>).
  ///
  /// - Parameters:
  ///   - type: the type of the operation, one of the conventions.
  ///   - name: the operation.
  ///   - queue: the queue; nil for the default one.
  fileprivate mutating func describe(_ type: String, name: String, queue: String?) {
    self["messaging.system"] = "cloud_jobs"
    self["messaging.operation.type"] = type
    self["messaging.operation.name"] = name
    self["messaging.destination.name"] = queue ?? QueueOrder.defaultQueue
  }
}

extension JobEvent.Name {
  /// The outcome of an attempt that ended with the event.
  fileprivate var outcome: String {
    switch self {
    case .succeeded: "succeeded"
    case .retrying: "retrying"
    case .snoozed: "snoozed"
    case .skipped: "cancelled"
    case .failed: "failed"
    case .started, .completed, .duplicate, .leaseLost, .blocking, .breakerOpened, .breakerClosed, .event, .log: rawValue
    }
  }
}

extension TraceContext {
  /// Returns the position that a request names, by the header of W3C or by that of Google Cloud.
  static func of(_ fields: HTTPFields) -> TraceContext? {
    for (name, read) in headers {
      if let name = HTTPField.Name(name), let trace = fields[name].flatMap(read) { return trace }
    }
    return nil
  }

  private static var headers: [(String, (String) -> TraceContext?)] {
    [
      ("traceparent", { TraceContext(traceparent: $0) }),
      ("X-Cloud-Trace-Context", { TraceContext(cloudTraceContext: $0) }),
    ]
  }
}
