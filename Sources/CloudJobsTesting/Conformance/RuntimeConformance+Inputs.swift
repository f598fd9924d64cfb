import CloudJobs
import CloudJobsCore
import Synchronization

extension RuntimeConformance {
  static let inputCases: [Case] = [
    Case("The runs of a schedule get the input of code, of the document, or of the request") { fixture in
      let seen = Mutex([String]())
      let local = try await fixture.simulate {
        PeriodicJob("poll", every: .minutes(1), input: Region(name: "code")) { region, _ in
          seen.withLock { $0.append(region.name) }
        }
        ScheduledJob("report", cron: "* * * * *", input: Region(name: "report")) { region, _ in
          seen.withLock { $0.append(region.name) }
        }.enabled(false)
      }
      try await local.advance(by: .seconds(70))
      try await local.runtime.configure("poll") { $0.input = ["name": "document"] }
      try await local.advance(by: .minutes(1))
      try await local.runtime.run("poll", Region(name: "request"))
      try await local.runtime.run("poll")
      try ConformanceFailure.expect(
        seen.withLock { $0 }, ["code", "document", "request", "document"], "the inputs of the periodic job")
      try await local.runtime.configure("poll") { $0.enabled = false }
      try await local.runtime.configure("report") { $0.enabled = true }
      try await local.advance(by: .minutes(1))
      try ConformanceFailure.expect(seen.withLock { $0.last }, "report", "the input of the scheduled job")
    },
    Case("A document's input that does not fit the job is refused, and nothing changes") { fixture in
      let local = try await fixture.simulate {
        PeriodicJob("poll", every: .minutes(1), input: Region(name: "code")) { _, _ in }
        PeriodicJob("plain", every: .minutes(1)) { _ in }
      }
      for (job, input, field) in [("poll", ["name": 3], "input.name"), ("plain", ["a": 1], "input")]
        as [(JobID, JSONValue, String)]
      {
        do throws(JobError) {
          try await local.runtime.configure(job) { $0.input = input }
        } catch {
          try ConformanceFailure.expect(error.code, .invalidField, "the code of the error")
          try ConformanceFailure.expect(error.field, field, "the field of the error")
          continue
        }
        throw ConformanceFailure("the input of \(job)", expected: "an error", found: "none")
      }
      try await local.advance(by: .seconds(70))
      try ConformanceFailure.expect(await local.runs(of: "poll").map(\.status), [.succeeded], "the runs")
    },
    Case("The metadata of code, document and request reaches the handler, and stays with the run") { fixture in
      let seen = Mutex([[String: JSONValue]]())
      let local = try await fixture.simulate {
        EndpointJob("work") { context in seen.withLock { $0.append(context.metadata) } }
          .metadata(["team": "billing", "tier": 1, "zone": "a"])
        PeriodicJob("poll", every: .minutes(1)) { context in seen.withLock { $0.append(context.metadata) } }
          .metadata(["kind": "poll"])
      }
      try await local.runtime.configure("work") { $0.metadata = ["tier": 2, "zone": "b"] }
      var request = EnqueueRequest("work", key: "a")
      request.metadata = ["zone": "c", "ticket": "T-1"]
      let id = try await local.runtime.enqueue([request])[0].id
      try await local.advance(by: .seconds(70))
      let expected: [String: JSONValue] = ["team": "billing", "tier": 2, "zone": "c", "ticket": "T-1"]
      try ConformanceFailure.expect(seen.withLock { $0 }, [expected, ["kind": "poll"]], "what the handlers see")
      try ConformanceFailure.expect(try await local.run(id).metadata, expected, "the metadata of the run")
      request.key = "b"
      request.metadata = ["text": .string(String(repeating: "x", count: 4_096))]
      do throws(JobError) {
        try await local.runtime.enqueue([request])
      } catch {
        return try ConformanceFailure.expect(error.field, "metadata", "the field of the error")
      }
      throw ConformanceFailure("large metadata", expected: "an error", found: "none")
    },
    Case("A run here and now obeys its request's time limit, priority, queue and trace") { fixture in
      let local = try await fixture.simulate {
        EndpointJob("work") { context in try await context.clock.sleep(for: .seconds(30)) }
        EndpointJob("other") { _ in }.queue("slow")
      }
      var request = EnqueueRequest("work", key: "a")
      request.timeout = .seconds(5)
      (request.priority, request.queue) = (9, "slow")
      request.trace = TraceContext(traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
      let result = try await local.run(request)
      try ConformanceFailure.expect(result.status, .retrying, "the result")
      let run = try await local.onlyRun(of: "work")
      try ConformanceFailure.expect(run.failure?.kind, "timeout", "the failure")
      try ConformanceFailure.expect(run.timeout, .seconds(5), "the time limit")
      try ConformanceFailure.expect(run.priority, 9, "the priority")
      try ConformanceFailure.expect(run.queue, "slow", "the queue")
      try ConformanceFailure.expect(run.trace, request.trace, "the trace")
      request.prerequisites = [run.id]
      do throws(JobError) {
        _ = try await local.runtime.run(request)
      } catch {
        return try ConformanceFailure.expect(error.field, "after", "the field of the error")
      }
      throw ConformanceFailure("a run here and now that waits for another", expected: "an error", found: "none")
    },
  ]

  private struct Region: Codable {
    var name: String
  }
}
