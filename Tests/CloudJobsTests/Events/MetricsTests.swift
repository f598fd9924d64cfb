import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import Logging
import Metrics
import MetricsTestKit
import Testing

@Suite("Metrics")
struct MetricsTests {
  private let fixture = RuntimeFixture()

  /// Runs an operation with a factory of its own, as the process's factory can be set once only.
  private func recording(_ operation: () async throws -> Void) async throws -> TestMetrics {
    let metrics = TestMetrics()
    try await withMetricsFactory(metrics, operation)
    return metrics
  }

  private func dimensions(_ values: [(String, String)]) -> String {
    values.map { "\($0)=\($1)" }.joined(separator: " ")
  }

  @Test("Each event but lines of logs is counted by job and name, and skipped ones by their reason")
  func events() async throws {
    let metrics = try await recording {
      let runtime = try await fixture.runtime {
        EndpointJob("job") { context in
          context.logger.info("A line.")
          if context.attempt == 1 { throw JobFailure.failed("once") }
        }.retry(RetryPolicy(maxAttempts: 2, backoff: .fixed(.seconds(10)), jitter: .none))
        EndpointJob("dead") { _ in throw JobFailure.permanent("never") }
        EndpointJob("off") { _ in .done }.enabled(false)
      }
      for _ in 0..<2 {
        _ = try await runtime.run("job", key: "one")
        fixture.clock.advance(by: .seconds(10))
        await fixture.deliverDue(to: runtime)
      }
      for job in ["dead", "off"] as [JobID] { _ = try await runtime.run(job) }
    }
    let counters = metrics.counters(label: "cloud_jobs_events_total")
    #expect(
      Dictionary(uniqueKeysWithValues: counters.map { (dimensions($0.dimensions), $0.totalValue) }) == [
        "job=job event=job.started": 2, "job=job event=job.retrying": 1, "job=job event=job.succeeded": 1,
        "job=job event=job.completed": 1, "job=job event=job.duplicate": 1, "job=dead event=job.started": 1,
        "job=dead event=job.failed": 1, "job=dead event=job.completed": 1,
        "job=off event=job.skipped reason=skippedDisabled": 1,
      ])
    let others = metrics.counters.filter { $0.label != "cloud_jobs_events_total" }
    #expect(
      Dictionary(uniqueKeysWithValues: others.map { ("\($0.label) \(dimensions($0.dimensions))", $0.totalValue) }) == [
        "cloud_jobs_runs_total job=job outcome=retrying": 1, "cloud_jobs_runs_total job=job outcome=succeeded": 1,
        "cloud_jobs_runs_total job=dead outcome=failed": 1,
        "cloud_jobs_occurrences_skipped_total job=off reason=skippedDisabled": 1,
      ])
  }

  @Test("The duration of each attempt is recorded by job, in nanoseconds")
  func durations() async throws {
    let clock = fixture.clock
    let metrics = try await recording {
      let runtime = try await fixture.runtime {
        EndpointJob("slow") { context in
          clock.advance(by: .milliseconds(250) * context.attempt)
          if context.attempt == 1 { throw JobFailure.failed("once") }
        }.retry(RetryPolicy(maxAttempts: 2, backoff: .fixed(.seconds(10)), jitter: .none))
        EndpointJob("quick") { _ in .done }
      }
      _ = try await runtime.run("slow")
      clock.advance(by: .seconds(10))
      await fixture.deliverDue(to: runtime)
      _ = try await runtime.run("quick")
    }
    let timers = metrics.timers(label: "cloud_jobs_attempt_duration_seconds")
    #expect(
      Dictionary(uniqueKeysWithValues: timers.map { (dimensions($0.dimensions), $0.values) }) == [
        "job=slow": [250_000_000, 500_000_000], "job=quick": [0],
      ])
  }
}
