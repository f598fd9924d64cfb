#if SQLite
public import CloudJobs
import CloudJobsCore
public import GRDB

// MARK: - Effects

extension SQLiteStore {
  /// Performs an effect at most once in a run: changes of the caller's tables in the store's file.
  ///
  /// The changes commit together with a record of the effect, on condition that the run is still executed by the
  /// context's attempt. A later attempt, and a second call, get the value of the first one without performing the
  /// effect again. An attempt that has lost its lease is refused.
  ///
  /// ```swift
  /// EndpointJob(Transfer.self) { transfer, context in
  ///   try await store.perform(effect: "transfer", for: context) { database in
  ///     try database.execute(
  ///       sql: "UPDATE accounts SET balance = balance + ? WHERE id = ?", arguments: [transfer.amount, transfer.to])
  ///   }
  /// }
  /// ```
  ///
  /// The record is deleted together with its run.
  ///
  /// - Parameters:
  ///   - name: the name of the effect, unique in the run: 1 to 200 bytes.
  ///   - context: the context of the attempt.
  ///   - body: makes the changes. It may be called more than once, each time after a rollback. While it runs, no other
  ///     change of the file can be made, so it must not wait for anything else.
  /// - Returns: the value, and whether this call performed the effect.
  /// - Throws: ``/CloudJobsCore/JobError`` `leaseLost` if the attempt no longer holds its run, `notFound` if the run is
  ///   not in this store, `invalidField` for an invalid name, `storeUnavailable` if nothing was changed or the outcome
  ///   is unknown: a repetition is safe. The error of the body, after which nothing is changed.
  @discardableResult
  public func perform<Value: Codable & Sendable>(
    effect name: String, for context: JobContext, _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws -> EffectResult<Value> {
    try EffectName.check(name)
    return try await transaction { transaction in
      let stored = try StoredEffect.fetch(name, of: context.runID, transaction.database)
      do {
        guard try stored.state.allows(holding: context.fence) else {
          let value = try context.opened(stored.value, ofEffect: name, as: Value.self)
          return .success(EffectResult(value: value, isNew: false))
        }
      } catch {
        return .failure(error)
      }
      return try transaction.callersChange { database in
        let value = try body(database)
        let payload = value is NoOutput ? nil : try context.sealed(value, ofEffect: name)
        try StoredEffect.insert(name, of: context.runID, fence: context.fence, payload, transaction)
        return EffectResult(value: value, isNew: true)
      }
    }
  }

  /// Performs an effect without a value at most once in a run; otherwise like `perform(effect:for:_:)`.
  ///
  /// - Returns: whether this call performed the effect.
  @discardableResult
  public func perform(
    effect name: String, for context: JobContext, _ body: @escaping @Sendable (Database) throws -> Void
  ) async throws -> Bool {
    let result: EffectResult<NoOutput> = try await perform(effect: name, for: context) { database in
      try body(database)
      return NoOutput()
    }
    return result.isNew
  }

  /// Changes the caller's tables in the store's file, in one transaction.
  ///
  /// - Parameter body: makes the changes, under the conditions of `perform(effect:for:_:)`.
  /// - Returns: the value of the body, once the changes are on disk.
  /// - Throws: ``/CloudJobsCore/JobError`` `storeUnavailable`, or the error of the body, after which nothing is
  ///   changed.
  @discardableResult
  public func write<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
    try await transaction { try $0.callersChange(body) }
  }

  private func transaction<Value: Sendable>(
    _ body: @escaping @Sendable (CommitTransaction) throws -> Result<Value, any Error>
  ) async throws -> Value {
    let result: Result<Value, any Error>
    do throws(StoreError) {
      result = try await change(weight: 2, body)
    } catch {
      throw JobError(error)
    }
    return try result.get()
  }
}

// MARK: - Enqueue in the caller's transaction

extension SQLiteStore {
  /// Enqueues runs in a transaction of the caller, so that its changes and the runs commit together or not at all.
  ///
  /// ```swift
  /// try await store.write { database in
  ///   try order.insert(database)
  ///   try store.enqueue([EnqueueRequest(ShipOrder(id: order.id))], of: runtime, in: database)
  /// }
  /// ```
  ///
  /// The database may be that of ``write(_:)``, of `perform(effect:for:_:)`, or of the caller's own connection to the
  /// store's file. The worker of this process is woken by the commit; a worker of another process finds the runs with
  /// its next poll. If the runtime has a queue, the sweep enqueues the tasks.
  ///
  /// - Parameters:
  ///   - requests: the runs to enqueue, at most 500.
  ///   - runtime: the runtime over this store.
  ///   - database: the database, in a transaction that writes.
  /// - Returns: the runs, in the order of the requests.
  /// - Throws: ``/CloudJobsCore/JobError``: `unknownJob`, `invalidInput` or `tooLarge`; `storeRejected` if the database
  ///   is not the store's file or is in no transaction; or an error of the database.
  @discardableResult
  public func enqueue(
    _ requests: [EnqueueRequest], of runtime: JobRuntime, in database: Database
  ) throws -> [EnqueuedRun] {
    try record(try runtime.drafts(requests), in: database)
  }

  /// Enqueues runs as children of a run; otherwise like ``enqueue(_:of:in:)-(_,JobRuntime,_)``.
  @discardableResult
  public func enqueue(
    _ requests: [EnqueueRequest], of context: JobContext, in database: Database
  ) throws -> [EnqueuedRun] {
    try record(try context.drafts(requests), in: database)
  }

  private func record(_ drafts: RunDrafts, in database: Database) throws -> [EnqueuedRun] {
    guard try database.tableExists("store"), try database.tableExists("runs") else {
      throw JobError(.storeRejected, "This database is not the store's file. Use the store's write, or its path.")
    }
    guard database.isInsideTransaction else {
      throw JobError(.storeRejected, "The database is in no transaction. Enqueue inside write or inTransaction.")
    }
    var lastCommit = try LastCommit(database)
    let time = clock.advance(past: lastCommit.lastTime)
    let (new, enqueued) = drafts.recording(try Self.reading(database, time, jobs: drafts.jobs, runs: drafts.runs))
    for run in new {
      try StoredRun.put(
        run, document: run.document, version: try lastCommit.nextVersion(), over: nil, database)
    }
    try lastCommit.save(database, time: time)
    database.afterNextTransaction { _ in drafts.wakeWorker() }
    return enqueued
  }
}
#endif
