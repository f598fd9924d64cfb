import CloudJobs
import CloudJobsCore
import CloudJobsTesting
import Synchronization
import TestSupport
import Testing

/// Counts what handlers did, by job.
private final class Tally: Sendable {
  private let counts = Mutex<[String: Int]>([:])

  func count(_ name: String) -> Int {
    counts.withLock { counts in
      counts[name, default: 0] += 1
      return counts[name] ?? 0
    }
  }

  subscript(name: String) -> Int { counts.withLock { $0[name] ?? 0 } }
}

@Suite("A simulated runtime")
struct SimulatedRuntimeTests {
  /// An hourly periodic job that enqueues an endpoint which fails each third time, and a nightly scheduled job that
  /// fails at first in every run.
  private static func registry(_ tally: Tally) throws -> JobRegistry {
    try JobRegistry {
      PeriodicJob("collect", every: .hours(1)) { context in
        for index in 0..<3 { try await context.enqueue("send", key: "\(context.runID)-\(index)") }
        _ = tally.count("collect")
        return .done
      }
      EndpointJob("send") { _ in
        guard tally.count("send") % 3 != 0 else { throw JobFailure.failed("The post office is closed.") }
        return .done
      }
      .retry(RetryPolicy(maxAttempts: 4, backoff: .exponential(.seconds(10)), jitter: .half))
      ScheduledJob("report", cron: "0 2 * * *", in: "Europe/Berlin") { context in
        _ = tally.count("report")
        guard context.attempt > 1 else { throw JobFailure.failed("The printer is cold.") }
        return .done
      }
    }
  }

  /// Some days, a week by default, in a simulation of its own.
  ///
  /// A simulation runs on the thread that moves its time. The thread's own time is measured: the clock on the wall
  /// would also count the tests beside this one.
  private static func days(
    _ days: Int = 7, seed: UInt64
  ) async throws -> (trace: [String], tally: Tally, store: any JobStore, span: Duration) {
    let tally = Tally()
    let local = try await JobRuntime.simulated(try registry(tally), seed: seed)
    let start = threadProcessorTime()
    try await local.advance(by: .days(days))
    return (local.trace, tally, local.store, threadProcessorTime() - start)
  }

  @Test("Simulated days take time in proportion to their number")
  func proportion() async throws {
    // The fastest of some tries is what the code takes; the rest is the machine's other work. What grows with the
    // square of the days takes 12 times as long.
    var (two, seven) = (Duration.seconds(1_000), Duration.seconds(1_000))
    for _ in 0..<5 {
      two = min(two, try await Self.days(2, seed: 1).span)
      seven = min(seven, try await Self.days(7, seed: 1).span)
      if seven < two * 6 { return }
    }
    Issue.record("\(two) for two days, \(seven) for seven")
  }

  @Test("Every run of seven days of three jobs with failures and retries ends")
  func sevenDays() async throws {
    let (_, tally, store, _) = try await Self.days(seed: 1)
    #expect(tally["collect"] == 7 * 24)
    #expect(tally["report"] == 7 * 2)
    var counts = [RunStatus: Int]()
    var cursor: StoreCursor?
    repeat {
      let page = try await store.runs(matching: RunFilter(job: "send"), after: cursor, limit: 500)
      for record in page.records { counts[try record.run.get().status, default: 0] += 1 }
      cursor = page.next
    } while cursor != nil
    #expect(counts[.succeeded, default: 0] + counts[.failed, default: 0] + counts[.scheduled, default: 0] == 7 * 24 * 3)
    #expect(counts[.scheduled, default: 0] <= 3, "only the last hour's may still wait")
    #expect(tally["send"] > 7 * 24 * 3, "some were tried again")
  }

  @Test("The same seed gives the same trace, byte for byte, and another seed another one")
  func sameTrace() async throws {
    let first = try await Self.days(seed: 7).trace
    let second = try await Self.days(seed: 7).trace
    let other = try await Self.days(seed: 8).trace
    #expect(first.joined(separator: "\n") == second.joined(separator: "\n"))
    #expect(first != other)
    #expect(first.count > 2_000)
  }

  @Test("An idle week has no lines, and a job's outcomes are told by name, without a look into the store")
  func outcomes() async throws {
    let registry = try JobRegistry {
      PeriodicJob("weekly", cron: "0 0 * * MON") { context in
        guard context.attempt > 1 else { throw JobFailure.failed("The disk was asleep.") }
        return .done
      }
    }
    let local = try await JobRuntime.simulated(registry)
    try await local.advance(by: .days(3))
    #expect(local.trace == [], "2026-01-01 is a Thursday")
    try await local.advance(by: .days(2))
    #expect(local.outcomes(of: "weekly") == [.retrying, .succeeded])
    let runs = await local.runs(of: "weekly")
    #expect(runs.map(\.status) == [.succeeded] && runs.first?.attempt == 2)
    let lines = local.trace.filter { $0.contains(" job weekly ") }
    #expect(lines.count == 2)
    #expect(lines.first?.contains("attempt 1: retrying, JobFailure") == false)
    #expect(lines.first?.contains("The disk was asleep.") == true && lines.last?.hasSuffix("succeeded") == true)
  }

  @Test("What the registry takes, the simulation takes: jobs that the master pass runs fire once a time")
  func masterPass() async throws {
    let tally = Tally()
    let registry = try JobRegistry {
      ScheduledJob("last_day", cron: "0 0 L * *") { _ in
        _ = tally.count("L")
        return .done
      }
      ScheduledJob("by_pass", cron: "0 * * * *") { _ in
        _ = tally.count("pass")
        return .done
      }.trigger(.masterPass)
      ScheduledJob("quick", cron: "0 * * * *") { _ in
        _ = tally.count("quick")
        return .done
      }.timeout(.seconds(10))
    }
    let local = try await JobRuntime.simulated(registry)
    try await local.advance(by: .days(31))
    #expect(tally["L"] == 1 && tally["pass"] == 31 * 24 && tally["quick"] == 31 * 24)
    let passed = await local.runs(of: "by_pass")
    #expect(passed.count == 31 * 24 && passed.allSatisfy { $0.trigger == .pass })
    #expect(await local.runs(of: "quick").allSatisfy { $0.trigger == .schedule })
  }

  @Test("A handler that sleeps by the clock takes virtual time only, and one that sleeps too long is timed out")
  func sleeping() async throws {
    let tally = Tally()
    let registry = try JobRegistry {
      EndpointJob("nap") { context in
        try await context.clock.sleep(until: context.clock.now() + .minutes(2))
        _ = tally.count("nap")
        return .done
      }
      EndpointJob("coma") { context in
        _ = tally.count("coma")
        try await context.clock.sleep(until: context.clock.now() + .hours(2))
        return .done
      }
      .timeout(.minutes(3))
      .retry(RetryPolicy(maxAttempts: 2, backoff: .fixed(.minutes(1)), jitter: .none))
    }
    let local = try await JobRuntime.simulated(registry)
    let nap = try await local.runtime.enqueue("nap")
    let coma = try await local.runtime.enqueue("coma")
    try await local.advance(by: .minutes(1))
    #expect(tally["nap"] == 0)
    try await local.advance(by: .minutes(1))
    #expect(tally["nap"] == 1)
    try await local.advance(by: .minutes(10))
    let reading = try await local.store.read(jobs: [], runs: [nap.id, coma.id])
    #expect(try reading.runs[nap.id]?.run.get().status == .succeeded)
    let dead = try #require(try reading.runs[coma.id]?.run.get())
    #expect(dead.status == .failed && dead.failure?.kind == "timeout" && dead.attempt == 2)
    #expect(tally["coma"] == 2)
  }

  @Test("An edit of the document at run time changes when a periodic job runs")
  func editedInterval() async throws {
    let tally = Tally()
    let registry = try JobRegistry {
      PeriodicJob("poll", every: .hours(6)) { _ in
        _ = tally.count("poll")
        return .done
      }
    }
    let local = try await JobRuntime.simulated(registry)
    try await local.advance(by: .hours(24))
    #expect(tally["poll"] == 4)
    var configuration = JobConfiguration()
    configuration.interval = .minutes(10)
    _ = try await local.store.commit([.putConfiguration("poll", configuration, .none)])
    try await local.advance(by: .hours(2))
    #expect((11...12).contains(tally["poll"] - 4), "the edit is noticed within one housekeeping")
    configuration.enabled = false
    _ = try await local.store.commit([.putConfiguration("poll", configuration, .none)])
    let before = tally["poll"]
    try await local.advance(by: .hours(5))
    #expect(tally["poll"] == before)
  }
}
