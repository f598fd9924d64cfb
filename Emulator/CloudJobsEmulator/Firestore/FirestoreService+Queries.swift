public import CloudJobsCore

extension FirestoreService {
  /// Runs a query.
  ///
  /// - Parameters:
  ///   - query: the query.
  ///   - parent: below what its collections lie: a document or the root.
  ///   - consistency: as of when.
  ///   - now: the time.
  /// - Returns: the results.
  /// - Throws: ``ServiceFault`` `invalidArgument` for a query that is not allowed, `failedPrecondition` for one without
  ///   its index where indexes are given, or what the transaction is refused with.
  public mutating func runQuery(
    _ query: Firestore.Query, under parent: Firestore.Name, consistency: Firestore.Consistency = .latest,
    at now: Timestamp
  ) throws(ServiceFault) -> Firestore.QueryResult {
    let plan = try QueryPlan(query, parent: parent)
    let (stamp, outcome) = try run(plan, consistency, at: now)
    usage.reads += max(outcome.documents.count + outcome.skipped, 1)
    return Firestore.QueryResult(
      stamp: stamp, documents: outcome.documents.map { $0.masked(by: plan.projection) },
      skippedResults: outcome.skipped, scannedEntries: outcome.scanned)
  }

  /// Refuses what is no query.
  ///
  /// - Parameters:
  ///   - query: the query.
  ///   - parent: below what its collections lie: a document or the root.
  /// - Throws: ``ServiceFault`` `invalidArgument` for a query that is not allowed.
  public func check(_ query: Firestore.Query, under parent: Firestore.Name) throws(ServiceFault) {
    _ = try QueryPlan(query, parent: parent)
  }

  /// Computes numbers over a query's results, of which those count that have all fields that are computed on.
  ///
  /// - Parameters:
  ///   - aggregations: the numbers, one to five.
  ///   - query: the query.
  ///   - parent: below what its collections lie: a document or the root.
  ///   - consistency: as of when.
  ///   - now: the time.
  /// - Returns: the numbers by alias.
  /// - Throws: ``ServiceFault`` as ``runQuery(_:under:consistency:at:)`` does.
  public mutating func runAggregation(
    _ aggregations: [Firestore.Aggregation], over query: Firestore.Query, under parent: Firestore.Name,
    consistency: Firestore.Consistency = .latest, at now: Timestamp
  ) throws(ServiceFault) -> Firestore.AggregationResult {
    let aggregations = try Firestore.Aggregation.named(aggregations)
    var plan = try QueryPlan(query, parent: parent)
    plan.requiredFields = aggregations.compactMap(\.path)
    let (stamp, outcome) = try run(plan, consistency, at: now)
    usage.reads += max((outcome.documents.count + outcome.skipped + 999) / 1_000, 1)
    let fields = aggregations.map { ($0.alias, $0.value(over: outcome.documents)) }
    return Firestore.AggregationResult(stamp: stamp, fields: Dictionary(fields) { first, _ in first })
  }

  /// Runs a checked query, and keeps it with its results where it belongs to a transaction.
  mutating func run(
    _ plan: QueryPlan, _ consistency: Firestore.Consistency, at now: Timestamp
  ) throws(ServiceFault) -> (Firestore.ReadStamp, DocumentDatabase.QueryOutcome) {
    let (stamp, transaction) = try readPoint(consistency, in: plan.database, at: now)
    let outcome = with(plan.database) { database in
      let outcome = database.run(plan, at: stamp.readTime)
      if let transaction, database.transactions[transaction]?.isReadOnly == false {
        database.transactions[transaction]?.queries.append(
          .init(plan: plan, results: outcome.documents.map { .init($0) }))
      }
      return outcome
    }
    // Refused only now, so that the state is the same with and without indexes: a journal of requests holds for both.
    if let indexes, let missing = indexes.missing(for: plan) { throw indexes.refusal(forWantOf: missing) }
    return (stamp, outcome)
  }
}
