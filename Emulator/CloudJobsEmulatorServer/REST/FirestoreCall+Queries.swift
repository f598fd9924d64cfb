import CloudJobsCore
import CloudJobsEmulator

extension FirestoreCall {
  /// Serves `runQuery`.
  func runQuery(_ service: inout FirestoreService, _ reader: inout MessageReader) throws(ServiceFault) -> JSONValue {
    guard var inner = try reader.message("structuredQuery") else {
      throw .invalidArgument("A query request must have a structured query.")
    }
    let query = try inner.structuredQuery()
    let consistency = try reader.consistency()
    try reader.refuse("explainOptions")
    try reader.finish()
    let result = try service.runQuery(query, under: try parent(ids), consistency: consistency, at: now)
    let time = JSONValue.string("\(result.stamp.readTime)")
    var answers: [[String: JSONValue]] = result.documents.map { ["document": $0.json, "readTime": time] }
    if answers.isEmpty { answers = [["readTime": time]] }
    if result.skippedResults > 0 { answers[0]["skippedResults"] = .integer(Int64(result.skippedResults)) }
    return .array(Self.started(result.stamp) + answers.map { .object($0) })
  }

  /// Serves `runAggregationQuery`.
  func runAggregationQuery(
    _ service: inout FirestoreService, _ reader: inout MessageReader
  ) throws(ServiceFault) -> JSONValue {
    guard var inner = try reader.message("structuredAggregationQuery") else {
      throw .invalidArgument("An aggregation request must have a structured aggregation query.")
    }
    let (query, aggregations) = try inner.aggregationQuery()
    let consistency = try reader.consistency()
    try reader.refuse("explainOptions")
    try reader.finish()
    let result = try service.runAggregation(
      aggregations, over: query, under: try parent(ids), consistency: consistency, at: now)
    return .array(
      Self.started(result.stamp) + [
        [
          "result": ["aggregateFields": .object(result.fields.mapValues(\.json))],
          "readTime": .string("\(result.stamp.readTime)"),
        ]
      ])
  }

  /// Serves `partitionQuery`.
  func partitionQuery(_ service: FirestoreService, _ reader: inout MessageReader) throws(ServiceFault) -> JSONValue {
    guard var inner = try reader.message("structuredQuery") else {
      throw .invalidArgument("A partition query request must have a structured query.")
    }
    let query = try inner.structuredQuery()
    let (count, size) = (try reader.wideInteger("partitionCount") ?? 0, try reader.integer("pageSize") ?? 0)
    guard count > 0, size >= 0 else {
      throw .invalidArgument("partition_count must be greater than zero, and page_size must not be negative.")
    }
    _ = (try reader.string("pageToken"), try reader.timestamp("readTime"))
    try reader.finish()
    // The number of partitions is the service's to choose: one, which has no point between it and others.
    try service.check(query, under: try parent(ids))
    return .object([:])
  }

  /// The first element of an answer, where a transaction began with the request.
  static func started(_ stamp: Firestore.ReadStamp) -> [JSONValue] {
    stamp.transaction.map { [["transaction": .string(Base64.encode($0))]] } ?? []
  }
}
