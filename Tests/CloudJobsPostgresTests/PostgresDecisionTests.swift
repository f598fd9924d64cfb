#if PostgreSQL
import CloudJobs
import CloudJobsCore
@testable import CloudJobsPostgres
import Testing

/// The pure decisions of the store; they need no server.
@Suite("Decisions of the PostgreSQL store")
struct PostgresDecisionTests {
  @Test(
    "A server's error means what its code says",
    arguments: [
      ("57014", .unavailable), ("55P03", .unavailable), ("25006", .unavailable), ("25P02", .invalid),
      ("42501", .invalid),
      ("42P01", .invalid), ("3F000", .invalid), ("54000", .invalid), ("53100", .unavailable), ("53300", .unavailable),
      ("53200", .unavailable), ("57P03", .unavailable), ("58030", .unavailable), ("XX001", .invalid),
      ("22021", .invalid), ("23514", .invalid), ("28P01", .invalid), ("40P01", .unavailable), ("99999", .unavailable),
    ] as [(String, StoreError.Code)])
  func codes(sqlState: String, code: StoreError.Code) {
    let error = ServerError(sqlState: sqlState, message: "value 'secret'", constraint: nil, isFatal: false)
    let result = StoreError(RequestFailure.server(error), mayCommit: true)
    #expect(result.code == code)
    #expect(result.nativeCode == sqlState)
    #expect(!result.description.contains("secret"))
  }

  @Test(
    "The outcome is unknown only if a commit was sent and its answer is lost",
    arguments: [
      (RequestFailure.lost("x"), true, .unknownOutcome), (.lost("x"), false, .unavailable),
      (.server(ServerError(sqlState: "57P01", message: "", constraint: nil, isFatal: true)), true, .unknownOutcome),
      (.server(ServerError(sqlState: "57P01", message: "", constraint: nil, isFatal: true)), false, .unavailable),
      (.server(ServerError(sqlState: "40001", message: "", constraint: nil, isFatal: false)), true, .unavailable),
      (.waitedTooLong, true, .unavailable), (.queueFull(limit: 1), true, .unavailable), (.closed, true, .unavailable),
      (.notConnected(ConnectFailure(nil, "")), true, .unavailable),
      (.notConnected(ConnectFailure("28P01", "", isPermanent: true)), true, .invalid),
    ] as [(RequestFailure, Bool, StoreError.Code)])
  func outcomes(failure: RequestFailure, mayCommit: Bool, code: StoreError.Code) {
    #expect(StoreError(failure, mayCommit: mayCommit).code == code)
  }

  @Test("The delays between attempts to connect double up to their limit, with jitter")
  func backoff() {
    #expect([1, 2, 3, 4].map { ReconnectBackoff.delay(failures: $0, random: 0) } == [100, 200, 400, 800])
    for failures in [7, 8, 60, .max] { #expect(ReconnectBackoff.delay(failures: failures, random: 0) == 5_000) }
    for random in [1, 50, 51, 1_000, UInt64.max] {
      #expect((50...100).contains(ReconnectBackoff.delay(failures: 1, random: random)))
    }
    #expect(ReconnectBackoff.delay(failures: 1, random: 50) == 50)
  }

  @Test(
    "A statement that ends the transaction, or needs another protocol, is not sent",
    arguments: [
      ("COMMIT", .transaction), (" \n commit;", .transaction), ("COMMIT AND CHAIN", .transaction),
      ("BEGIN", .transaction), ("start transaction", .transaction), ("END;", .transaction), ("ABORT", .transaction),
      ("ROLLBACK", .transaction), ("rollback and chain", .transaction), ("ROLLBACK TO SAVEPOINT a", nil),
      ("ROLLBACK WORK TO a", nil), ("PREPARE TRANSACTION 'a'", .transaction), ("PREPARE a AS SELECT 1", nil),
      ("COPY a FROM STDIN", .copy), ("SAVEPOINT a", nil), ("SELECT 1", nil), ("", nil),
      ("UPDATE a SET b = 'COMMIT'", nil),
    ] as [(String, StatementRefusal?)])
  func refusedStatements(sql: String, refusal: StatementRefusal?) {
    #expect(StatementRefusal(sql) == refusal)
  }

  @Test("A parameter that libpq does not know is named, and a password with a question mark is none")
  func unknownParameters() throws {
    let error = #expect(throws: StoreError.self) {
      try PostgresOptions().clientOptions("postgres://me:a?b=c@host/jobs?sslmode=require&sslmod=x", SchemaName("jobs"))
    }
    #expect(error?.code == .invalid && error?.message.contains("parameter sslmod,") == true)
    #expect(PostgresOptions.queryKeys(of: "postgres://me:a?b=c@host/jobs?x=1&y=2&z") == ["x", "y"])
    #expect(PostgresOptions.queryKeys(of: "postgres://host") == [] && PostgresOptions.queryKeys(of: "host=a?b=c") == [])
    let other = #expect(throws: StoreError.self) {
      try PostgresOptions().clientOptions("postgres://me:%zz@host/jobs", SchemaName("jobs"))
    }
    #expect(other?.message.contains("percent-encode") == true)
  }

  @Test("A refused log-in names the user and the host, and never the password")
  func connectMessages() {
    let refused = ConnectFailure(
      message: """
        connection to server at "127.0.0.1", port 1 failed: FATAL:  28P01: password authentication failed for user "me"
        LOCATION:  auth_failed, auth.c:330
        """, place: "127.0.0.1:1 for user me", password: "hunter2")
    #expect(refused.sqlState == "28P01" && refused.isPermanent)
    #expect(refused.message.contains("127.0.0.1:1 for user me"))
    let other = ConnectFailure(
      message: "could not use hunter2: Connection refused\n", place: "h:1", password: "hunter2")
    #expect(other.sqlState == nil && !other.isPermanent)
    #expect(!other.message.contains("hunter2") && other.message.contains("Connection refused"))
    let starting = ConnectFailure(
      message: "FATAL:  57P03: the database system is starting up", place: "h:1", password: "")
    #expect(starting.sqlState == "57P03" && !starting.isPermanent)
  }

  @Test(
    "A schema's name is plain",
    arguments: [
      ("cloud_jobs", true), ("a", true), ("_9", true), (String(repeating: "a", count: 50), true), ("", false),
      (String(repeating: "a", count: 51), false), ("9a", false), ("Jobs", false), ("a-b", false), ("a\"b", false),
      ("a.b", false), ("pg_jobs", false), ("information_schema", false), ("jöbs", false), ("a b", false),
      ("a\u{0}", false),
    ])
  func schemaNames(name: String, isValid: Bool) {
    #expect(((try? SchemaName(name)) != nil) == isValid)
  }

  @Test("A schema is migrated, used or refused by what it holds")
  func schemaStates() {
    func step(_ version: Int, tables: Int, mayMigrate: Bool = true) -> Bool? {
      try? SchemaState(version: version, exists: true, tableCount: tables).needsMigration(mayMigrate: mayMigrate)
    }
    #expect(step(0, tables: 0) == true)
    #expect(step(0, tables: 0, mayMigrate: false) == nil)
    #expect(step(0, tables: 1) == nil)
    #expect(step(PostgresSchema.latest, tables: 7) == false)
    #expect(step(PostgresSchema.latest, tables: 7, mayMigrate: false) == false)
    #expect(step(PostgresSchema.latest + 1, tables: 7) == nil)
  }

  @Test("The parameters of a connection are kept, and completed")
  func parameters() {
    let completed = PostgresOptions.completed(
      [("host", "db"), ("options", "-c search_path=mine"), ("keepalives_idle", "5"), ("client_encoding", "LATIN1")],
      statementTimeout: 1_500)
    let values = Dictionary(completed.map { ($0.key, $0.value) }) { first, _ in first + " twice" }
    #expect(values["host"] == "db" && values["keepalives_idle"] == "5" && values["client_encoding"] == "UTF8")
    #expect(values["options"]?.hasSuffix(" -c search_path=mine") == true)
    #expect(values["options"]?.contains("-c statement_timeout=1500 ") == true)
    #expect(values["fallback_application_name"] == "swift-cloud-jobs")
  }

  @Test("Options out of their range are refused")
  func options() async {
    let changes: [@Sendable (inout PostgresOptions) -> Void] = [
      { $0.connections = 2 }, { $0.connections = 65 }, { $0.requestTimeout = .milliseconds(999) },
      { $0.connectTimeout = .zero }, { $0.maxWaiting = 0 }, { $0.schema = "no schema" },
    ]
    for change in changes {
      var options = PostgresOptions()
      change(&options)
      let error = await #expect(throws: StoreError.self) {
        try await PostgresStore.open("postgres://127.0.0.1:1/x", options: options)
      }
      #expect(error?.code == .invalid)
    }
    let error = await #expect(throws: StoreError.self) {
      try await PostgresStore.open("host=127.0.0.1 hunter2")
    }
    #expect(error?.code == .invalid && error?.description.contains("hunter2") == false)
  }
}

@Suite("Groups of commits")
struct CommitGroupTests {
  private func run(_ name: String, _ status: RunStatus = .pending, wakeAt: Timestamp? = nil) -> Run {
    let time = Timestamp(seconds: 1)
    var run = Run(
      id: RunID(job: "a", occurrence: .key(name)), job: "a", trigger: .task, status: status, maxAttempts: 1,
      notBefore: time, createdAt: time)
    run.wakeAt = wakeAt
    return run
  }

  private func next(_ commits: [[Write]], limit: Int = CommitGroups.countLimit) -> [Int] {
    CommitGroups.next(of: commits.map { CommitProfile($0) }, countLimit: limit)
  }

  @Test("A commit's kind follows from its writes")
  func kinds() {
    let table: [([Write], CommitKind)] = [
      ([.putRun(run("a"), .absent)], .insert), ([.putRun(run("a"), .version(Version(1)))], .update),
      ([.putRun(run("a"), .fence(1))], .update), ([.putRun(run("a"), .attempt(fence: 1, amendments: 0))], .update),
      ([.putRun(run("a"), .none)], .mixed), ([.putRun(run("a"), .absent), .putRun(run("b"), .absent)], .mixed),
      ([.deleteRun(run("a").id, .none)], .mixed), ([.deleteJob("a", .none)], .mixed), ([], .mixed),
    ]
    for (writes, kind) in table { #expect(CommitProfile(writes).kind == kind) }
  }

  @Test("A group has commits of the first one's kind, of different documents, in their order")
  func groups() {
    let (insertA, insertB): ([Write], [Write]) = ([.putRun(run("a"), .absent)], [.putRun(run("b"), .absent)])
    let (updateA, updateB): ([Write], [Write]) = ([.putRun(run("a"), .fence(1))], [.putRun(run("b"), .fence(1))])
    let take: [Write] = [.changeLedger(.job("a"), .give([]))]
    let put: [Write] = [.putLedger(.job("a"), nil, .none)]
    #expect(next([]) == [])
    #expect(next([insertA, insertB]) == [0, 1])
    #expect(next([insertA, insertA, insertB]) == [0, 2])
    #expect(next([insertA, updateA, insertB, updateB]) == [0, 2])
    #expect(next([updateA, insertB, updateB, updateA]) == [0, 2])
    #expect(next([take, take, put, take]) == [0, 1, 3])
    #expect(next([put, take, put]) == [0])
    #expect(next([take + insertA, take + insertB, take + updateA]) == [0, 1])
    #expect(next([insertA, insertB], limit: 1) == [0])
  }

  @Test("Few groups are under way at a time, commits gather meanwhile, and each gets its own outcome")
  func queue() async throws {
    let queue = CommitQueue(maxActive: 2, countLimit: 8)
    let state = Shared((active: 0, mostActive: 0, sizes: [Int]()))
    let perform: CommitQueue.Perform = { group, _ in
      state.withLock { state in
        state.active += 1
        state.mostActive = max(state.mostActive, state.active)
        state.sizes.append(group.count)
      }
      try? await SystemClock.system.sleep(for: .milliseconds(2))
      state.withLock { $0.active -= 1 }
      return group.map { writes in
        guard case .putRun(let run, _)? = writes.first else { return .failure(StoreError(.invalid, "")) }
        return run.priority.isMultiple(of: 5)
          ? .failure(StoreError(.conflict, "")) : .success(Timestamp(seconds: Int64(run.priority)))
      }
    }
    await withTaskGroup(of: Void.self) { tasks in
      for number in 0..<200 {
        var run = run("\(number)")
        run.priority = number
        let writes: [Write] = [.putRun(run, .absent)]
        tasks.addTask {
          let time = try? await queue.commit(writes, perform: perform)
          #expect(time == (number.isMultiple(of: 5) ? nil : Timestamp(seconds: Int64(number))))
        }
      }
      tasks.cancelAll()
    }
    let (active, mostActive, sizes) = state.withLock { $0 }
    #expect(active == 0 && mostActive <= 2)
    #expect(sizes.reduce(0, +) == 200 && sizes.allSatisfy { $0 <= 8 } && sizes.count < 100)
  }

  @Test("A group is limited in its writes, but always has its first commit")
  func weights() {
    func batch(_ name: String, _ count: Int) -> [Write] { (0..<count).map { .putRun(run("\(name)\($0)"), .none) } }
    #expect(next([batch("a", 500), batch("b", 500), batch("c", 1)]) == [0, 1])
    #expect(next([batch("a", 500), batch("b", 499), batch("c", 1), batch("d", 1)]) == [0, 1, 2])
    #expect(next([batch("a", 1_200), batch("b", 1)]) == [0])
  }

  @Test("Only writes that give others work wake them")
  func wakeUps() {
    let now = Timestamp(seconds: 1)
    let table: [(Write, Bool)] = [
      (.putRun(run("a", wakeAt: now), .absent), true), (.putRun(run("a", wakeAt: now), .version(Version(1))), true),
      (.putRun(run("a"), .absent), false), (.putRun(run("a", .running, wakeAt: now), .version(Version(1))), false),
      (.putRun(run("a", .scheduled, wakeAt: now), .attempt(fence: 1, amendments: 0)), false),
      (.putConfiguration("a", JobConfiguration(), .none), true), (.patchState("a", JobStatePatch(), .none), false),
    ]
    for (write, isWake) in table { #expect(write.makesWorkSooner == isWake) }
  }
}
#endif
