import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import Synchronization

extension RuntimeConformance {
  static let middlewareCases: [Case] = [
    Case("Middleware surrounds each attempt in its order, and sees input and output") { fixture in
      let calls = CallRecord()
      let local = try await fixture.simulate {
        $0.middleware = [RecordingLayer(name: "outer", calls: calls), RecordingLayer(name: "inner", calls: calls)]
      } _: {
        EndpointJob("double", input: Int.self, output: Int.self) { number, context in
          calls.add("handler \(number)")
          if context.attempt == 1 { throw JobFailure.failed("no") }
          return .done(2 * number)
        }
        .retry(RetryPolicy(maxAttempts: 2, backoff: .fixed(.seconds(1)), jitter: .none))
      }
      try await local.runtime.enqueue("double", 21)
      try await local.advance(by: .seconds(5))
      let attempt = ["outer 21", "inner 21", "handler 21"]
      try ConformanceFailure.expect(
        calls.all, attempt + ["inner failed", "outer failed"] + attempt + ["inner 42", "outer 42"], "the calls")
      let run = await local.runs(of: "double").first
      try ConformanceFailure.expect(run?.output?.description, "42", "the stored output")
    },
    Case("Middleware replaces input and output, and decides an outcome without the handler") { fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate {
        $0.middleware = [ReplacingLayer()]
      } _: {
        EndpointJob("replace", input: Int.self, output: Int.self) { number, _ in .done(number + 1) }
        EndpointJob("refuse") { context in try handler(context, at: .epoch) }
      }
      let result = try await local.runtime.run("replace", 1)
      try ConformanceFailure.expect(result.output?.description, "[101]", "the replaced output of the replaced input")
      let refused = try await local.runtime.run("refuse")
      try ConformanceFailure.expect(refused.status, .cancelled, "the result of the refused run")
      try ConformanceFailure.expect(refused.reason, "Middleware refuses.", "its reason")
      try ConformanceFailure.expect(handler.count, 0, "the attempts that reached the handler")
    },
    Case("Hooks are called around each attempt, with its outcome or failure, once it is committed") { fixture in
      let calls = CallRecord()
      let local = try await fixture.simulate {
        EndpointJob("work", input: Int.self, output: Int.self) { failures, context in
          calls.add("attempt \(context.attempt)")
          if context.attempt <= failures { throw JobFailure.failed("no", kind: "Oops") }
          return .done(7)
        }
        .onStart { context in calls.add("start \(context.attempt)") }
        .onComplete { _, outcome in
          guard case .done(let output) = outcome else { return }
          calls.add("complete \(output?.description ?? "none")")
        }
        .onError { _, failure in calls.add("error \(failure.kind): \(failure.message), final \(failure.isFinal)") }
        .retry(RetryPolicy(maxAttempts: 2, backoff: .fixed(.seconds(1)), jitter: .none))
      }
      // An event is emitted once the attempt is committed.
      local.runtime.events.subscribe { event in
        if event.name != .started, event.name != .completed { calls.add(event.name.rawValue) }
      }
      try await local.runtime.enqueue("work", 1)
      try await local.advance(by: .seconds(5))
      let first = ["start 1", "attempt 1", "job.retrying", "error Oops: no, final false", "start 2", "attempt 2"]
      try ConformanceFailure.expect(
        calls.all, first + ["job.succeeded", "complete 7"], "the calls of a run that succeeds")
      calls.clear()
      try await local.runtime.enqueue("work", 2)
      try await local.advance(by: .seconds(5))
      try ConformanceFailure.expect(
        calls.all, first + ["job.failed", "error Oops: no, final true"], "the calls of a run that fails")
    },
    Case("Hooks that throw or hang change nothing, and a time limit is an error to hooks") { fixture in
      let calls = CallRecord()
      let local = try await fixture.simulate {
        $0.hookTimeout = .seconds(10)
      } _: {
        EndpointJob("throws") { _ in .done }
          .onStart { _ in throw JobFailure.failed("start") }.onStart { _ in calls.add("second start") }
          .onComplete { _, _ in throw JobFailure.failed("complete") }.onComplete { _, _ in calls.add("second end") }
        EndpointJob("hangs") { _ in .done }
          .onComplete { context, _ in try await context.clock.sleep(until: context.clock.now() + .hours(1)) }
        EndpointJob("late") { context in try await context.clock.sleep(until: context.clock.now() + .hours(1)) }
          .timeout(.seconds(30)).retry(.never).onError { _, failure in calls.add(failure.kind) }
      }
      for job in ["throws", "hangs", "late"] as [JobID] { try await local.runtime.enqueue(job) }
      try await local.advance(by: .minutes(2))
      try ConformanceFailure.expect(calls.all, ["second start", "second end", "timeout"], "the calls")
      for (job, status) in [("throws", .succeeded), ("hangs", .succeeded), ("late", .failed)] as [(JobID, RunStatus)] {
        try ConformanceFailure.expect(await local.runs(of: job).map(\.status), [status], "the runs of \(job)")
        try ConformanceFailure.expect(await local.runs(of: job).map(\.attempt), [1], "the attempts of \(job)")
      }
    },
  ]
}

/// A layer that records each attempt on its way in and out.
private struct RecordingLayer: JobMiddleware {
  let name: String
  let calls: CallRecord

  func handle(_ attempt: JobAttempt, next: Next) async throws -> JobOutcome<JSONText?> {
    calls.add("\(name) \(attempt.input?.description ?? "none")")
    do {
      let outcome = try await next(attempt)
      if case .done(let output) = outcome { calls.add("\(name) \(output?.description ?? "none")") }
      return outcome
    } catch {
      calls.add("\(name) failed")
      throw error
    }
  }
}

/// A layer that replaces the input and wraps the output of one job, and refuses all others.
private struct ReplacingLayer: JobMiddleware {
  func handle(_ attempt: JobAttempt, next: Next) async throws -> JobOutcome<JSONText?> {
    guard attempt.context.jobID == "replace" else { return .cancel(reason: "Middleware refuses.") }
    var attempt = attempt
    attempt.input = JSONText(100)
    guard case .done(let output) = try await next(attempt) else { return .snooze(.zero) }
    return .done(JSONText(.array([output?.value ?? .null])))
  }
}

/// The calls of a case in their order.
final class CallRecord: Sendable {
  private let calls = Mutex<[String]>([])

  var all: [String] { calls.withLock { $0 } }

  func add(_ call: String) { calls.withLock { $0.append(call) } }

  func clear() { calls.withLock { $0 = [] } }
}
