import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import HTTPTypes
import InMemoryTracing
import Testing
import Tracing

@Suite("Spans")
struct SpanTests {
  private let fixture = RuntimeFixture()
  private let tracer = W3CTracer()
  private static let caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

  private func runtime() async throws -> JobRuntime {
    try await fixture.runtime {
      EndpointJob("job") { context in
        if context.attempt == 1 { throw JobFailure.failed("once", kind: "flaky") }
      }.retry(RetryPolicy(maxAttempts: 2, backoff: .fixed(.seconds(10)), jitter: .none))
      EndpointJob("parent") { context in try await context.enqueue([EnqueueRequest("child", key: "of parent")]) }
      EndpointJob("child") { _ in .done }
    }
  }

  private func spans(_ name: String) -> [FinishedInMemorySpan] { tracer.spans.filter { $0.operationName == name } }

  /// The attributes of a span as texts.
  private func attributes(_ span: FinishedInMemorySpan) -> [String: String] {
    var texts: [String: String] = [:]
    span.attributes.forEach { name, value in
      switch value {
      case .string(let text): texts[name] = text
      case .int64(let number): texts[name] = "\(number)"
      default: texts[name] = "\(value)"
      }
    }
    return texts
  }

  @Test("Without a tracer a run belongs to no trace, and a caller's trace is kept")
  func withoutTracer() async throws {
    let runtime = try await runtime()
    let plain = try await runtime.enqueue([EnqueueRequest("child", key: "plain")])[0].id
    #expect(try await fixture.run(plain).trace == nil)
    var request = EnqueueRequest("child", key: "traced")
    request.trace = TraceContext(traceparent: Self.caller)
    let traced = try await runtime.enqueue([request])[0].id
    await fixture.deliverDue(to: runtime)
    #expect(try await fixture.run(traced).trace?.description == Self.caller)
    #expect(try await fixture.run(plain).trace == nil)
  }

  @Test("An enqueuing, its attempt and its retry are one trace, which goes with the run and its tasks")
  func retries() async throws {
    let runtime = try await runtime()
    try await withTracer(tracer) {
      let id = try await runtime.enqueue([EnqueueRequest("job", key: "one")])[0].id
      let enqueue = try #require(spans("enqueue job").first)
      #expect(enqueue.kind == .producer && enqueue.parentSpanID == nil)
      let position = "00-\(enqueue.traceID)-\(enqueue.spanID)-01"
      #expect(try await fixture.run(id).trace?.description == position)
      #expect(fixture.queue.tasks.map { $0.trace?.description } == [position])
      await fixture.deliverDue(to: runtime)
      #expect(fixture.queue.tasks.map { $0.trace?.description } == [position], "the retry's task is in the same trace")
      fixture.clock.advance(by: .seconds(10))
      await fixture.deliverDue(to: runtime)
      let attempts = spans("attempt job")
      #expect(attempts.map(\.traceID) == [enqueue.traceID, enqueue.traceID])
      #expect(attempts.map(\.kind) == [.consumer, .consumer])
      #expect(attempts.map { attributes($0)["cloud_jobs.run.attempt"] } == ["1", "2"])
      #expect(attempts.map { attributes($0)["cloud_jobs.outcome"] } == ["retrying", "succeeded"])
      #expect(attempts.map { attributes($0)["error.type"] } == ["flaky", nil])
      #expect(attempts.map(\.status?.code) == [.error, nil])
      let first = attributes(attempts[0])
      #expect(first["messaging.system"] == "cloud_jobs" && first["messaging.operation.type"] == "process")
      #expect(first["messaging.destination.name"] == "default" && first["messaging.message.id"] == id.rawValue)
      #expect(attributes(enqueue)["messaging.message.id"] == id.rawValue)
    }
    #expect(tracer.memory.activeSpans.isEmpty)
  }

  @Test("A delivery continues its request, and its attempt is part of it")
  func delivery() async throws {
    let runtime = try await runtime()
    await withTracer(tracer) {
      let fields: HTTPFields = [HTTPField.Name("traceparent")!: Self.caller]
      let request = HTTPRequest(
        method: .post, scheme: "http", authority: "localhost", path: "/jobs/trigger", headerFields: fields)
      _ = await runtime.handle(request, body: Array(#"{"jobId":"child"}"#.utf8), peer: .local)
    }
    let (delivery, attempt) = (spans("deliver child"), spans("attempt child"))
    #expect(delivery.map(\.parentSpanID) == ["b7ad6b7169203331"] && delivery.map(\.kind) == [.server])
    #expect(attempt.map(\.parentSpanID) == delivery.map(\.spanID))
    #expect(attempt.map(\.traceID) == ["0af7651916cd43dd8448eb211c80319c"])
    #expect(delivery.map { attributes($0)["cloud_jobs.delivery.status"] } == ["succeeded"])
  }

  @Test("A delivery of another trace is linked to the attempt, which continues the enqueuing")
  func otherTrace() async throws {
    let runtime = try await runtime()
    try await withTracer(tracer) {
      _ = try await runtime.enqueue([EnqueueRequest("child", key: "one")])
      let task = try #require(fixture.queue.tasks.first)
      let fields: HTTPFields = [HTTPField.Name("traceparent")!: Self.caller]
      let request = HTTPRequest(
        method: .post, scheme: "http", authority: "localhost", path: "/jobs/trigger", headerFields: fields)
      _ = await runtime.handle(request, body: task.body.bytes, peer: .local)
    }
    let enqueue = try #require(spans("enqueue child").first)
    let attempt = try #require(spans("attempt child").first)
    #expect(attempt.traceID == enqueue.traceID && attempt.parentSpanID == enqueue.spanID)
    let delivery = try #require(spans("deliver child").first)
    #expect(attempt.links.map(\.context.inMemorySpanContext?.spanID) == [delivery.spanID])
  }

  @Test(
    "What a handler enqueues is part of its attempt; a trace begins with the first attempt, and retries continue it")
  func children() async throws {
    let runtime = try await runtime()
    try await withTracer(tracer) {
      _ = try await runtime.run("parent")
      _ = try await runtime.run("job", key: "alone")
      fixture.clock.advance(by: .seconds(10))
      await fixture.deliverDue(to: runtime)
    }
    let parent = try #require(spans("attempt parent").first)
    #expect(parent.parentSpanID == nil)
    let enqueue = try #require(spans("enqueue child").first)
    #expect(enqueue.parentSpanID == parent.spanID)
    #expect(spans("attempt child").map(\.traceID) == [parent.traceID])
    let attempts = spans("attempt job")
    #expect(attempts.count == 2 && attempts[0].traceID == attempts[1].traceID)
    #expect(attempts[0].traceID != parent.traceID && attempts[0].parentSpanID == nil)
  }

  @Test("An enqueuing that is refused is an error, and one of several runs tells their number")
  func enqueuing() async throws {
    let runtime = try await runtime()
    try await withTracer(tracer) {
      await #expect(throws: JobError.self) { try await runtime.enqueue([EnqueueRequest("unknown")]) }
      _ = try await runtime.enqueue(["a", "b"].map { EnqueueRequest("child", key: $0) })
    }
    #expect(spans("enqueue unknown").map { attributes($0)["error.type"] } == ["unknownJob"])
    #expect(spans("enqueue").map { attributes($0)["messaging.batch.message_count"] } == ["2"])
  }
}
