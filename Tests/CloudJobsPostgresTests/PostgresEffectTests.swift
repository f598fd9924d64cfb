#if PostgreSQL
import CloudJobs
import CloudJobsCore
@testable import CloudJobsPostgres
import CPostgres
import Glibc
import Logging
import Testing

/// A store with a table of payments beside it.
struct EffectFixture: Sendable {
  let database: PostgresDatabase
  let clock = ManualClock()
  let store: PostgresStore

  init() async throws {
    database = try PostgresServer.shared.get().database()
    let clock = clock
    store = try await database.open { $0.clock = clock }
    try database.execute("CREATE TABLE payments (run text, attempt int)")
  }

  var payments: String { "\(database.schema).payments" }

  /// Returns a runtime over the store.
  func runtime(
    over store: PostgresStore? = nil, clock: (any JobClock)? = nil, @JobRegistryBuilder _ jobs: () -> [any JobHandler]
  ) throws -> JobRuntime {
    var options = RuntimeOptions()
    options.clock = clock ?? self.clock
    options.logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    return JobRuntime(
      try JobRegistry(jobs), store: store ?? self.store, authentication: .trustLoopback, options: options)
  }

  /// Adds a payment of a run; at most once if it is called in an effect.
  func pay(_ context: JobContext, in transaction: PostgresTransaction) async throws {
    try await transaction.query(
      "INSERT INTO \(payments) VALUES ($1, $2)",
      [PostgresValue(context.runID.rawValue), PostgresValue(context.attempt)])
  }
}

/// A clock that a test moves, and on which nothing sleeps to its end.
final class ManualClock: JobClock {
  private let time = Shared(Timestamp(seconds: 1_767_225_600))

  func now() -> Timestamp { time.withLock { $0 } }

  func sleep(until deadline: Timestamp) async throws {
    if now() >= deadline { return }
    let (never, _) = AsyncStream.makeStream(of: Void.self)
    for await _ in never {}
    throw CancellationError()
  }

  func advance(by span: Duration) { time.withLock { $0 = $0 + span } }
}

private func delivery(_ job: JobID, _ key: String) -> Delivery {
  var delivery = Delivery(job: job, trigger: .task)
  delivery.occurrence = .key(key)
  return delivery
}

@Suite("Effects on PostgreSQL", .enabled(if: PostgresServer.isInstalled, PostgresServer.remedy))
struct PostgresEffectTests {
  @Test("A repeated attempt gets the value of the first, and does not repeat the effect")
  func retry() async throws {
    let fixture = try await EffectFixture()
    let store = fixture.store
    let results = Shared<[String]>([])
    let runtime = try fixture.runtime {
      EndpointJob("pay") { context in
        let payment = try await store.perform(effect: "pay", for: context) { transaction in
          try await fixture.pay(context, in: transaction)
          return "receipt of attempt \(context.attempt)"
        }
        let second = try await store.perform(effect: "other", for: context) { try await fixture.pay(context, in: $0) }
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
    #expect(try fixture.database.number("SELECT count(*) FROM payments WHERE attempt = 1") == 2)
    #expect(try fixture.database.number("SELECT count(*) FROM payments") == 2)
    _ = try await store.commit([.deleteRun(RunID(job: "pay", occurrence: .key("a")), .none)])
    #expect(try fixture.database.number("SELECT count(*) FROM run_effects") == 0, "records go with their run")
    await store.close()
  }

  @Test("Of many calls at once, one performs the effect, and the others get its value")
  func simultaneous() async throws {
    let fixture = try await EffectFixture()
    let store = fixture.store
    let runtime = try fixture.runtime {
      EndpointJob("pay") { context in
        let values = try await withThrowingTaskGroup(of: EffectResult<Int>.self) { group in
          for number in 0..<12 {
            group.addTask {
              try await store.perform(effect: "pay", for: context) { transaction in
                try await fixture.pay(context, in: transaction)
                return number
              }
            }
          }
          return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(values.count { $0.isNew } == 1 && Set(values.map(\.value)).count == 1)
      }
    }
    #expect(try await runtime.run("pay").status == .succeeded)
    #expect(try fixture.database.number("SELECT count(*) FROM payments") == 1)
    await store.close()
  }

  @Test("What a caller sets in its session, copies or asks at once affects no other")
  func sessions() async throws {
    let fixture = try await EffectFixture()
    let store = fixture.store
    for _ in 0..<8 {
      try await store.write { transaction in
        try await transaction.query("SET default_transaction_read_only = on")
        try await transaction.query("SET ROLE pg_monitor")
      }
    }
    let id = sampleRun("a").id
    _ = try await store.commit([.putRun(sampleRun("a"), .absent)])
    #expect(try await store.read(jobs: [], runs: [id]).runs.count == 1)
    // Hidden from the check of its first word.
    let error = await #expect(throws: (any Error).self) {
      try await store.write { try await $0.query("/* all */ COPY \(fixture.database.schema).payments FROM STDIN") }
    }
    #expect((error as? JobError)?.code == .storeUnavailable, "\(String(describing: error))")
    #expect(try await store.read(jobs: [], runs: [id]).runs.count == 1)
    let numbers = try await store.write { transaction in
      try await withThrowingTaskGroup(of: String?.self) { group in
        for number in 0..<9 {
          group.addTask { try await transaction.query("SELECT $1::int", [PostgresValue(number)])[0][0] }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
    }
    #expect(Set(numbers) == Set((0..<9).map { "\($0)" }))
    await store.close()
  }

  @Test("A failed effect changes nothing, and can be tried again; an ignored error fails the transaction")
  func failure() async throws {
    struct Refusal: Error {}
    let fixture = try await EffectFixture()
    let store = fixture.store
    let runtime = try fixture.runtime {
      EndpointJob("pay") { context in
        await #expect(throws: Refusal.self) {
          try await store.perform(effect: "pay", for: context) { transaction in
            try await fixture.pay(context, in: transaction)
            throw Refusal()
          }
        }
        let error = await #expect(throws: PostgresError.self) {
          try await store.perform(effect: "pay", for: context) { transaction in
            try await transaction.query("INSERT INTO nowhere VALUES (1)")
          }
        }
        #expect(error?.sqlState == "42P01")
        let ignored = await #expect(throws: PostgresError.self) {
          try await store.write { transaction in
            try await fixture.pay(context, in: transaction)
            _ = try? await transaction.query("SELECT 1 / 0")
          }
        }
        #expect(ignored?.sqlState == "25P02")
        let ended = await #expect(throws: PostgresError.self) {
          try await store.write { transaction in
            try await fixture.pay(context, in: transaction)
            try await transaction.query("ROLLBACK")
          }
        }
        #expect(ended?.sqlState == "25000")
        try await store.perform(effect: "pay", for: context) { try await fixture.pay(context, in: $0) }
      }
    }
    #expect(try await runtime.run("pay").status == .succeeded)
    #expect(try fixture.database.number("SELECT count(*) FROM payments") == 1)
    await store.close()
  }

  @Test("An attempt whose lease was lost while the effect was performed is refused, and its changes are undone")
  func lostLease() async throws {
    let fixture = try await EffectFixture()
    let store = fixture.store
    let runtime = try fixture.runtime {
      EndpointJob("pay") { context in
        let error = await #expect(throws: JobError.self) {
          try await store.perform(effect: "pay", for: context) { transaction in
            try await fixture.pay(context, in: transaction)
            // Another instance takes the run over meanwhile; it is not held up by the effect.
            let record = try #require(try await store.read(jobs: [], runs: [context.runID]).runs[context.runID])
            var run = try record.run.get()
            run.fence += 1
            _ = try await store.commit([.putRun(run, .version(record.version))])
          }
        }
        #expect(error?.code == .leaseLost)
      }
    }
    _ = await runtime.deliver(delivery("pay", "a"))
    #expect(try fixture.database.number("SELECT count(*) FROM payments") == 0)
    await store.close()
  }

  @Test("Values of callers' statements are texts, numbers, bytes and NULL")
  func values() async throws {
    let fixture = try await EffectFixture()
    let row = try await fixture.store.write { transaction in
      let rows = try await transaction.query(
        "SELECT $1::text AS a, $2::int AS b, $3::bytea AS c, $4::bool AS d, $5::text AS e",
        ["é 'x'", 7, PostgresValue(bytes: [0, 255]), true, nil])
      return (rows.columns, rows[0], rows[0, "b"], rows[0, "none"])
    }
    #expect(row.0 == ["a", "b", "c", "d", "e"] && row.1 == ["é 'x'", "7", "\\x00ff", "t", nil])
    #expect(row.2 == "7" && row.3 == nil)
    let error = await #expect(throws: PostgresError.self) {
      try await fixture.store.write { try await $0.query("SELECT $1", ["nul \u{0}"]) }
    }
    #expect(error?.sqlState == "22021")
    await fixture.store.close()
  }
}

@Suite(
  "Enqueue in the caller's transaction on PostgreSQL",
  .enabled(if: PostgresServer.isInstalled, PostgresServer.remedy))
struct PostgresEnqueueTests {
  struct Stop: Error {}

  private func runtime(_ fixture: EffectFixture) throws -> JobRuntime {
    try fixture.runtime {
      EndpointJob("ship", input: Int.self) { _, _ in .done }
      EndpointJob("order") { context in
        try await fixture.store.perform(effect: "order", for: context) { transaction in
          try await fixture.pay(context, in: transaction)
          try await fixture.store.enqueue([EnqueueRequest("ship", 1, key: "child")], of: context, in: transaction)
        }
      }
    }
  }

  @Test("Rows and runs commit together, or not at all")
  func atomic() async throws {
    let fixture = try await EffectFixture()
    let (store, runtime) = (fixture.store, try runtime(fixture))
    @Sendable func order(_ key: String, fails: Bool) async throws -> [EnqueuedRun] {
      try await store.write { transaction in
        try await transaction.query("INSERT INTO \(fixture.payments) VALUES ($1, 0)", [PostgresValue(key)])
        let runs = try await store.enqueue(
          [EnqueueRequest("ship", 1, key: key), EnqueueRequest("ship", 2, key: key)], of: runtime, in: transaction)
        if fails { throw Stop() }
        return runs
      }
    }
    await #expect(throws: Stop.self) { try await order("a", fails: true) }
    #expect(try fixture.database.number("SELECT (SELECT count(*) FROM runs) + (SELECT count(*) FROM payments)") == 0)
    let runs = try await order("b", fails: false)
    #expect(runs.map(\.isNew) == [true, false] && Set(runs.map(\.id)).count == 1)
    #expect(try await order("b", fails: false).map(\.isNew) == [false, false])
    let stored = try #require(try await store.read(jobs: [], runs: [runs[0].id]).runs[runs[0].id]).run.get()
    #expect((stored.status, stored.input?.description, stored.uniqueKey) == (.pending, "1", "b"))
    #expect(try fixture.database.number("SELECT count(*) FROM payments") == 2)
    #expect(await runtime.deliver(delivery("ship", "b")).status == .succeeded)
    await store.close()
  }

  @Test("A connection of the caller's own enqueues in its transaction, by calls and by statements")
  func ownConnection() async throws {
    let fixture = try await EffectFixture()
    let (store, runtime) = (fixture.store, try runtime(fixture))
    let connection = try fixture.database.connect()
    func enqueue(_ key: String) throws -> [EnqueuedRun] {
      try store.enqueue([EnqueueRequest("ship", 1, key: key)], of: runtime, on: connection.handle)
    }
    let refused = #expect(throws: JobError.self) { try enqueue("a") }
    #expect(refused?.code == .storeRejected, "there is no transaction")
    try connection.execute("BEGIN")
    #expect(try enqueue("a").map(\.isNew) == [true])
    try connection.execute("ROLLBACK")
    try connection.execute("BEGIN")
    #expect(try enqueue("b").map(\.isNew) == [true])
    #expect(try enqueue("b").map(\.isNew) == [false])
    try connection.execute("COMMIT")
    let prepared = try await store.enqueueStatements([EnqueueRequest("ship", 7, key: "c")], of: runtime)
    #expect(prepared.runs.map(\.isNew) == [true] && prepared.statements.count == 2)
    try connection.execute("BEGIN")
    for statement in prepared.statements {
      let values = statement.parameters.map { $0.flatMap { strdup($0) } }
      defer { for value in values { free(value) } }
      let pointers = values.map { $0.map { UnsafePointer<CChar>($0) } }
      let result = PQexecParams(
        connection.handle, statement.sql, Int32(pointers.count), nil, pointers, nil, nil, 0)
      #expect([PGRES_COMMAND_OK, PGRES_TUPLES_OK].contains(PQresultStatus(result)))
      PQclear(result)
    }
    try connection.execute("COMMIT")
    let page = try await store.runs(matching: RunFilter(job: "ship"), after: nil, limit: 9)
    #expect(try Set(page.records.map { try $0.run.get().uniqueKey }) == ["b", "c"])
    #expect(await runtime.deliver(delivery("ship", "c")).status == .succeeded)
    await store.close()
  }

  @Test("An effect enqueues children, once")
  func children() async throws {
    let fixture = try await EffectFixture()
    let runtime = try runtime(fixture)
    await withTaskGroup(of: DeliveryResult.Status.self) { group in
      for number in 0..<30 { group.addTask { await runtime.deliver(delivery("order", "\(number)")).status } }
      for await status in group { #expect(status == .succeeded) }
    }
    #expect(try fixture.database.number("SELECT count(*) FROM runs WHERE job = 'ship'") == 1)
    #expect(try fixture.database.number("SELECT count(*) FROM payments") == 30)
    #expect(try fixture.database.number("SELECT count(*) - count(DISTINCT version) FROM runs") == 0)
    await fixture.store.close()
  }
}

@Suite("Notifications of PostgreSQL", .enabled(if: PostgresServer.isInstalled, PostgresServer.remedy))
struct PostgresNotificationTests {
  @Test(
    "A worker of another process starts a run at once, after its listening connection was lost too",
    .timeLimit(.minutes(1)))
  func wakes() async throws {
    let fixture = try await EffectFixture()
    let workerStore = try await fixture.database.open()
    let store = try await fixture.database.open()
    let (ran, done) = AsyncStream.makeStream(of: Int.self)
    let worker = try fixture.runtime(over: workerStore, clock: .system) {
      EndpointJob("ship", input: Int.self) { number, _ in
        done.yield(number)
        return .done
      }
    }
    let client = try fixture.runtime(over: store, clock: .system) {
      EndpointJob("ship", input: Int.self) { _, _ in .done }
    }
    var options = JobWorker.Options()
    options.pollInterval = .seconds(600)
    try await withThrowingTaskGroup(of: Void.self) { group in
      let executor = JobWorker(worker, options: options)
      group.addTask { await executor.run() }
      var iterator = ran.makeAsyncIterator()
      for number in 1...6 {
        if number == 3 {
          // The server ends the listening connections; a wake-up follows when the next one listens.
          try fixture.database.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
        }
        _ = try await client.enqueue("ship", number)
        #expect(await iterator.next() == number)
      }
      let connection = try fixture.database.connect()
      try connection.execute("BEGIN")
      _ = try store.enqueue([EnqueueRequest("ship", 7)], of: client, on: connection.handle)
      try connection.execute("COMMIT")
      #expect(await iterator.next() == 7)
      group.cancelAll()
    }
    await workerStore.close()
    await store.close()
    await fixture.store.close()
  }

  @Test("Claims and ends of attempts notify nobody; enqueues do, less often than they commit if they are many")
  func quiet() async throws {
    let database = try PostgresServer.shared.get().database()
    let store = try await database.open()
    let listener = try database.connect()
    try listener.execute("LISTEN \(database.schema)_wake")
    func notifications() async throws -> Int {
      while !store.notifier.isIdle { try await SystemClock.system.sleep(for: .milliseconds(2)) }
      // One of the listener's own comes after all that were committed before.
      try listener.execute("NOTIFY \(database.schema)_wake, 'end'")
      return listener.takeNotifications() - 1
    }
    let due = Timestamp(seconds: 1)
    _ = try await store.commit([.putRun(sampleRun("first", wakeAt: due), .absent)])
    #expect(try await notifications() == 1)
    await withTaskGroup(of: Void.self) { group in
      for number in 0..<200 {
        let run = sampleRun("\(number)", wakeAt: due)
        group.addTask { _ = try? await store.commit([.putRun(run, .absent)]) }
      }
    }
    #expect((1..<100).contains(try await notifications()))
    for number in 0..<20 {
      let record = try #require(try await store.read(jobs: [], runs: [sampleRun("\(number)").id]).runs.values.first)
      var run = try record.run.get()
      (run.status, run.fence) = (.running, 1)
      _ = try await store.commit([.putRun(run, .version(record.version))])
      (run.status, run.wakeAt) = (.scheduled, due)
      _ = try await store.commit([.putRun(run, .attempt(fence: 1, amendments: 0))])
    }
    #expect(try await notifications() == 0)
    await store.close()
  }
}
#endif
