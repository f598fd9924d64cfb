#if PostgreSQL
import CloudJobs
import CloudJobsCore

/// The reason why a transaction did not commit.
enum TransactionFailure: Error {
  /// A request of it failed.
  case request(RequestFailure, mayCommit: Bool)
  /// It was given up; nothing is changed.
  case stopped(StoreError)
}

/// A connection that is reserved for a transaction of several round trips.
struct StoreConnection: Sendable {
  let store: PostgresStore
  let lease: UInt64

  /// Executes statements in the transaction.
  ///
  /// - Parameters:
  ///   - statements: the statements.
  ///   - mayCommit: whether the last one commits.
  ///   - timeout: the time limit in milliseconds; nil for the request timeout.
  /// - Returns: the rows of each.
  /// - Throws: ``TransactionFailure`` `request`.
  func perform(
    _ statements: [Statement], mayCommit: Bool = false, timeout: Int64? = nil
  ) async throws(TransactionFailure) -> [QueryResult] {
    switch await store.client.perform(statements, on: lease, timeout: timeout) {
    case .success(let response): return response.results
    case .failure(let failure): throw .request(failure, mayCommit: mayCommit)
    }
  }

  /// Executes statements of the transaction without waiting for them: if one fails, so does the next one.
  func post(_ statements: Statement...) { store.client.post(statements, on: lease) { _ in } }

  /// Begins the transaction if the first documents are locked, and locks and reads documents.
  ///
  /// - Parameters:
  ///   - targets: the documents.
  ///   - transaction: takes in the documents.
  ///   - begins: whether the transaction begins.
  /// - Throws: ``TransactionFailure`` `request`.
  func lock(
    _ targets: CommitTransaction.Targets, _ transaction: inout CommitTransaction, begins: Bool = true
  ) async throws(TransactionFailure) {
    let (locks, known) = CommitTransaction.locks(targets, store.statements, store.ledgers)
    var begin = begins ? [Statement("BEGIN")] : []
    while true {
      let results = try await perform(begin + locks + [store.time.statement(ofCommit: false)])
      let time = store.time.advance(to: results.last?.int64(0, 0))
      if transaction.take(targets, known: known, results.dropFirst(begin.count).dropLast(), at: time) { return }
      begin = transaction.missingKeys(targets, store.statements)
    }
  }

  /// Makes the changes of a transaction and commits it.
  ///
  /// - Parameters:
  ///   - transaction: the changes.
  ///   - more: further statements to execute before the commit.
  /// - Returns: the time of the commit.
  /// - Throws: ``TransactionFailure`` `request`.
  func commit(
    _ transaction: CommitTransaction, and more: [Statement] = []
  ) async throws(TransactionFailure) -> Timestamp {
    if transaction.isUnchanged, more.isEmpty {
      // Nothing depends on the end of the transaction, which only gives its locks back.
      post(Statement("ROLLBACK"))
      return transaction.time
    }
    let changes = transaction.changes(store.statements) + more
    let end = [store.time.statement(ofCommit: true), Statement("COMMIT")]
    let results = try await perform(changes + end, mayCommit: true)
    store.ledgers.keep(transaction.committedLedgers(results))
    return store.time.advance(to: max(results[changes.count].int64(0, 0) ?? 0, transaction.time.microseconds))
  }
}

extension PostgresStore {
  /// Executes a transaction on a reserved connection, and again if another transaction was in its way.
  ///
  /// - Parameter body: locks, decides, changes and commits; after an error the transaction is rolled back.
  /// - Returns: the value of the body.
  /// - Throws: ``StoreError``.
  func transaction<Value>(
    _ body: (StoreConnection) async throws(TransactionFailure) -> Value
  ) async throws(StoreError) -> Value {
    var attempts = 0
    while true {
      let lease: UInt64
      switch await client.reserve() {
      case .success(let number): lease = number
      case .failure(let failure): throw StoreError(failure, mayCommit: false)
      }
      attempts += 1
      do throws(TransactionFailure) {
        let value = try await body(StoreConnection(store: self, lease: lease))
        client.release(lease, isClean: true)
        return value
      } catch {
        rollBack(lease, after: error)
        switch error {
        case .request(let failure, let mayCommit):
          if failure.isTransient || failure.isUniqueViolation, attempts < Self.maxAttempts { continue }
          if failure.isUniqueViolation {
            throw StoreError(
              .unavailable, "Other writers kept creating the same documents. Retry.", nativeCode: "23505")
          }
          throw StoreError(failure, mayCommit: mayCommit)
        case .stopped(let error): throw error
        }
      }
    }
  }

  /// Ends a failed transaction and gives its connection back.
  func rollBack(_ lease: UInt64, after failure: TransactionFailure) {
    switch failure {
    case .request(.server(let error), _) where !error.isFatal: break
    case .stopped: break
    case .request: return client.release(lease, isClean: false)
    }
    client.post([Statement("ROLLBACK")], on: lease) { _ in }
    client.release(lease, isClean: true)
  }

  // MARK: Start

  /// Checks the schema, and creates or migrates its tables.
  ///
  /// - Parameter mayMigrate: whether it may be changed.
  /// - Throws: ``StoreError`` as ``open(_:options:)`` does.
  func prepareSchema(mayMigrate: Bool) async throws(StoreError) {
    let tables = PostgresSchema(schema)
    let state = try await schemaState(tables) { (statements: [Statement]) async throws(StoreError) in
      try await self.perform(statements)
    }
    guard try state.needsMigration(mayMigrate: mayMigrate) else { return }
    try await transaction { connection throws(TransactionFailure) in
      // A large table takes its time, and so does another process that migrates.
      let patience: Int64 = 3_600_000
      _ = try await connection.perform(
        [Statement("BEGIN"), Statement("SET LOCAL statement_timeout = 0"), tables.lock], timeout: patience)
      // Another process may have migrated meanwhile.
      let state = try await schemaState(tables) { statements throws(TransactionFailure) in
        try await connection.perform(statements)
      }
      let isNeeded: Bool
      do throws(StoreError) {
        isNeeded = try state.needsMigration(mayMigrate: mayMigrate)
      } catch {
        throw .stopped(error)
      }
      let steps = isNeeded ? tables.migration(from: state.version, schemaExists: state.exists) : []
      // While a change of a table waits for others, everyone else waits for it.
      let limit = Statement("SET LOCAL lock_timeout = '5s'")
      _ = try await connection.perform([limit] + steps + [Statement("COMMIT")], mayCommit: true, timeout: patience)
    }
  }

  private func schemaState<Failure: Error>(
    _ tables: PostgresSchema, _ perform: ([Statement]) async throws(Failure) -> [QueryResult]
  ) async throws(Failure) -> SchemaState {
    let rows = try await perform([tables.inspection])[0]
    var state = SchemaState(
      version: 0, exists: rows.bool(0, 1) ?? false, tableCount: Int(rows.int64(0, 2) ?? 0))
    if rows.bool(0, 0) == true {
      state.version = Int(try await perform([tables.versionQuery])[0].text(0, 0) ?? "") ?? 0
    }
    return state
  }
}
#endif
