#if SQLite
import CloudJobs
import CloudJobsCore
import CloudJobsSQLite
import GRDB
import Synchronization
import Testing

@Suite("Enqueue in the caller's transaction on SQLite")
struct SQLiteTransactionTests {
  struct Stop: Error {}

  private func runtime(_ fixture: EffectFixture) throws -> JobRuntime {
    try fixture.runtime {
      EndpointJob("ship", input: Int.self) { _, _ in .done }
      EndpointJob("order") { context in
        try await fixture.store.perform(effect: "order", for: context) { database in
          try EffectFixture.pay(context)(database)
          try fixture.store.enqueue([EnqueueRequest("ship", 1, key: "child")], of: context, in: database)
        }
      }
    }
  }

  @Test("Rows and runs commit together, or not at all", arguments: [true, false])
  func atomic(isOwnConnection: Bool) async throws {
    let fixture = try await EffectFixture()
    let (store, runtime) = (fixture.store, try runtime(fixture))
    let queue = try DatabaseQueue(path: fixture.folder.path())
    @Sendable func order(_ key: String, _ fails: Bool, _ database: Database) throws -> [EnqueuedRun] {
      try database.execute(sql: "INSERT INTO payments VALUES (?, 0)", arguments: [key])
      let runs = try store.enqueue(
        [EnqueueRequest("ship", 1, key: key), EnqueueRequest("ship", 2, key: key)], of: runtime, in: database)
      if fails { throw Stop() }
      return runs
    }
    func write(_ key: String, fails: Bool) async throws -> [EnqueuedRun] {
      isOwnConnection
        ? try await queue.write { try order(key, fails, $0) } : try await store.write { try order(key, fails, $0) }
    }
    await #expect(throws: Stop.self) { try await write("a", fails: true) }
    #expect(try await fixture.number("SELECT count(*) FROM runs") == 0)
    #expect(try await fixture.number("SELECT count(*) FROM payments") == 0)
    let runs = try await write("b", fails: false)
    #expect(runs.map(\.isNew) == [true, false] && Set(runs.map(\.id)).count == 1)
    #expect(try await write("b", fails: false).map(\.isNew) == [false, false])
    let stored = try #require(try await store.read(jobs: [], runs: [runs[0].id]).runs[runs[0].id]).run.get()
    #expect((stored.status, stored.input?.description, stored.uniqueKey) == (.pending, "1", "b"))
    #expect(try await fixture.number("SELECT count(*) FROM payments") == 2)
    #expect(await runtime.deliver(delivery("ship", "b")).status == .succeeded)
  }

  @Test("An effect enqueues children, once, and versions stay unique")
  func children() async throws {
    let fixture = try await EffectFixture()
    let runtime = try runtime(fixture)
    await withTaskGroup(of: DeliveryResult.Status.self) { group in
      for number in 0..<50 { group.addTask { await runtime.deliver(delivery("order", "\(number)")).status } }
      for await status in group { #expect(status == .succeeded) }
    }
    #expect(try await fixture.number("SELECT count(*) FROM runs WHERE job = 'ship'") == 1)
    #expect(try await fixture.number("SELECT count(*) FROM payments") == 50)
    #expect(try await fixture.number("SELECT count(*) - count(DISTINCT version) FROM runs") == 0)
    let all = "(SELECT version FROM runs UNION ALL SELECT version FROM jobs)"
    #expect(try await fixture.number("SELECT (SELECT last_version FROM store) - max(version) FROM \(all)") == 0)
    let child = try #require(
      try await fixture.store.runs(matching: RunFilter(job: "ship"), after: nil, limit: 1).records.first
    ).run.get()
    #expect(child.parent != nil && child.trigger == .parent)
  }

  @Test("The commit wakes the worker of this process")
  func wakes() async throws {
    let fixture = try await EffectFixture()
    let (ran, done) = AsyncStream.makeStream(of: Int.self)
    let runtime = try fixture.runtime(clock: .system) {
      EndpointJob("ship", input: Int.self) { number, _ in
        done.yield(number)
        return .done
      }
    }
    var options = JobWorker.Options()
    options.pollInterval = .seconds(600)
    let worker = JobWorker(runtime, options: options)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await worker.run() }
      var iterator = ran.makeAsyncIterator()
      for number in 1...3 {
        try await fixture.store.write { database in
          try fixture.store.enqueue([EnqueueRequest("ship", number)], of: runtime, in: database)
        }
        #expect(await iterator.next() == number)
      }
      group.cancelAll()
    }
  }

  @Test("Another file, a missing transaction, an unknown job and too many requests are refused")
  func refusals() async throws {
    let fixture = try await EffectFixture()
    let (store, runtime) = (fixture.store, try runtime(fixture))
    let other = try DatabaseQueue(path: fixture.folder.path("other.db"))
    let same = try DatabaseQueue(path: fixture.folder.path())
    let request = EnqueueRequest("ship", 1)
    await expectRefusal(.storeRejected) {
      try await other.write { _ = try store.enqueue([request], of: runtime, in: $0) }
    }
    await expectRefusal(.storeRejected) {
      try await same.writeWithoutTransaction { _ = try store.enqueue([request], of: runtime, in: $0) }
    }
    await expectRefusal(.unknownJob) {
      try await store.write { _ = try store.enqueue([EnqueueRequest("nobody")], of: runtime, in: $0) }
    }
    await expectRefusal(.tooLarge) {
      let many = [EnqueueRequest](repeating: request, count: 501)
      try await store.write { _ = try store.enqueue(many, of: runtime, in: $0) }
    }
    #expect(try await fixture.number("SELECT count(*) FROM runs") == 0)
  }
}
#endif
