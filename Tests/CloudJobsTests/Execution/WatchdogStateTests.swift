import CloudJobsCore
import Testing

@testable import CloudJobs

@Suite("Watchdog: its decisions")
struct WatchdogStateTests {
  private func claimed(_ job: JobID, limit: Duration = .seconds(1)) throws -> ClaimedRun {
    var policy = JobPolicy()
    policy.timeout = limit
    let job = try ResolvedJob(
      JobDefinition(id: job, kind: .endpoint, policy: policy), configuration: nil, zones: .system)
    let start = RuntimeFixture.start
    let run = Run(
      id: RunID(job: job.id, occurrence: .key("k")), job: job.id, trigger: .task, maxAttempts: 3, notBefore: start,
      createdAt: start)
    return ClaimedRun(run: run, job: job, time: start, local: start)
  }

  private func check(_ state: inout WatchdogState, _ milliseconds: Int) -> [String] {
    state.check(at: .milliseconds(milliseconds)).map { action in
      switch action {
      case .beat(let number): "beat \(number)"
      case .reportBlocked(let culprits, let span):
        "blocked \(span.microseconds / 1_000): \(culprits.map(\.claimed.run.job.rawValue).joined(separator: " "))"
      case .reportRecovered(let span): "recovered \(span.microseconds / 1_000)"
      case .leave(let overdue): "leave: \(overdue.map(\.claimed.run.job.rawValue).joined(separator: " "))"
      }
    }
  }

  @Test("Without attempts the pool is left alone")
  func idle() throws {
    var state = WatchdogState(WatchdogLimits())
    #expect(state.isIdle)
    #expect(check(&state, 0) == [])
    let number = state.begin(try claimed("a"), isOnSharedPool: true, at: .zero)
    #expect(!state.isIdle)
    #expect(check(&state, 1) == ["beat 1"])
    state.answered(1)
    #expect(check(&state, 100) == ["beat 2"])
    state.end(number)
    #expect(!state.isIdle)
    state.answered(1)
    #expect(!state.isIdle)
    state.answered(2)
    #expect(state.isIdle)
  }

  @Test("A blocked pool is reported once with the attempts on it, and left when one is overdue")
  func blocked() throws {
    var state = WatchdogState(WatchdogLimits())
    _ = state.begin(try claimed("patient", limit: .seconds(60)), isOnSharedPool: true, at: .zero)
    _ = state.begin(try claimed("computes"), isOnSharedPool: false, at: .zero)
    _ = state.begin(try claimed("spins"), isOnSharedPool: true, at: .zero)
    #expect(check(&state, 0) == ["beat 1"])
    for time in [100, 200, 249] { #expect(check(&state, time) == []) }
    #expect(check(&state, 250) == ["blocked 250: patient spins"])
    for time in stride(from: 350, to: 1_150, by: 100) { #expect(check(&state, time) == []) }
    #expect(check(&state, 1_149) == [])
    #expect(check(&state, 1_150) == ["leave: spins"])
    #expect(check(&state, 1_250) == [])
  }

  @Test("A pool that answers again is not left, however late the attempts are")
  func recovers() throws {
    var state = WatchdogState(WatchdogLimits())
    _ = state.begin(try claimed("slow"), isOnSharedPool: true, at: .zero)
    #expect(check(&state, 0) == ["beat 1"])
    for time in [100, 200] { #expect(check(&state, time) == []) }
    #expect(check(&state, 300) == ["blocked 300: slow"])
    state.answered(1)
    #expect(check(&state, 400) == ["recovered 400", "beat 2"])
    for time in stride(from: 500, to: 5_000, by: 100) {
      state.answered(2 + (time - 500) / 100)
      #expect(check(&state, time) == ["beat \(3 + (time - 500) / 100)"])
    }
  }

  @Test("After a pause of the whole process, the pool has its time again")
  func pause() throws {
    var state = WatchdogState(WatchdogLimits())
    _ = state.begin(try claimed("slow"), isOnSharedPool: true, at: .zero)
    #expect(check(&state, 0) == ["beat 1"])
    #expect(check(&state, 60_000) == [])
    #expect(check(&state, 60_100) == [])
    #expect(check(&state, 60_200) == [])
    #expect(check(&state, 60_250) == ["blocked 250: slow", "leave: slow"])
  }
}
