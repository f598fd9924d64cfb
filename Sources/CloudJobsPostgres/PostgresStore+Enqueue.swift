#if PostgreSQL
public import CloudJobs
public import CloudJobsCore

// MARK: - Enqueue in the caller's transaction

extension PostgresStore {
  /// Enqueues runs in a transaction of ``write(_:)`` or of an effect, so that its changes and the runs commit together
  /// or not at all.
  ///
  /// ```swift
  /// try await store.write { transaction in
  ///   try await transaction.query("INSERT INTO orders (id) VALUES ($1)", [PostgresValue(order.id)])
  ///   try await store.enqueue([EnqueueRequest(ShipOrder(id: order.id))], of: runtime, in: transaction)
  /// }
  /// ```
  ///
  /// The commit wakes the workers of all processes. If the runtime has a queue, the sweep enqueues the tasks.
  ///
  /// - Parameters:
  ///   - requests: the runs to enqueue, at most 500.
  ///   - runtime: the runtime over this store.
  ///   - transaction: the transaction.
  /// - Returns: the runs, in the order of the requests.
  /// - Throws: ``/CloudJobsCore/JobError``: `unknownJob`, `invalidInput`, `tooLarge` or `storeUnavailable`.
  @discardableResult
  public func enqueue(
    _ requests: [EnqueueRequest], of runtime: JobRuntime, in transaction: PostgresTransaction
  ) async throws -> [EnqueuedRun] {
    try await record(try runtime.drafts(requests), in: transaction)
  }

  /// Enqueues runs as children of a run; otherwise like ``enqueue(_:of:in:)-(_,JobRuntime,_)``.
  @discardableResult
  public func enqueue(
    _ requests: [EnqueueRequest], of context: JobContext, in transaction: PostgresTransaction
  ) async throws -> [EnqueuedRun] {
    try await record(try context.drafts(requests), in: transaction)
  }

  private func record(_ drafts: RunDrafts, in transaction: PostgresTransaction) async throws -> [EnqueuedRun] {
    let connection = transaction.connection
    guard connection.store === self else {
      throw JobError(.storeRejected, "The transaction is one of another store. Use the store's own.")
    }
    let reading = Self.reading(jobs: drafts.jobs, runs: drafts.runs, ledgers: [], time, schema)
    let rows = try await connection.perform([PlannerSettings.forOwn, reading])[1]
    let (new, enqueued) = drafts.recording(Self.reading(rows, time))
    let inserted = try await connection.perform((new.isEmpty ? [] : recording(new)) + [PlannerSettings.forCallers])
    return new.isEmpty ? enqueued : Self.corrected(enqueued, new, inserted[0])
  }

  /// Enqueues runs in a transaction of the caller's own connection, which blocks the calling thread; otherwise like
  /// ``enqueue(_:of:in:)-(_,JobRuntime,PostgresTransaction)``.
  ///
  /// - Parameters:
  ///   - requests: the runs to enqueue, at most 500.
  ///   - runtime: the runtime over this store.
  ///   - connection: a `PGconn` of libpq to the store's database, in a transaction, with the client encoding UTF8 and
  ///     not in pipeline mode. Its user needs the rights to select and insert rows, and to use the sequence.
  /// - Returns: the runs, in the order of the requests.
  /// - Throws: ``/CloudJobsCore/JobError``: `unknownJob`, `invalidInput` or `tooLarge`; `storeRejected` if the
  ///   connection is in no transaction, has another encoding, or is not one to the store's database; ``PostgresError``
  ///   of the server.
  @discardableResult
  public func enqueue(
    _ requests: [EnqueueRequest], of runtime: JobRuntime, on connection: OpaquePointer
  ) throws -> [EnqueuedRun] {
    let drafts = try runtime.drafts(requests)
    let connection = CallersConnection(connection)
    guard connection.isInTransaction else {
      throw JobError(.storeRejected, "The connection is in no transaction. Send BEGIN before.")
    }
    guard connection.hasUTF8 else {
      throw JobError(.storeRejected, "The connection's client encoding is not UTF8. Set client_encoding.")
    }
    do throws(ServerError) {
      let reading = Self.reading(jobs: drafts.jobs, runs: drafts.runs, ledgers: [], time, schema)
      let (new, enqueued) = drafts.recording(Self.reading(try connection.perform(reading), time))
      if new.isEmpty { return enqueued }
      var inserted: QueryResult?
      for statement in recording(new) {
        let rows = try connection.perform(statement)
        inserted = inserted ?? rows
      }
      return inserted.map { Self.corrected(enqueued, new, $0) } ?? enqueued
    } catch {
      if ["42P01", "3F000"].contains(error.sqlState) {
        throw JobError(.storeRejected, "The connection is not one to the store's database.", nativeCode: error.sqlState)
      }
      throw PostgresError(sqlState: error.sqlState, message: error.message)
    }
  }

  /// Returns statements that enqueue runs, for a caller that executes them with a library of its own.
  ///
  /// Execute all of them, in their order and in one transaction, on a connection to the store's database.
  ///
  /// - Parameters:
  ///   - requests: the runs to enqueue, at most 500.
  ///   - runtime: the runtime over this store.
  /// - Returns: the statements, and the runs in the order of the requests: those that exist already have no statement.
  /// - Throws: ``/CloudJobsCore/JobError``: `unknownJob`, `invalidInput`, `tooLarge` or `storeUnavailable`.
  public func enqueueStatements(
    _ requests: [EnqueueRequest], of runtime: JobRuntime
  ) async throws(JobError) -> EnqueueStatements {
    let drafts = try runtime.drafts(requests)
    do throws(StoreError) {
      let (new, enqueued) = drafts.recording(try await read(jobs: drafts.jobs, runs: drafts.runs, ledgers: []))
      var statements = new.map { self.statements.insertText($0) }
      if !new.isEmpty { statements.append(PostgresStatement("SELECT pg_notify($1, '')", [schema.channel])) }
      return EnqueueStatements(statements: statements, runs: enqueued)
    } catch {
      throw JobError(error)
    }
  }

  /// Returns the statements that insert runs and wake the workers.
  private func recording(_ new: [Run]) -> [Statement] {
    [
      statements.insert(new.sorted { $0.id < $1.id }, skipsExisting: true),
      Statement("SELECT pg_notify($1, '')") { $0.append(schema.channel) },
    ]
  }

  /// Returns the answer to a caller, in which runs that another transaction inserted first are not new.
  private static func corrected(_ enqueued: [EnqueuedRun], _ new: [Run], _ inserted: QueryResult) -> [EnqueuedRun] {
    let ids = Set((0..<inserted.count).compactMap { inserted.bytes($0, 0).flatMap { RunID(bytes: $0) } })
    return enqueued.map { run in
      var run = run
      run.isNew = run.isNew && ids.contains(run.id)
      return run
    }
  }
}

/// A statement with its parameters as texts, for a library of the caller's own.
public struct PostgresStatement: Hashable, Sendable {
  /// The statement, with `$1`, `$2`, … for the parameters.
  public var sql: String
  /// The parameters in the server's text format, each of which the statement casts to its type; nil for NULL.
  public var parameters: [String?]

  /// Creates a statement.
  public init(_ sql: String, _ parameters: [String?]) {
    self.sql = sql
    self.parameters = parameters
  }
}

/// The statements that enqueue runs.
public struct EnqueueStatements: Hashable, Sendable {
  /// The statements of the caller's transaction, in their order.
  public var statements: [PostgresStatement]
  /// The runs, in the order of the requests.
  public var runs: [EnqueuedRun]
}
#endif
