import CloudJobs
import CloudJobsCore
import Testing

@Suite("The statistics of a runtime")
struct StatisticsTests {
  private let fixture = RuntimeFixture()

  @Test("A store that counts is asked for all numbers, and of another store the runs that are read are counted")
  func counts() async throws {
    try await put(3, .running)
    try await put(520, .scheduled)
    try await put(90, .pending)
    try await put(700, .failed)
    try await put(5, .succeeded)
    try await put(4, .cancelled)
    let counted = try await statistics(of: fixture.memory)
    #expect([counted.runningRuns, counted.waitingRuns, counted.failedRuns] == [3, 610, 700])
    #expect(!counted.isCut)
    let read = try await statistics(of: fixture.store)
    #expect([read.runningRuns, read.waitingRuns, read.failedRuns] == [3, 590, 500])
    #expect(read.isCut)
  }

  @Test("A status with as many runs as are read is not cut", arguments: [(500, false), (501, true)])
  func limit(count: Int, isCut: Bool) async throws {
    try await put(count, .failed)
    let read = try await statistics(of: fixture.store)
    #expect(read.failedRuns == 500 && read.isCut == isCut)
  }

  private func statistics(of store: any JobStore) async throws -> RuntimeStatistics {
    let runtime = JobRuntime(
      try JobRegistry { EndpointJob("send") { _ in .done } }, store: store, authentication: .trustLoopback,
      options: fixture.options())
    return try await runtime.statistics()
  }

  /// Stores runs with a status.
  private func put(_ count: Int, _ status: RunStatus) async throws {
    let runs = (0..<count).map { number in
      Run(
        id: RunID(job: "send", occurrence: .key("\(status.rawValue)-\(number)")), job: "send", trigger: .task,
        status: status, maxAttempts: 3, notBefore: RuntimeFixture.start, createdAt: RuntimeFixture.start)
    }
    for start in stride(from: 0, to: count, by: StoreLimits.batch) {
      let batch = runs[start..<min(count, start + StoreLimits.batch)]
      _ = try await fixture.memory.commit(batch.map { .putRun($0, .none) })
    }
  }
}
