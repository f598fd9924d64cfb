import CloudJobs
import CloudJobsCore
import CloudJobsEmulator

extension RuntimeConformance {
  static let overlapCases: [Case] = [
    Case("Occurrences are skipped while an earlier run waits for its retry, each with its reason") { fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate { poll(handler).overlap(.skip) }
      try await local.advance(by: .seconds(310))
      try ConformanceFailure.expect(
        handler.seconds(since: fixture.start), [60, 60, 240, 300], "the times that were attempted")
      let skipped = local.events.filter { $0.name == .skipped }
      try ConformanceFailure.expect(
        skipped.map(\.skipped), [.skippedOverlap, .skippedOverlap], "the skipped occurrences")
      let first = try ConformanceFailure.unwrap(handler.runs.first, "the first run")
      try ConformanceFailure.expect(skipped.first?.reason, "The run \(first) is still scheduled.", "the reason")
    },
    Case("Occurrences execute beside an earlier run, if they are allowed to") { fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate { poll(handler).overlap(.allow) }
      try await local.advance(by: .seconds(310))
      try ConformanceFailure.expect(
        handler.seconds(since: fixture.start), [60, 120, 180, 60, 240, 300], "the times that were attempted")
    },
    Case("Occurrences wait for an earlier run, if they queue, and execute one after the other") { fixture in
      let handler = fixture.handler
      let gauge = Gauge()
      // Passes meet the polls and claims of waiting runs, which change the job's state, and lose no occurrence to them.
      let local = try await fixture.simulate { poll(handler, gauge).overlap(.queue) }
      try await local.advance(by: .seconds(190))
      try ConformanceFailure.expect(
        handler.seconds(since: fixture.start), [60], "the times that were attempted before the retry")
      let waiting = await local.runs(of: "poll").filter { $0.status == .scheduled && $0.attempt == 0 }
      try ConformanceFailure.expect(waiting.count, 2, "the runs that wait")
      try ConformanceFailure.expect(
        waiting.allSatisfy { $0.reason?.hasSuffix("is still scheduled.") ?? false }, "each has its reason")
      try await local.advance(by: .seconds(240))
      try ConformanceFailure.expect(gauge.peak, 1, "the attempts at once")
      let times = handler.seconds(since: fixture.start)
      try ConformanceFailure.expect(times.filter { $0 == 60 }.count, 2, "the attempts of the first run")
      try ConformanceFailure.expect(Set(times).isSuperset(of: [60, 120, 180, 240]), "none is lost: \(times)")
      let later = times.filter { $0 > 60 }
      try ConformanceFailure.expect(Set(later).count, later.count, "the attempts of the later runs, one each")
    },
    Case("A document allows n attempts at once by its overlap") { fixture in
      let gauge = Gauge()
      let local = try await fixture.simulate {
        EndpointJob("work") { context in try await gauge.hold(context, .seconds(10)) }
      }
      let allowed = try JobConfiguration(fields: ["overlap": "allow(2)"])
      try await local.runtime.configure("work") { $0 = allowed }
      for number in 0..<6 { try await local.enqueue("work", key: "\(number)") }
      let drained = try await local.drain()
      try ConformanceFailure.expect(gauge.peak, 2, "the attempts at once")
      try ConformanceFailure.expect(drained.succeeded, 6, "the runs that succeeded")
    },
  ]

  /// Returns a job that is due every minute, and whose first run fails at 60 s and is retried at 220 s.
  private static func poll(_ handler: ControlledHandler, _ gauge: Gauge? = nil) -> PeriodicJob<NoInput> {
    PeriodicJob("poll", every: .minutes(1)) { context in
      try handler(context, at: context.scheduledFor ?? .epoch)
      if handler.count == 1 { throw JobFailure.failed("The first attempt fails.") }
      try await gauge?.hold(context, .seconds(5))
    }.retry(RetryPolicy(maxAttempts: 2, backoff: .fixed(.seconds(160)), jitter: .none))
  }
}
