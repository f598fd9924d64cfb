#if SQLite
import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsSQLite
import CloudJobsTesting
import Testing

@Suite("A simulation over a SQLite store")
struct SQLiteSimulationTests {
  private struct Mail: JobInput {
    static let jobID: JobID = "mail"
    var userID: String
  }

  @Test("performs, asserts, drains, fails and crashes as one over a store in memory")
  func everything() async throws {
    let folder = try TemporaryFolder()
    let clock = VirtualClock(start: Timestamp(seconds: 1_767_225_600))
    let store = try SQLiteStore(path: folder.path(), clock: clock)
    let registry = try JobRegistry {
      PeriodicJob("report", every: .hours(1)) { context in
        try await context.enqueue(Mail(userID: "7"), after: .minutes(5), key: "mail-7")
      }
      EndpointJob(Mail.self) { _, context in try await context.clock.sleep(for: .seconds(30)) }
        .retry(RetryPolicy(maxAttempts: 3, backoff: .fixed(.seconds(1)), jitter: .none))
    }
    let local = try await JobRuntime.simulated(try registry.failing("mail", first: 1), store: store, clock: clock)
    try await local.perform("report")
    try await local.assertEnqueued(Mail(userID: "7"), after: .minutes(5), key: "mail-7", count: 1)
    await #expect(throws: TestFailure.self) { try await local.assertNotEnqueued(Mail.self) }
    local.fail(.store, times: 2)
    local.fail(.lostResponse)
    // The second attempt is under way.
    try await local.advance(by: .minutes(5) + .seconds(20))
    local.crash()
    let drained = try await local.drain()
    #expect(drained.runs.map(\.attempt) == [3] && drained.succeeded == 1)
    #expect(local.count(of: .store) == 2 && local.count(of: .lostResponse) == 1)
    #expect(try await local.runs(of: Mail.self).map(\.input.userID) == ["7"])
    withExtendedLifetime(folder) {}
  }
}
#endif
