import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsTesting
import HTTPTypes
import Metrics
import Testing

@Suite("The route metrics")
struct MetricsRouteTests {
  private let fixture = RuntimeFixture()

  /// The samples of a scrape, by series.
  private func scrape(_ runtime: JobRuntime, _ fields: HTTPFields = [:]) async throws -> [String: String] {
    let request = HTTPRequest(
      method: .get, scheme: "http", authority: "localhost", path: "/jobs/metrics", headerFields: fields)
    let response = await runtime.handle(request, peer: .local)
    #expect(response.head.status == .ok)
    #expect(response.head.headerFields[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
    let lines = String(decoding: response.body, as: UTF8.self).split(separator: "\n").filter { !$0.hasPrefix("#") }
    return Dictionary(
      uniqueKeysWithValues: try lines.map { line in
        let space = try #require(line.lastIndex(of: " "))
        return (String(line[..<space]), String(line[line.index(after: space)...]))
      })
  }

  private func runtime(over store: (any JobStore)? = nil) async throws -> JobRuntime {
    let clock = fixture.clock
    return try await JobRuntime.prepared(
      try JobRegistry {
        EndpointJob("job") { context in
          clock.advance(by: .milliseconds(300))
          if context.attempt == 1 { throw JobFailure.failed("once") }
        }.retry(RetryPolicy(maxAttempts: 2, backoff: .fixed(.seconds(10)), jitter: .none))
        EndpointJob("dead") { _ in throw JobFailure.permanent("never") }
        EndpointJob("off") { _ in .done }.enabled(false)
      }, store: store ?? fixture.memory, queue: fixture.queue, authentication: .trustLoopback,
      options: fixture.options())
  }

  @Test("Outcomes, durations, waits, skipped runs and passes are told without any metrics system")
  func outcomes() async throws {
    let runtime = try await runtime()
    _ = try await runtime.enqueue([EnqueueRequest("job", key: "one")])
    fixture.clock.advance(by: .seconds(2))
    await fixture.deliverDue(to: runtime)
    fixture.clock.advance(by: .seconds(14))
    await fixture.deliverDue(to: runtime)
    for job in ["dead", "off"] as [JobID] { _ = try await runtime.run(job) }
    _ = await runtime.runMasterPass()
    let samples = try await scrape(runtime)
    for (series, value) in [
      (#"cloud_jobs_runs_total{job="job",outcome="retrying"}"#, "1"),
      (#"cloud_jobs_runs_total{job="job",outcome="succeeded"}"#, "1"),
      (#"cloud_jobs_runs_total{job="dead",outcome="failed"}"#, "1"),
      (#"cloud_jobs_occurrences_skipped_total{job="off",reason="skippedDisabled"}"#, "1"),
      (#"cloud_jobs_events_total{event="job.started",job="job"}"#, "2"),
      (#"cloud_jobs_attempt_duration_seconds_sum{job="job"}"#, "0.6"),
      (#"cloud_jobs_attempt_duration_seconds_bucket{job="job",le="0.25"}"#, "0"),
      // 2 s after the enqueuing, and 4 s after the delay of the retry.
      (#"cloud_jobs_run_wait_seconds_count{job="job"}"#, "2"), (#"cloud_jobs_run_wait_seconds_sum{job="job"}"#, "6"),
      ("cloud_jobs_master_pass_duration_seconds_count", "1"), ("cloud_jobs_store_up", "1"),
      (#"cloud_jobs_jobs{state="enabled"}"#, "2"), (#"cloud_jobs_jobs{state="disabled"}"#, "1"),
      ("cloud_jobs_start_time_seconds", "\(RuntimeFixture.start.microseconds / 1_000_000)"),
    ] { #expect(samples[series] == value, "\(series)") }
    #expect(samples[#"cloud_jobs_runs_total{job="off",outcome="cancelled"}"#] == nil)
  }

  @Test("What the store has is told, and asked again after 5 seconds")
  func store() async throws {
    let runtime = try await runtime()
    _ = try await runtime.enqueue([EnqueueRequest("job", key: "one")])
    var other = EnqueueRequest("job", key: "two")
    other.queue = "critical"
    other.start = .after(.seconds(60))
    _ = try await runtime.enqueue([other])
    fixture.memory.importJob(id: "broken", fields: ["timeout": "long"])
    fixture.memory.importJob(id: "rests", fields: ["paused": true])
    fixture.clock.advance(by: .seconds(90))
    let samples = try await scrape(runtime)
    for (series, value) in [
      (#"cloud_jobs_queue_depth{queue="default",status="pending"}"#, "1"),
      (#"cloud_jobs_queue_depth{queue="default",status="scheduled"}"#, "0"),
      (#"cloud_jobs_queue_depth{queue="critical",status="scheduled"}"#, "1"),
      // The sweep looks for the first run's task after a minute.
      ("cloud_jobs_due_lateness_seconds", "30"),
      (#"cloud_jobs_jobs{state="quarantined"}"#, "1"), (#"cloud_jobs_jobs{state="paused"}"#, "1"),
      (#"cloud_jobs_jobs{state="breaker_open"}"#, "0"), (#"cloud_jobs_workers{state="running"}"#, "0"),
    ] { #expect(samples[series] == value, "\(series)") }
    _ = try await runtime.enqueue([EnqueueRequest("job", key: "three")])
    let pending = #"cloud_jobs_queue_depth{queue="default",status="pending"}"#
    #expect(try await scrape(runtime)[pending] == "1")
    fixture.clock.advance(by: .seconds(5))
    #expect(try await scrape(runtime)[pending] == "2")
  }

  @Test("A store that does not answer fails no scrape: the instance's own metrics are told")
  func storeDown() async throws {
    let runtime = try await runtime(over: fixture.store)
    _ = try await runtime.run("dead")
    #expect(try await scrape(runtime)["cloud_jobs_store_up"] == "1")
    fixture.store.isDown = true
    // A store that is paid by the query is asked once a minute.
    fixture.clock.advance(by: .seconds(59))
    #expect(try await scrape(runtime)["cloud_jobs_store_up"] == "1")
    fixture.clock.advance(by: .seconds(1))
    let samples = try await scrape(runtime)
    #expect(samples["cloud_jobs_store_up"] == "0")
    #expect(samples[#"cloud_jobs_runs_total{job="dead",outcome="failed"}"#] == "1")
    #expect(!samples.keys.contains { $0.hasPrefix("cloud_jobs_jobs") || $0.hasPrefix("cloud_jobs_workers") })
  }

  @Test("An attempt that lets its lease expire is counted when another takes over")
  func leaseLosses() async throws {
    let runtime = try await runtime()
    let id = try await runtime.enqueue([EnqueueRequest("job", key: "one")])[0].id
    var run = try await fixture.run(id)
    (run.status, run.attempt, run.fence) = (.running, 1, 1)
    run.lease = Lease(owner: "dead", token: 1, expiresAt: fixture.clock.now() + .seconds(10))
    _ = try await fixture.memory.commit([.putRun(run, .none)])
    fixture.clock.advance(by: .seconds(30))
    var delivery = Delivery(job: "job", trigger: .task, attempt: 1)
    delivery.runID = id
    _ = await runtime.deliver(delivery)
    #expect(try await scrape(runtime)[#"cloud_jobs_lease_losses_total{job="job"}"#] == "1")
  }

  @Test("A program's own metrics are told too, and those of the runtime are not counted twice")
  func backend() async throws {
    let runtime = try await runtime()
    try await withMetricsFactory(runtime.metrics) {
      Counter(label: "orders").increment(by: 7)
      _ = try await runtime.run("dead")
    }
    let samples = try await scrape(runtime)
    #expect(samples["orders_total"] == "7")
    #expect(samples[#"cloud_jobs_runs_total{job="dead",outcome="failed"}"#] == "1")
  }

  @Test("The route needs the credentials of the other routes, and takes GET only")
  func refusals() async throws {
    let runtime = try await fixture.runtime(authentication: .sharedSecret("0123456789abcdef0123456789abcdef")) {
      EndpointJob("job") { _ in .done }
    }
    func status(_ method: HTTPRequest.Method, _ fields: HTTPFields = [:]) async -> Int {
      let request = HTTPRequest(
        method: method, scheme: "http", authority: "localhost", path: "/jobs/metrics", headerFields: fields)
      return await runtime.handle(request, peer: .local).head.status.code
    }
    #expect(await status(.get) == 401)
    let fields: HTTPFields = [.authorization: "Bearer 0123456789abcdef0123456789abcdef"]
    #expect(await status(.get, fields) == 200)
    #expect(await status(.post, fields) == 405)
  }
}
