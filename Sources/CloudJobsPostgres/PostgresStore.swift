#if PostgreSQL
public import CloudJobs
public import CloudJobsCore
import Synchronization

/// A store in a PostgreSQL database, which any number of processes may share.
///
/// Its tables live in a schema of their own, so that the database may hold other tables too. A commit returns once the
/// server has it on disk, unless the server's `synchronous_commit` says otherwise. Commits that wait at the same time
/// share a transaction, but succeed or fail individually. Reads use a snapshot and never wait for commits.
///
/// All communication takes place on one thread of the store, over a few connections that are opened when they are
/// needed and replaced when they break. A call fails with `unavailable` if nothing was changed, and with
/// `unknownOutcome` if the connection broke while a commit was under way. The one call of libpq that can block, the
/// look-up of a host's name, takes place on a thread of its own.
///
/// The store's time is the clock of the database. Within a process it never goes backwards; if the server's clock is
/// set back, another process may see it go back by up to a second.
///
/// Requires PostgreSQL 12 or later with the encoding UTF8. Connect to the server itself, or through a pool of sessions:
/// prepared statements and notifications don't pass a pool of transactions.
public final class PostgresStore: PurgingStore, DueTimeStore, WakingStore, ClaimingStore {
  let client: PostgresClient
  let schema: SchemaName
  let time: StoreTime
  let statements: CommitStatements
  let ledgers = LedgerCache()
  private let queue: CommitQueue
  let notifier: Notifier
  let front = Mutex(DueFront())
  let purges = Mutex<[String: SearchFront]>([:])
  let jobFront = Mutex(SearchFront.ofJobs)

  /// Connects to a database, and creates or migrates the store's tables.
  ///
  /// - Parameters:
  ///   - connection: a connection string as of libpq, such as `postgres://user@host/database?sslmode=verify-full`; a
  ///     password is better kept in `PGPASSWORD` or a password file.
  ///   - options: the options of the store.
  /// - Returns: an open store; end it with ``close()``.
  /// - Throws: ``/CloudJobs/StoreError`` `unavailable` if the server can't be reached, `invalid` if it refuses the
  ///   log-in, if an option or the connection string is invalid, or if the schema was written by a later version of
  ///   this program or belongs to another one.
  public static func open(
    _ connection: String, options: PostgresOptions = PostgresOptions()
  ) async throws(StoreError) -> PostgresStore {
    let store = try PostgresStore(connection, options)
    do throws(StoreError) {
      try await store.prepareSchema(mayMigrate: options.migratesSchema)
    } catch {
      await store.close()
      throw error
    }
    return store
  }

  private init(_ connection: String, _ options: PostgresOptions) throws(StoreError) {
    schema = try SchemaName(options.schema)
    client = PostgresClient(try options.clientOptions(connection, schema))
    time = StoreTime(clock: options.clock, schema: schema)
    statements = CommitStatements(schema)
    queue = CommitQueue(maxActive: max(1, options.connections - 1), countLimit: options.groupLimit)
    notifier = Notifier(client, channel: schema.channel)
  }

  /// Closes all connections and ends the store's thread; later calls fail with `unavailable`.
  ///
  /// A commit that is under way has an unknown outcome.
  public func close() async {
    await client.close()
  }

  /// The version of the schema that this program works on.
  package static var schemaVersion: Int { PostgresSchema.latest }
  /// The version of libpq, such as `15.8`.
  package static var libraryVersion: String { PostgresConnection.libraryVersion }

  /// Returns the version of the server, such as `15.8`.
  package func serverVersion() async throws(StoreError) -> String {
    try await perform([Statement(callers: "SHOW server_version", [])])[0].text(0, 0) ?? ""
  }

  // MARK: Requests

  /// Executes statements that only read, or that change nothing if they fail.
  ///
  /// - Parameters:
  ///   - statements: the statements, in one transaction.
  ///   - mayCommit: whether they make changes.
  /// - Returns: the rows of each.
  /// - Throws: ``StoreError``.
  func perform(_ statements: [Statement], mayCommit: Bool = false) async throws(StoreError) -> [QueryResult] {
    var attempts = 0
    while true {
      switch await client.perform(statements) {
      case .success(let response): return response.results
      case .failure(let failure):
        attempts += 1
        if failure.isTransient, attempts < Self.maxAttempts { continue }
        throw StoreError(failure, mayCommit: mayCommit)
      }
    }
  }

  /// The maximum number of executions of a transaction that other transactions were in the way of.
  static let maxAttempts = 10

  // MARK: Commits

  /// Commits all writes, or none, and returns once the server has them on disk.
  public func commit(_ writes: [Write]) async throws(StoreError) -> Timestamp {
    try StoreLimits.check(writes)
    if writes.isEmpty { return try await currentTime() }
    return try await queue.commit(writes) { group, kind in await self.perform(group, kind) }
  }

  private func currentTime() async throws(StoreError) -> Timestamp {
    let results = try await perform([time.statement(ofCommit: false)])
    return time.advance(to: results[0].int64(0, 0))
  }

  /// Executes a group of commits; alone where the group fails for a reason that may be that of one of them.
  private func perform(_ group: [[Write]], _ kind: CommitKind) async -> [CommitQueue.Outcome] {
    do throws(StoreError) {
      let outcomes = try await attempt(group, kind)
      let committed = zip(group, outcomes).filter { (try? $1.get()) != nil }.flatMap { $0.0 }
      noteWrites(committed)
      if committed.contains(where: { $0.makesWorkSooner }) { notifier.notify() }
      return outcomes
    } catch {
      guard error.code == .invalid, group.count > 1 else { return group.map { _ in .failure(error) } }
      var outcomes: [CommitQueue.Outcome] = []
      for writes in group { outcomes += await perform([writes], kind) }
      return outcomes
    }
  }

  private func attempt(_ group: [[Write]], _ kind: CommitKind) async throws(StoreError) -> [CommitQueue.Outcome] {
    switch kind {
    case .insert, .update: return try await performPuts(group, kind)
    case .mixed:
      let writes = group
      return try await transaction { connection throws(TransactionFailure) in
        var transaction = CommitTransaction()
        let targets = CommitTransaction.Targets(of: writes.joined())
        try await connection.lock(targets, &transaction)
        let outcomes = writes.map { writes in
          Result { () throws(StoreError) in try transaction.apply(writes) }
        }
        let time = try await connection.commit(transaction)
        return outcomes.map { outcome in outcome.map { time } }
      }
    }
  }

  /// Executes commits of one run each by one statement.
  private func performPuts(_ group: [[Write]], _ kind: CommitKind) async throws(StoreError) -> [CommitQueue.Outcome] {
    var puts: [(run: Run, precondition: Precondition)] = []
    for case .putRun(let run, let precondition)? in group.map(\.first) { puts.append((run, precondition)) }
    let sorted = puts.sorted { $0.run.id < $1.run.id }
    let statement =
      kind == .insert
      ? statements.insert(sorted.map(\.run), skipsExisting: true) : statements.update(sorted)
    let results = try await perform([statement, time.statement(ofCommit: true)], mayCommit: true)
    let changed = Set((0..<results[0].count).compactMap { results[0].bytes($0, 0) })
    let time = time.advance(to: results[1].int64(0, 0))
    return zip(group, puts).map { writes, put in
      changed.contains(put.run.id.bytes) ? .success(time) : .failure(.conflict(on: writes[0]))
    }
  }

  /// Returns whether any run waits, as this process left the ledger; another one may have changed it since.
  public func hasWaiters(in id: LedgerID, asOf time: Timestamp) -> Bool? {
    ledgers[id].flatMap { $0.changedAt >= time ? $0.ledger.hasWaiters : nil }
  }

  // MARK: Wake-ups

  /// Returns a stream that has a value whenever another process may have made work due.
  ///
  /// It also has one each time that the connection for notifications was made, because notifications before may have
  /// been lost.
  public func wakeUps() -> AsyncStream<Void> {
    let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let client = client
    let number = client.addListener { [weak self] in
      self?.front.withLock { $0.noteNotification() }
      continuation.yield()
    }
    continuation.onTermination = { _ in client.removeListener(number) }
    return stream
  }

  /// Tells other processes to look for due work.
  func notifyOthers() { notifier.notify() }
}

extension JobStore where Self == PostgresStore {
  /// Returns a store in a PostgreSQL database, whose tables are created if they do not exist.
  ///
  /// - Parameters:
  ///   - connection: a connection string as of libpq.
  ///   - options: the options of the store.
  /// - Returns: an open store.
  /// - Throws: ``/CloudJobs/StoreError`` as ``PostgresStore/open(_:options:)`` does.
  public static func postgres(
    _ connection: String, options: PostgresOptions = PostgresOptions()
  ) async throws(StoreError) -> PostgresStore {
    try await PostgresStore.open(connection, options: options)
  }
}
#endif
