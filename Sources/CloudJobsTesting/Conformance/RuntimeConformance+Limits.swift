import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import Synchronization

extension RuntimeConformance {
  static let limitCases: [Case] = [
    Case("maxConcurrent is never exceeded, and whoever waits starts as soon as there is room") { fixture in
      let gauge = Gauge()
      let local = try await fixture.simulate {
        EndpointJob("work") { context in try await gauge.hold(context, .seconds(10)) }.maxConcurrent(3)
      }
      for number in 0..<30 { try await local.runtime.enqueue("work", key: "\(number)") }
      // Ten times the duration of an attempt. A run that is not woken tries again by itself, but only seconds later.
      try await local.advance(by: .seconds(102))
      try ConformanceFailure.expect(gauge.peak, 3, "the attempts at once")
      try ConformanceFailure.expect(gauge.count, 30, "the attempts")
      try ConformanceFailure.expect(
        await local.runs(of: "work").allSatisfy { $0.status == .succeeded && $0.attempt == 1 && $0.permits == [] },
        "all runs succeed at their first attempt, and hold no permit")
    },
    Case("More runs wait than the ledger lists, and none is forgotten") { fixture in
      let gauge = Gauge()
      let local = try await fixture.simulate {
        EndpointJob("work") { context in try await gauge.hold(context, .seconds(1)) }.maxConcurrent(4)
      }
      try await local.runtime.enqueue((0..<240).map { EnqueueRequest("work", key: "\($0)") })
      try await local.advance(by: .seconds(70))
      try ConformanceFailure.expect(gauge.peak, 4, "the attempts at once")
      try ConformanceFailure.expect(gauge.count, 240, "the attempts")
    },
    Case("The jobs of a group share its limit, and each also obeys its own") { fixture in
      let (first, second, all) = (Gauge(), Gauge(), Gauge())
      let local = try await fixture.simulate {
        EndpointJob("first") { context in try await all.hold(context, .seconds(10), first) }
          .group("imports", maxConcurrent: 3).maxConcurrent(2)
        EndpointJob("second") { context in try await all.hold(context, .seconds(10), second) }
          .group("imports", maxConcurrent: 3)
      }
      for number in 0..<9 {
        for job in ["first", "second"] as [JobID] { try await local.runtime.enqueue(job, key: "\(number)") }
      }
      try await local.advance(by: .minutes(2))
      try ConformanceFailure.expect(all.peak, 3, "the attempts of the group at once")
      try ConformanceFailure.expect(first.peak <= 2, "the first job obeys its own limit")
      try ConformanceFailure.expect(all.count, 18, "the attempts")
    },
    Case("A rate is never exceeded in any period, and its room is used") { fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate {
        EndpointJob("send") { context in try handler(context, at: context.clock.now()) }
          .rate(RateLimit(5, per: .seconds(64)))
      }
      let start = local.now
      for number in 0..<20 { try await local.runtime.enqueue("send", key: "\(number)") }
      try await local.advance(by: .minutes(5))
      let seconds = handler.seconds(since: start)
      try ConformanceFailure.expect(seconds.count, 20, "the attempts")
      for (first, last) in zip(seconds, seconds.dropFirst(5)) {
        try ConformanceFailure.expect(last - first >= 64, "six starts lie \(last - first) s apart")
      }
      let last = try ConformanceFailure.unwrap(seconds.max(), "the last start")
      try ConformanceFailure.expect(last < 4 * 64, "the last start is in the fourth period")
    },
    Case("An attempt that fails gives its permit back, and its retry takes one again") { fixture in
      let gauge = Gauge()
      let local = try await fixture.simulate {
        EndpointJob("work") { context in
          try await gauge.hold(context, .seconds(1))
          if context.attempt < 3 { throw JobFailure.failed("Not yet.") }
        }.maxConcurrent(1).retry(RetryPolicy(maxAttempts: 5))
      }
      for number in 0..<4 { try await local.runtime.enqueue("work", key: "\(number)") }
      try await local.advance(by: .minutes(20))
      try ConformanceFailure.expect((gauge.peak, gauge.count) == (1, 12), "12 attempts, one after the other")
      try ConformanceFailure.expect(
        await local.runs(of: "work").allSatisfy { $0.status == .succeeded }, "all runs succeed")
    },
    Case("A periodic job obeys the limit of its group, and what waits is not repeated") { fixture in
      let gauge = Gauge()
      let local = try await fixture.simulate {
        PeriodicJob("poll", every: .minutes(1)) { context in try await gauge.hold(context, .seconds(5)) }
          .group("g", maxConcurrent: 1)
        EndpointJob("long") { context in try await gauge.hold(context, .seconds(150)) }.group("g", maxConcurrent: 1)
      }
      try await local.runtime.enqueue("long")
      try await local.advance(by: .seconds(170))
      try ConformanceFailure.expect(gauge.peak, 1, "the attempts at once")
      let runs = await local.runs(of: "poll")
      try ConformanceFailure.expect(runs.map(\.status), [.succeeded], "the runs of the periodic job")
      try await local.advance(by: .minutes(2))
      try ConformanceFailure.expect(gauge.count, 4, "the attempts")
    },
    Case("A manual run obeys the limit, waits and says so") { fixture in
      let gauge = Gauge()
      let local = try await fixture.simulate {
        EndpointJob("work") { context in try await gauge.hold(context, .seconds(30)) }.maxConcurrent(1)
      }
      try await local.runtime.enqueue("work", key: "first")
      try await local.advance(by: .seconds(1))
      let result = try await local.runtime.run("work", key: "second")
      try ConformanceFailure.expect(result.status, .waiting, "the result")
      try ConformanceFailure.expect(result.reason?.contains("1") ?? false, "the reason names the limit")
      try await local.advance(by: .minutes(2))
      try ConformanceFailure.expect((gauge.peak, gauge.count) == (1, 2), "two attempts, one after the other")
    },
    Case("A document sets a limit, and lifts it") { fixture in
      let gauge = Gauge()
      let local = try await fixture.simulate {
        EndpointJob("work") { context in try await gauge.hold(context, .seconds(10)) }
      }
      try await local.runtime.configure("work") { $0.maxConcurrent = 2 }
      for number in 0..<6 { try await local.runtime.enqueue("work", key: "\(number)") }
      try await local.advance(by: .seconds(45))
      try ConformanceFailure.expect((gauge.peak, gauge.count) == (2, 6), "six attempts, two at once")
      try await local.runtime.configure("work") { $0.maxConcurrent = 0 }
      for number in 6..<12 { try await local.runtime.enqueue("work", key: "\(number)") }
      try await local.advance(by: .seconds(15))
      try ConformanceFailure.expect((gauge.peak, gauge.count) == (6, 12), "six more attempts, all at once")
    },
  ]

  /// The number of attempts at once.
  final class Gauge: Sendable {
    private struct State {
      var (current, peak, count) = (0, 0, 0)
    }

    private let state = Mutex(State())

    var peak: Int { state.withLock { $0.peak } }
    /// The number of attempts that have ended.
    var count: Int { state.withLock { $0.count } }

    /// Executes an attempt of a duration, which counts here and in another gauge.
    func hold(_ context: JobContext, _ span: Duration, _ other: Gauge? = nil) async throws {
      for gauge in [self, other].compactMap({ $0 }) {
        gauge.state.withLock { state in
          state.current += 1
          state.peak = max(state.peak, state.current)
        }
      }
      try await context.clock.sleep(for: span)
      for gauge in [self, other].compactMap({ $0 }) {
        gauge.state.withLock { state in
          state.current -= 1
          state.count += 1
        }
      }
    }
  }
}
