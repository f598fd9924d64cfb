import CloudJobs
import CloudJobsCore

/// What the fencing token protects.
extension StoreConformance {
  static let fenceCases: [Case] = [
    Case("A finish under the claim's own token is done, also after the run changed") { world in
      let claimed = try await claim(world, token: 1)
      var heartbeat = claimed
      heartbeat.lease?.expiresAt = world.time(60)
      try await world.commit(.putRun(heartbeat, .fence(1)))
      try await world.commit(.putRun(finished(heartbeat), .fence(1)))
      try ConformanceFailure.expect(try await world.run(claimed.id)?.status, .succeeded, "the status")
    },
    Case("A finish of an attempt whose run was claimed again is refused") { world in
      let zombie = try await claim(world, token: 1)
      let successor = try await claim(world, token: 2)
      try await world.refuse(.conflict, [.putRun(finished(zombie), .fence(1))])
      try ConformanceFailure.expect(try await world.run(zombie.id), successor, "the run of the successor")
      try await world.commit(.putRun(finished(successor), .fence(2)))
      try await world.refuse(.conflict, [.putRun(finished(zombie), .fence(1))])
    },
    Case("What goes with a stale token does not take place") { world in
      let zombie = try await claim(world, token: 1)
      _ = try await claim(world, token: 2)
      try await world.refuse(
        .conflict, [.putRun(Samples.run("effect"), .absent), .putRun(finished(zombie), .fence(1))])
      try ConformanceFailure.expect(try await world.record(Samples.id("effect")) == nil, "the effect is not there")
    },
    Case("A finish of a deleted run is refused, also where it was made again") { world in
      let zombie = try await claim(world, token: 3)
      try await world.commit(.deleteRun(zombie.id, .none))
      try await world.refuse(.conflict, [.putRun(finished(zombie), .fence(3))])
      try await world.commit(.putRun(Samples.run("claimed"), .absent))
      try await world.refuse(.conflict, [.putRun(finished(zombie), .fence(3))])
    },
    Case("Token 0 means a run that was never claimed") { world in
      let run = Samples.run("claimed")
      try await world.refuse(.conflict, [.putRun(run, .fence(0))])
      try await world.commit(.putRun(run, .none))
      try await world.commit(.putRun(run, .fence(0)))
      _ = try await claim(world, token: 1)
      try await world.refuse(.conflict, [.putRun(run, .fence(0))])
    },
    Case("Tokens may be as large as 64 bits allow") { world in
      let claimed = try await claim(world, token: .max)
      try await world.refuse(.conflict, [.putRun(claimed, .fence(.max - 1))])
      try await world.commit(.putRun(finished(claimed), .fence(.max)))
    },
  ]

  private static func claim(_ world: ConformanceWorld, token: Int64) async throws -> Run {
    var run = Samples.run("claimed", status: .running, fence: token)
    run.lease = Lease(owner: "instance \(token)", token: token, expiresAt: world.time(30))
    run.wakeAt = world.time(30)
    try await world.commit(.putRun(run, .none))
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
