import CloudJobs
import CloudJobsCore

extension RuntimeConformance {
  static let misfireCases: [Case] = [
    Case("Times that were missed during a downtime collapse into one run, for the latest") { fixture in
      let local = try await downtime(fixture, .once)
      try ConformanceFailure.expect(
        fixture.handler.seconds(since: fixture.start), [120, 720, 840], "the times that were served")
      try ConformanceFailure.expect(local.outcomes(of: "poll"), [.succeeded, .succeeded, .succeeded], "the outcomes")
    },
    Case("Missed times are dropped with their reason, if the policy is to skip them") { fixture in
      let local = try await downtime(fixture, .skip, grace: .seconds(30))
      try ConformanceFailure.expect(
        fixture.handler.seconds(since: fixture.start), [120, 840], "the times that were served")
      let skipped = local.events.filter { $0.name == .skipped }
      try ConformanceFailure.expect(skipped.map(\.skipped), [.skippedMisfire], "the skipped occurrences")
      try ConformanceFailure.expect(
        skipped.first?.reason, "The time \(fixture.start + .minutes(12)) was missed, and missed times are dropped.",
        "the reason")
    },
    Case("A time that was missed by less than the grace is served, although the policy is to skip") { fixture in
      _ = try await downtime(fixture, .skip, grace: .minutes(2))
      try ConformanceFailure.expect(
        fixture.handler.seconds(since: fixture.start), [120, 720, 840], "the times that were served")
    },
    Case("The latest missed times are caught up with, oldest first, as many as the policy says") { fixture in
      _ = try await downtime(fixture, .catchUp(3))
      try ConformanceFailure.expect(
        fixture.handler.seconds(since: fixture.start), [120, 480, 600, 720, 840], "the times that were served")
    },
    Case("All missed times are caught up with, if the policy allows more than there are") { fixture in
      let local = try await downtime(fixture, .catchUp(100))
      try ConformanceFailure.expect(
        fixture.handler.seconds(since: fixture.start), [120, 240, 360, 480, 600, 720, 840], "the times that were served"
      )
      let ids = await local.runs(of: "poll").map(\.id)
      try ConformanceFailure.expect(Set(ids).count, 7, "the runs, one for each time")
    },
    Case("A document sets the policy for missed times") { fixture in
      _ = try await downtime(fixture, .once) { try await $0.runtime.configure("poll") { $0.misfire = .catchUp(2) } }
      try ConformanceFailure.expect(
        fixture.handler.seconds(since: fixture.start), [120, 600, 720, 840], "the times that were served")
    },
  ]

  /// Simulates a job that is due every two minutes, and a downtime of its service: no pass from 130 s to 750 s.
  ///
  /// The first pass after it, at 780 s, finds the times of 240 s to 720 s missed.
  private static func downtime(
    _ fixture: RuntimeConformanceFixture, _ policy: MisfirePolicy, grace: Duration = .minutes(5),
    _ prepare: (SimulatedRuntime) async throws -> Void = { _ in }
  ) async throws -> SimulatedRuntime {
    let handler = fixture.handler
    let local = try await fixture.simulate {
      $0.misfireGrace = grace
    } _: {
      PeriodicJob("poll", every: .minutes(2)) { context in try handler(context, at: context.scheduledFor ?? .epoch) }
        .misfire(policy)
    }
    try await prepare(local)
    try await local.advance(by: .seconds(130))
    local.fail(.delivery, for: .seconds(620))
    try await local.advance(by: .seconds(620))
    try ConformanceFailure.expect(handler.count, 1, "the attempts during the downtime")
    try ConformanceFailure.expect(local.count(of: .delivery), 10, "the ticks of the master job that failed")
    try await local.advance(by: .seconds(110))
    return local
  }
}
