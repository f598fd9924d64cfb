#if HTTP && Server
import CloudJobs
import CloudJobsCore
import CloudJobsEmulatorServer
import CloudJobsHTTP
import CloudJobsTesting
import Synchronization
import Testing

@testable import CloudJobsGoogle

@Suite("Firestore store over libcurl", .timeLimit(.minutes(2)))
struct FirestoreSocketTests {
  /// Serves an emulator on a free port while a function runs.
  private func serving(_ body: @escaping @Sendable (FirestoreStore) async throws -> Void) async throws {
    let (ports, continuation) = AsyncStream<Int>.makeStream()
    var configuration = EmulatorConfiguration()
    configuration.port = 0
    configuration.onReady = { port in
      continuation.yield(port)
      continuation.finish()
    }
    let server = EmulatorServer(configuration: configuration)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await server.run() }
      var found = ports.makeAsyncIterator()
      let port = try #require(await found.next())
      let client = CurlHTTPClient()
      try await body(.firestore(try GoogleCloud(emulator: "127.0.0.1:\(port)", project: "test", client: client)))
      await client.shutDown()
      group.cancelAll()
    }
  }

  @Test("A run is created, claimed, finished and listed, also from a cancelled task")
  func life() async throws {
    try await serving { store in
      var run = FirestoreSamples.run
      run.fence = 0
      let time = try await store.commit([.putRun(run, .absent)])
      #expect(time > FirestoreSamples.run.createdAt)
      run.fence = 1
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.cancelAll()
        group.addTask { [run] in _ = try await store.commit([.putRun(run, .fence(0))]) }
        try await group.waitForAll()
      }
      let page = try await store.runs(matching: RunFilter(job: "sample"), after: nil, limit: 5)
      #expect(try page.records.map { try $0.run.get() } == [run] && page.time >= time)
      #expect(try await store.wakingRuns(after: nil, limit: 5).records.count == 1)
      await #expect(throws: StoreError.self) { try await store.commit([.putRun(run, .absent)]) }
    }
  }

  @Test("A commit whose response is lost on a kept connection is sent once, and its outcome is unknown")
  func lostAnswer() async throws {
    let firestore = try LosingFirestore()
    let client = CurlHTTPClient()
    let store = FirestoreStore.firestore(
      try GoogleCloud(emulator: firestore.host, project: "test", client: client))
    _ = try await store.commit([.putRun(FirestoreSamples.run, .absent)])
    let error = await #expect(throws: StoreError.self) {
      try await store.commit([.putRun(FirestoreSamples.run, .absent)])
    }
    #expect(error?.code == .unknownOutcome)
    await client.shutDown()
  }

  @Test("Of 100 claims over kept connections exactly one succeeds")
  func claims() async throws {
    try await serving { store in
      let run = FirestoreSamples.run
      _ = try await store.commit([.putRun(run, .absent)])
      let version = try #require(try await store.read(jobs: [], runs: [run.id]).runs[run.id]).version
      let winners = await withTaskGroup(of: Bool.self) { group in
        for number in 0..<100 {
          group.addTask {
            var claimed = run
            claimed.fence = Int64(number) + 10
            return (try? await store.commit([.putRun(claimed, .version(version))])) != nil
          }
        }
        return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
      }
      #expect(winners == 1)
    }
  }
}
#endif
