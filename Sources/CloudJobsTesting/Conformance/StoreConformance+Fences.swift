import CloudJobs
import CloudJobsCore

/// What the fencing token protects.
extension StoreConformance {
  static let fenceCases: [Case] = [
    Case("A finish under the claim's own token is done, also after the run changed") { fixture in
      let claimed = try await claim(fixture, token: 1)
      var heartbeat = claimed
      heartbeat.lease?.expiresAt = fixture.time(60)
      try await fixture.commit(.putRun(heartbeat, .fence(1)))
      try await fixture.commit(.putRun(finished(heartbeat), .fence(1)))
      try ConformanceFailure.expect(try await fixture.run(claimed.id)?.status, .succeeded, "the status")
    },
    Case("A finish of an attempt whose run was claimed again is refused") { fixture in
      let zombie = try await claim(fixture, token: 1)
      let successor = try await claim(fixture, token: 2)
      try await fixture.refuse(.conflict, [.putRun(finished(zombie), .fence(1))])
      try ConformanceFailure.expect(try await fixture.run(zombie.id), successor, "the run of the successor")
      try await fixture.commit(.putRun(finished(successor), .fence(2)))
      try await fixture.refuse(.conflict, [.putRun(finished(zombie), .fence(1))])
    },
    Case("What goes with a stale token does not take place") { fixture in
      let zombie = try await claim(fixture, token: 1)
      _ = try await claim(fixture, token: 2)
      try await fixture.refuse(
        .conflict, [.putRun(Samples.run("effect"), .absent), .putRun(finished(zombie), .fence(1))])
      try ConformanceFailure.expect(try await fixture.record(Samples.id("effect")) == nil, "the effect is not there")
    },
    Case("A finish of a deleted run is refused, also where it was made again") { fixture in
      let zombie = try await claim(fixture, token: 3)
      try await fixture.commit(.deleteRun(zombie.id, .none))
      try await fixture.refuse(.conflict, [.putRun(finished(zombie), .fence(3))])
      try await fixture.commit(.putRun(Samples.run("claimed"), .absent))
      try await fixture.refuse(.conflict, [.putRun(finished(zombie), .fence(3))])
    },
    Case("Token 0 means a run that was never claimed") { fixture in
      let run = Samples.run("claimed")
      try await fixture.refuse(.conflict, [.putRun(run, .fence(0))])
      try await fixture.commit(.putRun(run, .none))
      try await fixture.commit(.putRun(run, .fence(0)))
      _ = try await claim(fixture, token: 1)
      try await fixture.refuse(.conflict, [.putRun(run, .fence(0))])
    },
    Case("Tokens may be as large as 64 bits allow") { fixture in
      let claimed = try await claim(fixture, token: .max)
      try await fixture.refuse(.conflict, [.putRun(claimed, .fence(.max - 1))])
      try await fixture.commit(.putRun(finished(claimed), .fence(.max)))
    },
  ]

  private static func claim(_ fixture: ConformanceFixture, token: Int64) async throws -> Run {
    var run = Samples.run("claimed", status: .running, fence: token)
    run.lease = Lease(owner: "instance \(token)", token: token, expiresAt: fixture.time(30))
    run.wakeAt = fixture.time(30)
    try await fixture.commit(.putRun(run, .none))
    return run
  }

  private static func finished(_ run: Run) -> Run {
    var run = run
    run.status = .succeeded
    run.lease = nil
    run.wakeAt = nil
    run.output = JSONText(.integer(run.fence))
    return run
  }
}
