#if PostgreSQL
import CloudJobs
import CloudJobsCore
import CloudJobsPostgres
import Synchronization
import Testing

@Suite("Work under an old snapshot", .enabled(if: PostgresServer.isInstalled, PostgresServer.remedy), .serialized)
struct OldSnapshotTests {
  private static let count = 200

  /// The pages that the server read for a statement, per call.
  private typealias Costs = [String: Double]

  @Test("No statement of a worker reads more pages because the dead versions of rows can't be removed")
  func pages() async throws {
    let server = try PostgresServer(
      settings: ["shared_preload_libraries=pg_stat_statements", "autovacuum=off", "synchronous_commit=off"])
    defer { try? server.remove() }
    let (fresh, aged) = (server.database(), server.database())
    try server.database().execute("CREATE EXTENSION pg_stat_statements WITH SCHEMA public")
    let before = try await costs(in: fresh, whileHeld: false)
    let after = try await costs(in: aged, whileHeld: true)
    #expect(before.count > 10, "\(before.keys)")
    for (statement, pages) in after.sorted(by: { $0.value > $1.value }) where !Self.isRare(statement) {
      let usual = before[statement] ?? 0
      // Plans that read a whole table of dead versions take 9,000 pages and more.
      #expect(pages <= usual * 4 + 500, "\(Int(pages)) pages, not \(Int(usual)): \(statement)")
    }
  }

  /// Whether a statement searches from the beginning of time, as a worker does at long intervals: its looks, its
  /// master pass each minute, and what removes expired rows.
  private static func isRare(_ statement: String) -> Bool {
    statement.hasPrefix("SELECT wake_at, id FROM runs WHERE wake_at < $1")
      || statement.contains("wake_at AS key FROM runs WHERE wake_at <= now.time ORDER BY key")
      || (statement.contains("DELETE FROM") && statement.contains("SKIP LOCKED"))
  }

  /// Executes runs in a new schema.
  ///
  /// - Parameters:
  ///   - database: the schema.
  ///   - isHeld: whether a transaction holds a snapshot that is older than many runs.
  /// - Returns: the costs of the store's statements.
  /// - Throws: the error of the store or of the server.
  private func costs(in database: PostgresDatabase, whileHeld isHeld: Bool) async throws -> Costs {
    let store = try await database.open()
    let connection = try database.connect()
    try connection.execute("CREATE TABLE effects (run text)")
    let registry = try JobRegistry {
      EndpointJob("work") { context in
        try await store.perform(effect: "row", for: context) { transaction in
          try await transaction.query(
            "INSERT INTO \(database.schema).effects VALUES ($1)", [PostgresValue(context.runID.rawValue)])
        }
      }.maxConcurrent(8)
      PeriodicJob("tick", every: .minutes(1)) { _ in }
    }
    let runtime = JobRuntime(registry, store: store, queue: .store, authentication: .trustLoopback)
    try await execute("warm up", count: 5, runtime, store)
    // From here on the process knows where to search.
    let time = try await store.dueTimes(within: .zero).time
    let holder = try database.connect()
    if isHeld {
      try holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
      try holder.execute("SELECT count(*) FROM runs")
      for statement in Self.aging { try connection.execute(statement) }
    }
    try connection.execute("VACUUM ANALYZE")
    // Some due runs of a job that is not registered are known by their ids.
    for age in 1...4 {
      _ = try await store.commit([.putRun(sampleRun("\(age)", wakeAt: time - .seconds(5 + age)), .absent)])
    }
    try connection.execute("SELECT public.pg_stat_statements_reset()")
    try await execute("measured", count: Self.count, runtime, store)
    await store.close()
    // The statements of the store name its schema. As if there had been 10 more calls, so that a single search from the
    // beginning of time counts little among few of them.
    let rows = try #require(
      try connection.execute(
        """
        SELECT string_agg(
          pages || '|' || regexp_replace(replace(query, '"\(database.schema)".', ''), '\\s+', ' ', 'g'), E'\\n')
        FROM (
          SELECT query, sum(shared_blks_hit + shared_blks_read) / (sum(calls) + 10) AS pages
          FROM public.pg_stat_statements
          WHERE query LIKE '%"\(database.schema)".%' GROUP BY query) AS statement
        """))
    var costs = Costs()
    for row in rows.split(separator: "\n") {
      let parts = row.split(separator: "|", maxSplits: 1)
      costs[String(parts[1])] = Double(parts[0])
    }
    return costs
  }

  /// Enqueues runs in calls of one and of several, and waits for them.
  private func execute(_ name: String, count: Int, _ runtime: JobRuntime, _ store: PostgresStore) async throws {
    let ids = Shared<[RunID]>([])
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await JobWorker(runtime).run() }
      for number in stride(from: 0, to: count, by: 5) {
        let requests = (number..<(number + 4)).map { EnqueueRequest("work", key: "\(name) \($0)") }
        let several = try await runtime.enqueue(requests)
        let one = try await runtime.enqueue("work", key: "\(name) \(number + 4)")
        ids.withLock { $0 += several.map(\.id) + [one.id] }
        try await Task.sleep(for: .milliseconds(20))
      }
      let all = ids.withLock { $0 }
      while try await !store.read(jobs: [], runs: all).runs.values.allSatisfy({ try $0.run.get().status == .succeeded })
      {
        try await Task.sleep(for: .milliseconds(50))
      }
      group.cancelAll()
      try await group.waitForAll()
    }
  }

  /// Leaves dead versions: of 15,000 runs that were executed, of their account, and of jobs whose times passed.
  private static let aging = [
    "UPDATE jobs SET next_run = next_run - 600 * 1000000::int8",
    """
    DO $$ BEGIN
      FOR batch IN 1..300 LOOP
        INSERT INTO runs (id, version, created_at, wake_at, fence, amendments, status, job, document)
          SELECT sha256((batch * 100 + n)::text::bytea), nextval('versions'), now.time, now.time - 60000000, 0, 0,
            'pending', 'work',
            repeat('x', 300)
          FROM generate_series(0, 49) AS n,
            (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::int8) AS now (time);
        COMMIT;
        UPDATE runs SET status = 'running', wake_at = wake_at + 3000000, fence = 1 WHERE status = 'pending';
        COMMIT;
        UPDATE runs SET status = 'succeeded', wake_at = NULL, expire_at = created_at WHERE status = 'running';
        COMMIT;
        DELETE FROM runs WHERE expire_at IS NOT NULL;
        FOR change IN 1..2 LOOP
          UPDATE jobs SET version = nextval('versions'), next_run = next_run + 1000000;
          COMMIT;
          UPDATE ledgers SET version = nextval('versions');
          COMMIT;
        END LOOP;
        IF batch % 3 = 0 THEN
          UPDATE times SET last_time = last_time + 1;
          COMMIT;
        END IF;
      END LOOP;
    END $$
    """,
  ]
}
#endif
