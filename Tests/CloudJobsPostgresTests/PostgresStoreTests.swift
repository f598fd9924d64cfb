#if PostgreSQL
import CloudJobs
import CloudJobsCore
@testable import CloudJobsPostgres
import TestSupport
import Testing

@Suite("The tables of the PostgreSQL store", .enabled(if: PostgresServer.isInstalled, PostgresServer.remedy))
struct PostgresSchemaTests {
  @Test("8 concurrent openings create the tables once, and all of them work")
  func concurrentOpenings() async throws {
    let database = try PostgresServer.shared.get().database()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<8 {
        group.addTask {
          let store = try await database.open()
          _ = try await store.commit([.putRun(sampleRun("\(number)"), .absent)])
          await store.close()
        }
      }
      try await group.waitForAll()
    }
    #expect(try database.number("SELECT count(*) FROM runs") == 8)
    #expect(try database.number("SELECT version FROM store") == PostgresSchema.latest)
    let again = try await database.open { $0.migratesSchema = false }
    #expect(try await again.runs(matching: RunFilter(), after: nil, limit: 9).records.count == 8)
    await again.close()
  }

  @Test("A schema of the first version is migrated with its accounts and the queues of its waiting runs")
  func migration() async throws {
    let database = try PostgresServer.shared.get().database()
    let schema = try SchemaName(database.schema)
    let connection = try database.connect()
    for statement in PostgresSchema(schema).migration(from: 0, to: 1, schemaExists: false) {
      try connection.execute(statement.sql)
    }
    let document = Ledger.limits(LimitLedger()).fields.text
    try connection.execute(
      "INSERT INTO \(schema.sql).ledgers (id, version, changed_at, expire_at, document) "
        + "VALUES ('job/a', 5, 0, \(Timestamp.distantFuture.microseconds), '\(document)')")
    let oldColumns = "id, version, created_at, fence, amendments, status, job, document"
    for (name, queue) in [("waits", "mail"), ("has no queue", nil), ("has a NUL", "nul\u{0}"), ("bulk", "bulk")] {
      var run = sampleRun(name)
      (run.queue, run.status) = (queue, .scheduled)
      let id = run.id.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
      try connection.execute(
        "INSERT INTO \(schema.sql).runs (\(oldColumns)) VALUES "
          + "('\\x\(id)', 1, 0, 0, 0, 'scheduled', '\(run.job)', '\(run.document)')")
    }
    let store = try await database.open()
    #expect(try connection.execute("SELECT version FROM \(schema.sql).store") == "\(PostgresSchema.latest)")
    let waiting = try await store.waitingRunCounts(tellingApart: ["mail"])
    #expect(
      Set(waiting) == [
        WaitingRunCount(status: .scheduled, queue: "mail", count: 1),
        WaitingRunCount(status: .scheduled, queue: nil, count: 3),
      ])
    let id = LedgerID.job("a")
    #expect(try await store.read(jobs: [], runs: [], ledgers: [id]).ledgers[id]?.version == Version(5))
    _ = try await store.commit([.putLedger(id, .limits(LimitLedger()), .version(Version(5)))])
    await #expect(throws: StoreError.self) { try await store.commit([.putLedger(id, nil, .version(Version(5)))]) }
    _ = try await store.commit([.putLedger(id, nil, .none)])
    for table in ["ledgers", "ledger_keys"] {
      #expect(try connection.execute("SELECT count(*) FROM \(schema.sql).\(table)") == "0")
    }
    await store.close()
  }

  @Test("An expired account that another transaction has locked is not purged, nor one that it has prolonged")
  func purgeOfLockedLedgers() async throws {
    let database = try PostgresServer.shared.get().database()
    let store = try await database.open()
    let now = try await store.read(jobs: [], runs: []).time
    func account(until time: Timestamp) -> Ledger {
      var account = LimitLedger()
      account.expireAt = time
      return .limits(account)
    }
    let ids = ["a", "b"].map { LedgerID.job(JobID(stringLiteral: $0)) }
    _ = try await store.commit(ids.map { .putLedger($0, account(until: now - .days(1)), .none) })
    let connection = try database.connect()
    try connection.execute("BEGIN; SELECT * FROM ledger_keys WHERE id = 'job/a' FOR UPDATE")
    #expect(try await store.purgeLedgers(limit: 10) == 1)
    try connection.execute("COMMIT")
    #expect(try await store.read(jobs: [], runs: [], ledgers: ids).ledgers.keys.map(\.rawValue) == ["job/a"])
    // An operator's DELETE leaves the key behind.
    try connection.execute("DELETE FROM ledgers")
    _ = try await store.commit([.putLedger(ids[0], account(until: now + .days(1)), .absent)])
    #expect(try await store.purgeLedgers(limit: 10) == 0)
    _ = try await store.commit([.putLedger(ids[0], account(until: now - .days(2)), .none)])
    #expect(try await store.purgeLedgers(limit: 10) == 1)
    #expect(try database.number("SELECT count(*) FROM ledger_keys") == 0)
    await store.close()
  }

  @Test("Of writers that create an account or a document at the same time, each one's change counts")
  func creations() async throws {
    let database = try PostgresServer.shared.get().database()
    let stores = try await withThrowingTaskGroup(of: PostgresStore.self) { group in
      for _ in 0..<6 { group.addTask { try await database.open() } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    let now = try await stores[0].read(jobs: [], runs: []).time
    for round in 0..<60 {
      let job = JobID(stringLiteral: "job-\(round)")
      let limit = JobLimit(.job(job), maxConcurrent: 100)
      var patches = [JobStatePatch](repeating: JobStatePatch(), count: 6)
      patches[0].set(lastRun: now)
      patches[1].set(nextRun: now)
      patches[2].set(retries: 3)
      patches[3].set(epoch: 4)
      patches[4].set(consecutiveFailures: 5)
      patches[5].set(plannedFor: "6")
      try await withThrowingTaskGroup(of: Void.self) { group in
        for (number, store) in stores.enumerated() {
          group.addTask { [patch = patches[number]] in _ = try await store.commit([.patchState(job, patch, .none)]) }
          for attempt in 0..<3 {
            let permit = LimitPermit(sampleRun("\(round) \(number) \(attempt)").id, until: now + .hours(1), limit)
            group.addTask { _ = try await store.commit([.changeLedger(limit.ledger, .take(permit))]) }
          }
        }
        try await group.waitForAll()
      }
      let reading = try await stores[0].read(jobs: [job], runs: [], ledgers: [limit.ledger])
      #expect(reading.ledgers[limit.ledger]?.ledger?.limits?.holders.count == 18, "round \(round)")
      let state = try #require(try reading.jobs[job]?.document.get().state)
      #expect(state.lastRun == now && state.nextRun == now && state.retries == 3 && state.epoch == 4, "round \(round)")
      #expect(state.consecutiveFailures == 5 && state.plannedFor == "6", "round \(round)")
    }
    for store in stores { await store.close() }
  }

  @Test("Documents and accounts that another program has inserted without their keys can be changed")
  func missingKeys() async throws {
    let database = try PostgresServer.shared.get().database()
    let store = try await database.open()
    let id = LedgerID.job("a")
    _ = try await store.commit([
      .patchState("a", JobStatePatch(), .none), .putLedger(id, .limits(LimitLedger()), .none),
    ])
    try database.execute("DELETE FROM job_keys; DELETE FROM ledger_keys")
    var patch = JobStatePatch()
    patch.set(retries: 3)
    _ = try await store.commit([.patchState("a", patch, .none)])
    _ = try await store.commit([.putLedger(id, nil, .none)])
    let reading = try await store.read(jobs: ["a"], runs: [], ledgers: [id])
    #expect(try reading.jobs["a"]?.document.get().state.retries == 3 && reading.ledgers.isEmpty)
    #expect(try database.number("SELECT (SELECT count(*) FROM job_keys) - (SELECT count(*) FROM ledger_keys)") == 1)
    await store.close()
  }

  @Test("A newer schema, foreign tables and a schema that may not be made are refused")
  func refusals() async throws {
    let server = try PostgresServer.shared.get()
    let newer = server.database()
    await (try newer.open()).close()
    try newer.execute("UPDATE store SET version = 99")
    let foreign = server.database()
    try foreign.execute("CREATE SCHEMA \(foreign.schema); CREATE TABLE \(foreign.schema).runs (a int)")
    for (database, word) in [(newer, "99"), (foreign, "another program")] {
      let error = await #expect(throws: StoreError.self) { try await database.open() }
      #expect(error?.code == .invalid && error?.message.contains(word) == true, "\(String(describing: error))")
    }
    let missing = server.database()
    let error = await #expect(throws: StoreError.self) { try await missing.open { $0.migratesSchema = false } }
    #expect(error?.code == .invalid)
    #expect(try missing.number("SELECT count(*) FROM pg_namespace WHERE nspname = '\(missing.schema)'") == 0)
  }

  @Test("An existing schema of the user's own is used")
  func existingSchema() async throws {
    let database = try PostgresServer.shared.get().database()
    try database.execute("CREATE SCHEMA \(database.schema); CREATE TABLE \(database.schema).orders (id int)")
    let store = try await database.open()
    _ = try await store.commit([.putRun(sampleRun("a"), .absent)])
    #expect(try database.number("SELECT count(*) FROM runs") == 1)
    await store.close()
  }

  @Test("A refused log-in, a missing database and an unreachable server name the place, and never the password")
  func startErrors() async throws {
    let server = try PostgresServer.shared.get()
    let table: [(String, StoreError.Code, String)] = [
      ("postgres://tester:hunter2@127.0.0.1:\(server.port)/postgres", .invalid, "127.0.0.1:\(server.port)"),
      ("postgres://tester:secret@127.0.0.1:\(server.port)/hunter", .invalid, "database"),
      ("host=127.0.0.1 port=1 user=tester password=hunter2", .unavailable, "127.0.0.1:1"),
      ("host=no-such-host.invalid user=tester password=hunter2", .unavailable, "no-such-host.invalid"),
    ]
    for (connection, code, word) in table {
      let error = await #expect(throws: StoreError.self) { try await PostgresStore.open(connection) }
      #expect(error?.code == code && error?.message.contains(word) == true, "\(String(describing: error))")
      #expect(error.map { "\($0)".contains("hunter2") || "\($0)".contains("secret") } == false)
      #expect(error?.message.contains("tester") == true)
    }
  }

  @Test("A table that is missing is an error with a remedy")
  func missingTable() async throws {
    let database = try PostgresServer.shared.get().database()
    let store = try await database.open()
    try database.execute("DROP TABLE run_effects, runs")
    let error = await #expect(throws: StoreError.self) { try await store.read(jobs: [], runs: []) }
    #expect(error?.code == .invalid && error?.nativeCode == "42P01")
    await store.close()
  }

  @Test("Due runs, lists and conditional updates are served by indexes, whatever the statistics say")
  func plans() async throws {
    let database = try PostgresServer.shared.get().database()
    let store = try await database.open()
    for start in 0..<6 {
      let runs = (0..<500).map { sampleRun("\(start) \($0)", wakeAt: Timestamp(seconds: 1_767_225_600)) }
      _ = try await store.commit(runs.map { .putRun($0, .absent) })
    }
    let connection = try database.connect()
    try connection.execute("SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off")
    for (query, index) in [
      ("SELECT * FROM runs WHERE wake_at <= (SELECT 2) ORDER BY wake_at, id LIMIT 10", "runs_waking"),
      ("SELECT wake_at FROM runs WHERE wake_at >= 1 AND wake_at <= 2 ORDER BY wake_at LIMIT 1", "runs_waking"),
      ("SELECT max(last_time) FROM times", "times_latest"),
      ("SELECT * FROM runs WHERE status = 'failed' ORDER BY created_at DESC, id DESC LIMIT 10", "runs_by_status"),
      ("SELECT * FROM runs WHERE sha256(correlation_id) = sha256('x') AND correlation_id = 'x'", "runs_by_cause"),
      ("UPDATE runs r SET fence = 1 FROM unnest('{}'::bytea[]) n (id) WHERE r.id = n.id", "runs_pkey"),
    ] {
      let plan = try #require(try connection.execute("EXPLAIN (FORMAT JSON) \(query)"))
      #expect(plan.contains(index), "\(query): \(plan)")
    }
    // The statements of workers, by the plans that serve all values.
    let stray = DueFront.Stray(wakeAt: .epoch, id: RunID(job: "a", occurrence: .key("a")))
    let search = DueFront.Search(strays: [stray], mark: .epoch, limit: 10)
    try connection.execute("SET plan_cache_mode = force_generic_plan; SET search_path = \(store.schema.sql)")
    for (name, statement, values, indexes) in [
      ("strays", store.strays(search), "1, '{}', 1", ["runs_pkey"]),
      ("due", store.dueRuns(search, after: nil), "1, 1, 1", ["runs_waking"]),
      ("page", store.dueRuns(search, after: stray), "1, 1, 1, 1, ''", ["runs_waking"]),
      ("look", store.look(before: .epoch), "1, 1", ["runs_waking"]),
      (
        "purge", store.expired("runs", key: ["id"], from: .epoch, limit: 10), "1, 1, 1",
        ["runs_expiring", "expire_at <="]
      ),
      (
        "times", store.dueTimes(from: .epoch, but: [stray], jobsFrom: .epoch, within: .seconds(1)), "1, 1, 1, 1, '{}'",
        ["runs_pkey", "runs_waking", "jobs_due", "times_latest"]
      ),
      ("waiting", store.waitingRunCounts, "", ["runs_by_status"]),
      ("failed", store.failedRunCount, "", ["runs_by_status"]),
      (
        "counts", store.runCounts(from: .epoch, before: .epoch + .days(1), bucket: .hours(1)), "1, 2, 1",
        ["runs_by_time"]
      ),
    ] {
      try connection.execute("PREPARE \(name) AS \(statement.sql)")
      let plan = try #require(
        try connection.execute("EXPLAIN (FORMAT JSON) EXECUTE \(name)\(values.isEmpty ? "" : " (\(values))")"))
      for index in indexes { #expect(plan.contains(index), "\(name): \(plan)") }
      // A count reads a large part of an index, in any order.
      let mayBeBitmap = ["waiting", "failed", "counts"].contains(name)
      #expect(!plan.contains("Seq Scan") && (mayBeBitmap || !plan.contains("Bitmap")), "\(name): \(plan)")
    }
    await store.close()
  }
}

@Suite("Commits on PostgreSQL", .enabled(if: PostgresServer.isInstalled, PostgresServer.remedy))
struct PostgresCommitTests {
  @Test("Of 8 stores that claim the same 300 runs, each run has one winner")
  func races() async throws {
    let database = try PostgresServer.shared.get().database()
    let first = try await database.open()
    let runs = (0..<300).map { sampleRun("\($0)") }
    _ = try await first.commit(runs.map { .putRun($0, .absent) })
    let versions = try await first.read(jobs: [], runs: runs.map(\.id)).runs.mapValues(\.version)
    let winners = Shared<[RunID: [Int]]>([:])
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<8 {
        let store = try await database.open { $0.connections = 3 }
        var order = SeededGenerator(seed: UInt64(number))
        for run in runs.shuffled(using: &order) {
          let version = try #require(versions[run.id])
          group.addTask {
            var claimed = run
            (claimed.status, claimed.fence, claimed.reason) = (.running, 1, "store \(number)")
            do throws(StoreError) {
              _ = try await store.commit([.putRun(claimed, .version(version))])
              winners.withLock { $0[run.id, default: []].append(number) }
            } catch {
              #expect(error.code == .conflict, "\(error)")
            }
          }
        }
      }
      try await group.waitForAll()
    }
    let won = winners.withLock { $0 }
    #expect(won.count == 300 && won.values.allSatisfy { $0.count == 1 })
    for (id, record) in try await first.read(jobs: [], runs: runs.map(\.id)).runs {
      #expect(try record.run.get().reason == "store \(won[id]?.first ?? -1)")
    }
    await first.close()
  }

  @Test("Commits of several documents in opposite orders all take place, and none twice")
  func deadlocks() async throws {
    let database = try PostgresServer.shared.get().database()
    let stores = [try await database.open(), try await database.open()]
    let ids = (0..<6).map { "counter \($0)" }
    _ = try await stores[0].commit(ids.map { .putRun(sampleRun($0), .absent) })
    try await withThrowingTaskGroup(of: Void.self) { group in
      for task in 0..<8 {
        group.addTask {
          for round in 0..<20 {
            let (left, right) = (ids[(task + round) % 6], ids[(task + round + 1 + round % 4) % 6])
            try await addOne(task.isMultiple(of: 2) ? [left, right] : [right, left], stores[task % 2])
          }
        }
      }
      try await group.waitForAll()
    }
    let records = try await stores[0].read(jobs: [], runs: ids.map { sampleRun($0).id }).runs.values
    #expect(try records.reduce(0) { $0 + (try $1.run.get().reenqueues) } == 8 * 20 * 2)
  }

  /// Adds 1 to the counters of runs, each time from what was read.
  private func addOne(_ names: [String], _ store: PostgresStore) async throws {
    while true {
      let records = try await store.read(jobs: [], runs: names.map { sampleRun($0).id }).runs
      let writes = try names.map { name in
        let record = try #require(records[sampleRun(name).id])
        var run = try record.run.get()
        run.reenqueues += 1
        return Write.putRun(run, .version(record.version))
      }
      do throws(StoreError) {
        _ = try await store.commit(writes)
        return
      } catch {
        if error.code != .conflict { throw error }
      }
    }
  }

  @Test("A document that the database can't keep fails its own commit only")
  func tooLarge() async throws {
    let database = try PostgresServer.shared.get().database()
    let store = try await database.open { $0.connections = 3 }
    // An id longer than an entry of an index, in incompressible letters.
    var letters = SeededGenerator(seed: 7)
    let longID = String((0..<20_000).map { _ in Character(UnicodeScalar(UInt8.random(in: 65...90, using: &letters))) })
    let results = await withTaskGroup(of: (Int, StoreError.Code?).self) { group in
      for number in 0..<30 {
        group.addTask {
          let entry = PassJournalEntry(
            id: number.isMultiple(of: 10) ? longID : "\(number)", time: Timestamp(seconds: 1), owner: "me", lines: [])
          do throws(StoreError) {
            _ = try await store.commit([.putJournal(entry)])
            return (number, nil)
          } catch {
            return (number, error.code)
          }
        }
      }
      return await group.reduce(into: [Int: StoreError.Code?]()) { $0[$1.0] = $1.1 }
    }
    for (number, code) in results { #expect(code == (number.isMultiple(of: 10) ? .invalid : nil), "\(number)") }
    await store.close()
  }

  @Test("Payloads and texts of any form come back byte for byte")
  func texts() async throws {
    let database = try PostgresServer.shared.get().database()
    let store = try await database.open()
    var run = sampleRun("texts")
    run.input = try JSONText(checking: Array("{ \"b\" : 1.0e+2,\n\t\"a\":\"\\u0000é\" }".utf8))
    run.output = JSONText(["nul \u{0}"])
    run.correlationID = String(repeating: "nul \u{0} é 🚀 ", count: 2_000)
    run.reason = "nul \u{0} quote ' backslash \\"
    _ = try await store.commit([.putRun(run, .absent)])
    let stored = try #require(try await store.read(jobs: [], runs: [run.id]).runs[run.id]).run.get()
    #expect(stored == run)
    let found = try await store.runs(matching: RunFilter(correlationID: run.correlationID), after: nil, limit: 2)
    #expect(found.records.map(\.id) == [run.id])
    await store.close()
  }

  @Test("A cancelled task's commit takes place")
  func cancellation() async throws {
    let database = try PostgresServer.shared.get().database()
    let store = try await database.open()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<100 {
        group.addTask { _ = try await store.commit([.putRun(sampleRun("\(number)"), .absent)]) }
      }
      group.cancelAll()
      try await group.waitForAll()
    }
    #expect(try database.number("SELECT count(*) FROM runs") == 100)
    await store.close()
  }

  @Test("A deleted run that is created again has a new version, and the time of the server is used")
  func versions() async throws {
    let database = try PostgresServer.shared.get().database()
    let store = try await database.open()
    var seen: Set<Version> = []
    var last = Timestamp.distantPast
    for _ in 0..<5 {
      let time = try await store.commit([.putRun(sampleRun("a"), .absent)])
      #expect(time > last)
      last = time
      seen.insert(try #require(try await store.read(jobs: [], runs: [sampleRun("a").id]).runs.values.first).version)
      _ = try await store.commit([.deleteRun(sampleRun("a").id, .none)])
    }
    #expect(seen.count == 5)
    let server = Int64(try database.number("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::int8"))
    #expect(abs(last.microseconds - server) < 60_000_000)
    await store.close()
  }

  @Test("Time does not go back for another process by more than a second when the server's clock does")
  func time() async throws {
    let database = try PostgresServer.shared.get().database()
    let store = try await database.open()
    // As a commit under a clock that was ahead has left it.
    let ahead = try await store.commit([.putRun(sampleRun("a"), .absent)]) + .seconds(3_600)
    try database.execute("UPDATE times SET last_time = \(ahead.microseconds)")
    let other = try await database.open()
    #expect(try await other.read(jobs: [], runs: []).time == ahead)
    #expect(try await other.commit([.putRun(sampleRun("b"), .absent)]) == ahead)
    await store.close()
    await other.close()
  }
}

@Suite("Claims on PostgreSQL", .enabled(if: PostgresServer.isInstalled, PostgresServer.remedy))
struct PostgresClaimTests {
  private static func claim(_ record: RunRecord, _ owner: String) -> [Write] {
    guard var run = try? record.run.get() else { return [] }
    (run.status, run.fence, run.wakeAt, run.reason) = (.running, run.fence + 1, nil, owner)
    return [.putRun(run, .version(record.version))]
  }

  @Test("Of 8 stores that claim 400 due runs by tens, each run is claimed once, in the order of their times")
  func claims() async throws {
    let database = try PostgresServer.shared.get().database()
    let first = try await database.open()
    let start = Timestamp(seconds: 1_767_225_600)
    let runs = (0..<400).map { sampleRun("\($0)", wakeAt: start + .seconds($0)) }
    _ = try await first.commit(runs.map { .putRun($0, .absent) })
    _ = try await first.commit([.putRun(sampleRun("later", wakeAt: .distantFuture), .absent)])
    let claimed = Shared<[RunID]>([])
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<8 {
        let store = try await database.open()
        group.addTask {
          while true {
            let claims = try await store.claim(after: nil, limit: 10, reading: []) { records, _ in
              records.map { Self.claim($0, "store \(number)") }
            }
            if claims.runs.isEmpty { break }
            let ids = claims.runs.map(\.record.id)
            let times = try claims.runs.map { try $0.record.run.get().wakeAt ?? .distantPast }
            #expect(times == times.sorted() && ids.count <= 10)
            #expect(claims.runs.allSatisfy { if case .success? = $0.outcome { true } else { false } })
            claimed.withLock { $0 += ids }
          }
          await store.close()
        }
      }
      try await group.waitForAll()
    }
    let ids = claimed.withLock { $0 }
    #expect(ids.count == 400 && Set(ids) == Set(runs.map(\.id)))
    #expect(try database.number("SELECT count(*) FROM runs WHERE status = 'running' AND fence = 1") == 400)
    await first.close()
  }

  @Test("A run without a plan stays as it is, and a refused permit leaves its run alone")
  func refusals() async throws {
    let database = try PostgresServer.shared.get().database()
    let store = try await database.open()
    let start = Timestamp(seconds: 1_767_225_600)
    for (number, name) in ["a", "b", "c"].enumerated() {
      _ = try await store.commit([.putRun(sampleRun(name, wakeAt: start + .seconds(number)), .absent)])
    }
    let before = try await store.read(jobs: [], runs: [sampleRun("a").id]).runs.values.first?.version
    let limit = JobLimit(.job("sample"), maxConcurrent: 1)
    let claims = try await store.claim(after: nil, limit: 10, reading: []) { records, reading in
      records.map { record in
        if record.id == sampleRun("a").id { return [] }
        let permit = LimitPermit(record.id, until: reading.time + .seconds(60), limit)
        return Self.claim(record, "me") + [.changeLedger(limit.ledger, .take(permit))]
      }
    }
    let codes = claims.runs.map { claim -> String in
      switch claim.outcome {
      case nil: "none"
      case .success?: "done"
      case .failure(let error)?: error.code.rawValue
      }
    }
    #expect(claims.runs.map(\.record.id) == ["a", "b", "c"].map { sampleRun($0).id })
    #expect(codes == ["none", "done", "refused"])
    let statuses = try await store.read(jobs: [], runs: ["a", "b", "c"].map { sampleRun($0).id }).runs
    #expect(statuses[sampleRun("a").id]?.version == before)
    let found = try ["a", "b", "c"].map { try statuses[sampleRun($0).id]?.run.get().status }
    #expect(found == [.pending, .running, .pending])
    await store.close()
  }
}
#endif
