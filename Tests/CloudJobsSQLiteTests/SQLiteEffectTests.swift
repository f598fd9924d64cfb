#if SQLite
import CloudJobs
import CloudJobsCore
import CloudJobsSQLite
import CloudJobsTesting
import GRDB
import Logging
import Synchronization
import Testing

/// A store in a file with a table of payments.
struct EffectFixture: Sendable {
  let folder: TemporaryFolder
  let clock = ManualClock()
  let store: SQLiteStore

  init() async throws {
    folder = try TemporaryFolder()
    store = try SQLiteStore(path: folder.path(), clock: clock)
    try await store.write { try $0.execute(sql: "CREATE TABLE payments (run TEXT, attempt INTEGER)") }
  }

  func open() throws -> SQLiteStore { try SQLiteStore(path: folder.path(), clock: clock) }

  /// Returns a runtime; one whose clock stands still is an instance that hangs.
  func runtime(
    _ owner: String = "one", over store: SQLiteStore? = nil, clock: (any JobClock)? = nil,
    @JobRegistryBuilder _ jobs: () -> [any JobHandler]
  ) throws -> JobRuntime {
    var options = RuntimeOptions()
    options.owner = owner
    options.clock = clock ?? self.clock
    options.logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    return JobRuntime(
      try JobRegistry(jobs), store: store ?? self.store, authentication: .trustLoopback, options: options)
  }

  /// Adds a payment of a run; at most once if it is called in an effect.
  static func pay(_ context: JobContext) -> @Sendable (Database) throws -> Void {
    { try $0.execute(sql: "INSERT INTO payments VALUES (?, ?)", arguments: [context.runID.rawValue, context.attempt]) }
  }

  /// Reads a number from the store's file.
  func number(_ sql: String) async throws -> Int {
    try await store.write { try Int.fetchOne($0, sql: sql) ?? -1 }
  }
}

/// A clock that a test moves, and on which nothing sleeps to its end.
final class ManualClock: JobClock {
  private let time = Mutex(Timestamp(seconds: 1_767_225_600))

  func now() -> Timestamp { time.withLock { $0 } }

  func sleep(until deadline: Timestamp) async throws {
    if now() >= deadline { return }
    await Latch().wait()
    throw CancellationError()
  }

  func advance(by span: Duration) { time.withLock { $0 = $0 + span } }
}

func delivery(_ job: JobID, _ key: String, attempt: Int? = nil) -> Delivery {
  var delivery = Delivery(job: job, trigger: .task, attempt: attempt)
  delivery.occurrence = .key(key)
  return delivery
}

@Suite("Effects on SQLite")
struct SQLiteEffectTests {
  @Test("A repeated attempt gets the value of the first, and does not repeat the effect")
  func retry() async throws {
    let fixture = try await EffectFixture()
    let store = fixture.store
    let results = Mutex<[String]>([])
    let runtime = try fixture.runtime {
      EndpointJob("pay") { context in
        let payment = try await store.perform(effect: "pay", for: context) { database in
          try EffectFixture.pay(context)(database)
          return "receipt of attempt \(context.attempt)"
        }
        let second = try await store.perform(effect: "other", for: context, EffectFixture.pay(context))
        results.withLock { $0.append("\(payment.value), \(payment.isNew), \(second)") }
        if context.attempt < 3 { throw JobFailure.failed("after the effect") }
      }
      .retry(RetryPolicy(maxAttempts: 3, backoff: .fixed(.seconds(1)), jitter: .none))
    }
    for _ in 1...3 {
      _ = await runtime.deliver(delivery("pay", "a"))
      fixture.clock.advance(by: .seconds(2))
    }
    #expect(
      results.withLock { $0 } == [
        "receipt of attempt 1, true, true", "receipt of attempt 1, false, false", "receipt of attempt 1, false, false",
      ])
    #expect(try await fixture.number("SELECT count(*) FROM payments WHERE attempt = 1") == 2)
    #expect(try await fixture.number("SELECT count(*) FROM payments") == 2)
  }

  @Test("A failed effect changes nothing, leaves commits beside it alone, and can be tried again")
  func failure() async throws {
    struct Refusal: Error {}
    let fixture = try await EffectFixture()
    let store = fixture.store
    let runtime = try fixture.runtime {
      EndpointJob("pay", input: Int.self) { number, context in
        if number.isMultiple(of: 2) {
          await #expect(throws: Refusal.self) {
            try await store.perform(effect: "pay", for: context) { database in
              try EffectFixture.pay(context)(database)
              throw Refusal()
            }
          }
          await #expect(throws: DatabaseError.self) {
            try await store.perform(effect: "pay", for: context) { database in
              try EffectFixture.pay(context)(database)
              try database.execute(sql: "INSERT INTO nowhere VALUES (1)")
            }
          }
        }
        try await store.perform(effect: "pay", for: context, EffectFixture.pay(context))
      }
    }
    await withTaskGroup(of: DeliveryResult.Status?.self) { group in
      for number in 0..<40 { group.addTask { try? await runtime.run("pay", number).status } }
      for await status in group { #expect(status == .succeeded) }
    }
    #expect(try await fixture.number("SELECT count(*) FROM payments") == 40)
    #expect(try await fixture.number("SELECT count(DISTINCT run) FROM payments") == 40)
  }

  @Test("A full disk ends an effect as unavailable, and the store goes on")
  func fullDisk() async throws {
    let fixture = try await EffectFixture()
    let store = fixture.store
    let pages = try await fixture.number("PRAGMA page_count")
    let runtime = try fixture.runtime {
      EndpointJob("fill") { context in
        try await store.write { try $0.execute(sql: "PRAGMA max_page_count = \(pages + 8)") }
        try await store.perform(effect: "fill", for: context) { database in
          try database.execute(sql: "INSERT INTO payments VALUES (hex(zeroblob(1000000)), 1)")
        }
      }
      .retry(.never)
      EndpointJob("pay") { context in
        try await store.perform(effect: "pay", for: context, EffectFixture.pay(context))
      }
    }
    let result = try await runtime.run("fill")
    #expect(result.status == .deadLettered && result.reason?.contains("full") == true, "\(result)")
    try await store.write { try $0.execute(sql: "PRAGMA max_page_count = 100000") }
    #expect(try await runtime.run("pay").status == .succeeded)
    #expect(try await fixture.number("SELECT count(*) FROM payments") == 1)
  }

  @Test("A run of another store, an ended attempt and an invalid name are refused")
  func refusals() async throws {
    let fixture = try await EffectFixture()
    let (store, other) = (fixture.store, try await EffectFixture())
    let contexts = Mutex<[JobContext]>([])
    let runtime = try fixture.runtime {
      EndpointJob("pay") { context in
        contexts.withLock { $0.append(context) }
        await expectRefusal(.notFound) { try await other.store.perform(effect: "pay", for: context) { _ in } }
        await expectRefusal(.invalidField) { try await store.perform(effect: "", for: context) { _ in } }
      }
    }
    #expect(try await runtime.run("pay").status == .succeeded)
    let context = try #require(contexts.withLock { $0.first })
    await expectRefusal(.leaseLost) {
      try await store.perform(effect: "pay", for: context, EffectFixture.pay(context))
    }
    #expect(try await fixture.number("SELECT count(*) FROM payments") == 0)
  }

  @Test("The record of an effect is deleted with its run")
  func purge() async throws {
    let fixture = try await EffectFixture()
    let store = fixture.store
    let runtime = try fixture.runtime {
      EndpointJob("pay") { context in
        try await store.perform(effect: "pay", for: context, EffectFixture.pay(context))
      }
      .retention(.seconds(60))
    }
    for key in ["a", "b"] { _ = await runtime.deliver(delivery("pay", key)) }
    #expect(try await fixture.number("SELECT count(*) FROM run_effects") == 2)
    let id = RunID(job: "pay", occurrence: .key("a"))
    _ = try await store.commit([.deleteRun(id, .none)])
    #expect(try await fixture.number("SELECT count(*) FROM run_effects") == 1)
    fixture.clock.advance(by: .seconds(61))
    #expect(try await store.purgeExpired(limit: 10) == 1)
    #expect(try await fixture.number("SELECT count(*) FROM run_effects") == 0)
    _ = await runtime.deliver(delivery("pay", "a"))
    #expect(try await fixture.number("SELECT count(*) FROM payments") == 3, "a new run has effects of its own")
  }
}

/// Expects an operation to throw an error with a code.
func expectRefusal(_ code: JobError.Code, _ body: () async throws -> Void) async {
  do {
    try await body()
    Issue.record("nothing was thrown instead of \(code)")
  } catch {
    #expect((error as? JobError)?.code == code)
  }
}
#endif
