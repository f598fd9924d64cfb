import CloudJobs
import CloudJobsCore
import CloudJobsEmulator

extension RuntimeConformance {
  private static let breaker = CircuitBreaker(threshold: 3, cooldown: .seconds(270))

  static let breakerCases: [Case] = [
    Case("A breaker opens after its threshold, probes after its cooldown, and closes on success") { fixture in
      let handler = fixture.handler
      handler.isFailing = true
      let local = try await fixture.simulate {
        PeriodicJob("poll", every: .minutes(1)) { context in try handler(context, at: context.scheduledFor ?? .epoch) }
          .retry(.never).breaker(breaker)
      }
      let start = local.now
      try await local.advance(by: .seconds(150))
      try ConformanceFailure.expect(try await local.breaker(of: "poll"), "closed", "the breaker after two failures")
      try await local.advance(by: .seconds(60))
      try ConformanceFailure.expect(try await local.breaker(of: "poll"), "open 450", "the breaker after three")
      try await local.advance(by: .seconds(255))
      try ConformanceFailure.expect(try await local.breaker(of: "poll"), "half open", "the breaker after its cooldown")
      try await local.advance(by: .seconds(75))
      try ConformanceFailure.expect(try await local.breaker(of: "poll"), "open 750", "the breaker after the probe")
      // Three failures at 1, 2 and 3 minutes; a probe at the first minute after the cooldown.
      try ConformanceFailure.expect(handler.seconds(since: start), [60, 120, 180, 480], "the attempts")
      handler.isFailing = false
      try await local.advance(by: .minutes(6))
      try ConformanceFailure.expect(
        handler.seconds(since: start), [60, 120, 180, 480, 780, 840, 900], "the attempts after the recovery")
      try ConformanceFailure.expect(try await local.breaker(of: "poll"), "closed", "the breaker after the recovery")
      let names = local.events.map(\.name).filter { $0 == .breakerOpened || $0 == .breakerClosed }
      try ConformanceFailure.expect(names, [.breakerOpened, .breakerOpened, .breakerClosed], "the breaker's events")
      let skipped = local.events.filter { $0.name == .skipped }
      try ConformanceFailure.expect(skipped.count, 8, "the skipped occurrences")
      try ConformanceFailure.expect(
        skipped.allSatisfy { $0.reason?.hasPrefix("The circuit breaker is open until") ?? false },
        "each skipped occurrence has its reason")
    },
    Case("Enqueued runs wait for an open breaker, and none is lost") { fixture in
      let handler = fixture.handler
      handler.isFailing = true
      let local = try await fixture.simulate {
        EndpointJob("send") { context in try handler(context, at: .epoch) }.retry(.never).breaker(breaker)
      }
      for key in ["a", "b", "c"] {
        try await local.runtime.enqueue("send", key: key)
        try await local.advance(by: .seconds(1))
      }
      for key in ["d", "e", "f"] { try await local.runtime.enqueue("send", key: key) }
      try await local.advance(by: .minutes(4))
      try ConformanceFailure.expect(handler.count, 3, "the attempts while the breaker is open")
      let waiting = await local.runs(of: "send").filter { $0.status == .scheduled }
      try ConformanceFailure.expect(waiting.count, 3, "the waiting runs")
      try ConformanceFailure.expect(waiting.map(\.attempt), [0, 0, 0], "the attempts of the waiting runs")
      handler.isFailing = false
      try await local.advance(by: .minutes(12))
      try ConformanceFailure.expect(handler.count, 6, "the attempts after the recovery")
      try ConformanceFailure.expect(Set(handler.runs).count, 6, "the runs that were attempted")
      let statuses = await local.runs(of: "send").map(\.status)
      try ConformanceFailure.expect(statuses.filter { $0 == .succeeded }.count, 3, "the runs that succeeded")
    },
    Case("Failures at the same time all count") { fixture in
      let handler = fixture.handler
      handler.isFailing = true
      let local = try await fixture.simulate {
        EndpointJob("send") { context in
          try await context.clock.sleep(until: context.clock.now() + .seconds(1))
          try handler(context, at: .epoch)
        }.retry(.never).breaker(breaker)
      }
      for key in 1...3 { try await local.runtime.enqueue("send", key: "\(key)") }
      try await local.advance(by: .seconds(5))
      try ConformanceFailure.expect(handler.count, 3, "the attempts")
      try ConformanceFailure.expect(
        local.events.map(\.name).filter { $0 == .breakerOpened }, [.breakerOpened], "the breaker's events")
    },
    Case("A half-open breaker lets one run pass at a time") { fixture in
      let handler = fixture.handler
      handler.isFailing = true
      let local = try await fixture.simulate {
        EndpointJob("send") { context in try handler(context, at: .epoch) }.retry(.never).breaker(breaker)
      }
      for key in ["a", "b", "c"] {
        try await local.runtime.enqueue("send", key: key)
        try await local.advance(by: .seconds(1))
      }
      for number in 0..<10 { try await local.runtime.enqueue("send", key: "\(number)") }
      try await local.advance(by: .minutes(5) + .seconds(30))
      try ConformanceFailure.expect(handler.count, 4, "the attempts after one cooldown")
      try await local.advance(by: .minutes(5))
      try ConformanceFailure.expect(handler.count, 5, "the attempts after two cooldowns")
    },
    Case("A success resets the count of failures, also of an endpoint") { fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate {
        EndpointJob("send") { context in try handler(context, at: .epoch) }.retry(.never).breaker(breaker)
      }
      for (number, fails) in [true, true, false, true, true, false].enumerated() {
        handler.isFailing = fails
        try await local.runtime.enqueue("send", key: "\(number)")
        try await local.advance(by: .seconds(1))
      }
      try ConformanceFailure.expect(handler.count, 6, "the attempts")
      try ConformanceFailure.expect(local.events.contains { $0.name == .breakerOpened }, false, "the breaker opened")
    },
    Case("A document sets a breaker, and switches it off") { fixture in
      let handler = fixture.handler
      handler.isFailing = true
      let local = try await fixture.simulate {
        PeriodicJob("poll", every: .minutes(1)) { context in try handler(context, at: .epoch) }
          .retry(.never).breaker(breaker)
      }
      try await local.runtime.configure("poll") { $0.breaker = CircuitBreaker(threshold: 0) }
      try await local.advance(by: .minutes(6))
      try ConformanceFailure.expect(handler.count, 6, "the attempts without a breaker")
      try ConformanceFailure.expect(try await local.breaker(of: "poll"), "none", "the breaker that is switched off")
      try await local.runtime.configure("poll") { $0.breaker = CircuitBreaker(threshold: 1, cooldown: .minutes(3)) }
      try await local.advance(by: .minutes(6))
      try ConformanceFailure.expect(handler.count, 8, "the attempts with the document's breaker")
    },
    Case("A manual trigger passes an open breaker, and its success closes it") { fixture in
      let handler = fixture.handler
      handler.isFailing = true
      let local = try await fixture.simulate {
        PeriodicJob("poll", every: .minutes(1)) { context in try handler(context, at: .epoch) }
          .retry(.never).breaker(breaker)
      }
      try await local.advance(by: .minutes(4))
      handler.isFailing = false
      let result = try await local.runtime.run("poll")
      try ConformanceFailure.expect(result.status, .succeeded, "the result of the manual run")
      try await local.advance(by: .minutes(1))
      try ConformanceFailure.expect(handler.count, 5, "the attempts")
    },
  ]
}

extension SimulatedRuntime {
  /// Returns the breaker in a job's report, and of an open one the seconds from the start until it lets a probe pass;
  /// the report's health and first reason must say the same.
  fileprivate func breaker(of job: JobID) async throws -> String {
    let report = try await runtime.report(on: job)
    let start = Timestamp(seconds: 1_767_225_600)
    switch report.breaker {
    case .none: return "none"
    case .closed: return "closed"
    case .open(let until):
      try ConformanceFailure.expect(report.health, .failing, "the health while the breaker is open")
      try ConformanceFailure.expect(report.reasons.first, "The circuit breaker is open until \(until).", "the reason")
      return "open \((until - start).components.seconds)"
    case .halfOpen:
      try ConformanceFailure.expect(report.health, .failing, "the health while the breaker waits for a probe")
      try ConformanceFailure.expect(report.reasons.first, "The circuit breaker waits for a probe.", "the reason")
      return "half open"
    }
  }
}
