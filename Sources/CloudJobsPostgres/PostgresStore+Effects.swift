#if PostgreSQL
public import CloudJobs
import CloudJobsCore

// MARK: - Effects

extension PostgresStore {
  /// Performs an effect at most once in a run: changes of the caller's tables in the store's database.
  ///
  /// The changes commit together with a record of the effect, on condition that the run is still executed by the
  /// context's attempt. A later attempt, and a second call, get the value of the first one without performing the
  /// effect again. An attempt that has lost its lease is refused.
  ///
  /// ```swift
  /// EndpointJob(Transfer.self) { transfer, context in
  ///   try await store.perform(effect: "transfer", for: context) { transaction in
  ///     try await transaction.query(
  ///       "UPDATE accounts SET balance = balance + $1 WHERE id = $2",
  ///       [PostgresValue(transfer.amount), PostgresValue(transfer.to)])
  ///   }
  /// }
  /// ```
  ///
  /// The record is deleted together with its run.
  ///
  /// - Parameters:
  ///   - name: the name of the effect, unique in the run: 1 to 200 bytes.
  ///   - context: the context of the attempt.
  ///   - body: makes the changes. It may be called more than once, each time after a rollback. While it runs, it has
  ///     one of the store's few connections for itself and holds the locks of its statements, so it should not wait for
  ///     anything else. PostgreSQL ends a transaction that is idle for 5 minutes.
  /// - Returns: the value, and whether this call performed the effect.
  /// - Throws: ``/CloudJobsCore/JobError`` `leaseLost` if the attempt no longer holds its run, `notFound` if the run is
  ///   not in this store, `invalidField` for an invalid name, `storeUnavailable` if nothing was changed or the outcome
  ///   is unknown: a repetition is safe. The error of the body, after which nothing is changed.
  @discardableResult
  public func perform<Value: Codable & Sendable>(
    effect name: String, for context: JobContext, _ body: @Sendable (PostgresTransaction) async throws -> Value
  ) async throws -> EffectResult<Value> {
    try EffectName.check(name)
    return try await callersTransaction { transaction in
      let (state, stored) = try await begin(effect: name, of: context.runID, transaction.connection)
      guard try state.allows(holding: context.fence) else {
        let value = try context.opened(stored, ofEffect: name, as: Value.self)
        return EffectResult(value: value, isNew: false)
      }
      let value = try await body(transaction)
      let payload = value is NoOutput ? nil : try context.sealed(value, ofEffect: name)
      let isRecorded = try await record(name, of: context.runID, context.fence, payload, transaction.connection)
      // The lease was lost while the body ran.
      if !isRecorded { _ = try EffectState(status: .pending, fence: nil, isPerformed: false).allows(holding: 0) }
      return EffectResult(value: value, isNew: true)
    }
  }

  /// Performs an effect without a value at most once in a run; otherwise like `perform(effect:for:_:)`.
  ///
  /// - Returns: whether this call performed the effect.
  @discardableResult
  public func perform(
    effect name: String, for context: JobContext, _ body: @Sendable (PostgresTransaction) async throws -> Void
  ) async throws -> Bool {
    let result: EffectResult<NoOutput> = try await perform(effect: name, for: context) { transaction in
      try await body(transaction)
      return NoOutput()
    }
    return result.isNew
  }

  /// Changes the caller's tables in the store's database, in one transaction.
  ///
  /// - Parameter body: makes the changes, under the conditions of `perform(effect:for:_:)`.
  /// - Returns: the value of the body, once the changes are committed.
  /// - Throws: The error of the body, after which nothing is changed. ``/CloudJobsCore/JobError`` `storeUnavailable`;
  ///   if the connection broke at the end, the changes may be committed. Where a repetition would do harm, look first,
  ///   or perform an effect of a run, which tells.
  @discardableResult
  public func write<Value: Sendable>(
    _ body: @Sendable (PostgresTransaction) async throws -> Value
  ) async throws -> Value {
    try await callersTransaction { transaction in
      _ = try await transaction.connection.perform([Statement("BEGIN"), PlannerSettings.forCallers])
      return try await body(transaction)
    }
  }

  /// Executes a caller's changes in a transaction, which the body begins, and again if another transaction was in their
  /// way.
  private func callersTransaction<Value: Sendable>(
    _ body: (PostgresTransaction) async throws -> Value
  ) async throws -> Value {
    var attempts = 0
    while true {
      let lease: UInt64
      switch await client.reserve(isCallers: true) {
      case .success(let number): lease = number
      case .failure(let failure): throw JobError(StoreError(failure, mayCommit: false))
      }
      attempts += 1
      let connection = StoreConnection(store: self, lease: lease)
      do {
        let value = try await attempt(PostgresTransaction(connection), body)
        client.release(lease, isClean: true)
        return value
      } catch TransactionFailure.request(let failure, let mayCommit) {
        rollBack(lease, after: .request(failure, mayCommit: mayCommit))
        if failure.isTransient || failure.isUniqueViolation, attempts < Self.maxAttempts { continue }
        throw JobError(StoreError(failure, mayCommit: mayCommit))
      } catch let error as PostgresError where error.isTransient && attempts < Self.maxAttempts {
        rollBack(lease, after: .stopped(StoreError(.unavailable, "")))
      } catch let error as PostgresError where error.sqlState.hasPrefix("08") || error == .ended {
        client.release(lease, isClean: false)
        if error == .ended { throw error }
        throw JobError(StoreError(.unavailable, error.message, nativeCode: error.sqlState))
      } catch {
        rollBack(lease, after: .stopped(StoreError(.unavailable, "")))
        throw error
      }
    }
  }

  private func attempt<Value: Sendable>(
    _ transaction: PostgresTransaction, _ body: (PostgresTransaction) async throws -> Value
  ) async throws -> Value {
    let value: Value
    do {
      value = try await body(transaction)
    } catch {
      try transaction.end()
      throw error
    }
    try transaction.end()
    // A transaction in which a statement failed takes only a rollback: the first statement fails again.
    // The last one takes back what the caller has set without LOCAL.
    let end =
      PlannerSettings.afterCaller + [time.statement(ofCommit: true), Statement("COMMIT"), Statement("RESET ALL")]
    do throws(TransactionFailure) {
      _ = try await transaction.connection.perform(end, mayCommit: true)
    } catch {
      if case .request(.server(let failure), _) = error, failure.sqlState == "25P02" {
        throw PostgresError(
          sqlState: "25P02", message: "A statement of the transaction failed, and its error was ignored. Throw it.")
      }
      throw error
    }
    return value
  }

  // MARK: Records of effects

  /// Begins the transaction of an effect, and reads the state of its run and of itself.
  private func begin(
    effect name: String, of run: RunID, _ connection: StoreConnection
  ) async throws -> (state: EffectState, value: JSONText?) {
    let statement = Statement(
      """
      SELECT status, run.fence, effect.run IS NOT NULL, value FROM \(schema.sql).runs AS run
      LEFT JOIN \(schema.sql).run_effects AS effect ON effect.run = run.id AND name = $2 WHERE id = $1
      """
    ) {
      $0.append(run.bytes)
      $0.append(name)
    }
    let rows = try await connection.perform([Statement("BEGIN"), statement, PlannerSettings.forCallers])[1]
    guard rows.count > 0 else { return (EffectState(status: nil, fence: nil, isPerformed: false), nil) }
    let state = EffectState(
      status: rows.text(0, 0).flatMap { RunStatus(rawValue: $0) }, fence: rows.int64(0, 1),
      isPerformed: rows.bool(0, 2) ?? false)
    return (state, rows.bytes(0, 3).map { JSONText(trusted: $0) })
  }

  /// Records that an effect was performed, if the attempt still holds its run; from here on, no other may take it over
  /// before the commit.
  ///
  /// - Returns: whether it was recorded.
  private func record(
    _ name: String, of run: RunID, _ fence: Int64, _ value: JSONText?, _ connection: StoreConnection
  ) async throws -> Bool {
    let statement = Statement(
      """
      WITH held AS MATERIALIZED (
        SELECT id FROM \(schema.sql).runs WHERE id = $2 AND fence = $4 AND status || '' = 'running' FOR UPDATE)
      INSERT INTO \(schema.sql).run_effects (run, name, fence, time, value)
      SELECT id, $3, $4, \(time.expression(1)), $5 FROM held
      """
    ) {
      $0.append(time.floor)
      $0.append(run.bytes)
      $0.append(name)
      $0.append(fence)
      $0.append(value?.bytes)
    }
    return try await connection.perform(PlannerSettings.afterCaller + [statement]).last?.changedCount == 1
  }
}
#endif
