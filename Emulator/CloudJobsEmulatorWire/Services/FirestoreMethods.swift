import CloudJobsCore
import CloudJobsEmulator

/// The methods of `google.firestore.v1.Firestore` that answer one request.
///
/// Source: <https://firebase.google.com/docs/firestore/reference/rpc/google.firestore.v1>.
enum FirestoreMethods {
  /// What serves each method.
  static let handlers: [String: FirestoreHandler] = [
    "GetDocument": get, "ListDocuments": list, "CreateDocument": create, "UpdateDocument": update,
    "DeleteDocument": delete, "BatchGetDocuments": batchGet, "ListCollectionIds": listCollectionIDs,
    "BeginTransaction": beginTransaction, "Commit": commit, "Rollback": rollback, "BatchWrite": batchWrite,
    "RunQuery": runQuery, "RunAggregationQuery": runAggregationQuery, "PartitionQuery": partitionQuery,
  ]

  // MARK: Documents

  @Sendable
  private static func get(_ call: ServiceCall, _ firestore: inout FirestoreService) throws(ServiceFault) -> [Message] {
    let document = try firestore.getDocument(
      try Firestore.Name(document: call.request.string("name")), mask: try call.request.fieldPaths("mask"),
      consistency: try Firestore.Consistency(call.request), at: call.now)
    return call.answer { $0.fill(document) }
  }

  @Sendable
  private static func list(_ call: ServiceCall, _ firestore: inout FirestoreService) throws(ServiceFault) -> [Message] {
    var request = Firestore.ListRequest(
      try Firestore.Name(parent: call.request.string("parent")), call.request.string("collection_id"))
    request.page = call.page
    request.orders = try Firestore.ListRequest.orders(parsing: call.request.string("order_by"))
    request.showMissing = call.request.bool("show_missing")
    request.isRecursive = call.request.bool("recursive")
    request.mask = try call.request.fieldPaths("mask")
    request.consistency = try Firestore.Consistency(call.request)
    let page = try firestore.listDocuments(request, at: call.now)
    return call.answer {
      $0.set("documents", page: page) { message, item in
        if let document = item.document { message.fill(document) } else { message.set("name", "\(item.name)") }
      }
    }
  }

  @Sendable
  private static func create(_ call: ServiceCall, _ firestore: inout FirestoreService) throws(ServiceFault) -> [Message]
  {
    let request = call.request
    let document = try firestore.createDocument(
      in: try Firestore.Name(parent: request.string("parent")), request.string("collection_id"),
      id: request["document_id"].map { _ in request.string("document_id") },
      fields: try fields(request), mask: try request.fieldPaths("mask"), at: call.now)
    return call.answer { $0.fill(document) }
  }

  @Sendable
  private static func update(_ call: ServiceCall, _ firestore: inout FirestoreService) throws(ServiceFault) -> [Message]
  {
    let request = call.request
    let document = try firestore.updateDocument(
      try Firestore.Name(document: request.message("document")?.string("name") ?? ""), fields: try fields(request),
      updateMask: try request.fieldPaths("update_mask"), mask: try request.fieldPaths("mask"),
      precondition: Firestore.Precondition(of: request), at: call.now)
    return call.answer { $0.fill(document) }
  }

  private static func fields(_ request: Message) throws(ServiceFault) -> [String: Firestore.Value] {
    guard let document = request.message("document") else { return [:] }
    return try Firestore.Value.map(document)
  }

  @Sendable
  private static func delete(_ call: ServiceCall, _ firestore: inout FirestoreService) throws(ServiceFault) -> [Message]
  {
    try firestore.deleteDocument(
      try Firestore.Name(document: call.request.string("name")),
      precondition: Firestore.Precondition(of: call.request), at: call.now)
    return call.answer()
  }

  @Sendable
  private static func batchGet(_ call: ServiceCall, _ firestore: inout FirestoreService) throws(ServiceFault)
    -> [Message]
  {
    var names: [Firestore.Name] = []
    for text in call.request.texts("documents") { names.append(try Firestore.Name(document: text)) }
    let result = try firestore.batchGet(
      names, in: try database(call), mask: try call.request.fieldPaths("mask"),
      consistency: try Firestore.Consistency(call.request), at: call.now)
    let readTime = result.stamp.readTime
    let answers = call.stream(result.documents) { message, found in
      if let document = found.document {
        message.set("found") { $0.fill(document) }
      } else {
        message.set("missing", "\(found.name)")
      }
      message.set("read_time", readTime)
    }
    return started(call, result.stamp) + (answers.isEmpty ? call.answer { $0.set("read_time", readTime) } : answers)
  }

  @Sendable
  private static func listCollectionIDs(
    _ call: ServiceCall, _ firestore: inout FirestoreService
  ) throws(ServiceFault) -> [Message] {
    let found = try firestore.listCollectionIDs(
      under: try Firestore.Name(parent: call.request.string("parent")), page: call.page,
      readTime: call.request.timestamp("read_time"), at: call.now)
    return call.answer {
      $0.set("collection_ids", found.items)
      $0.set("next_page_token", found.nextPageToken)
    }
  }

  private static func database(_ call: ServiceCall) throws(ServiceFault) -> Firestore.DatabaseName {
    try Firestore.Name(parent: call.request.string("database") + "/documents").database
  }

  /// The first response of a stream, where a transaction began with the request.
  private static func started(_ call: ServiceCall, _ stamp: Firestore.ReadStamp) -> [Message] {
    stamp.transaction.map { id in call.answer { $0.set("transaction", id) } } ?? []
  }

  // MARK: Writes

  @Sendable
  private static func commit(_ call: ServiceCall, _ firestore: inout FirestoreService) throws(ServiceFault) -> [Message]
  {
    let transaction = call.request.bytes("transaction")
    let result = try firestore.commit(
      try Firestore.Write.all(of: call.request), in: try database(call),
      transaction: transaction.isEmpty ? nil : transaction, at: call.now)
    return call.answer {
      $0.set("write_results", forEach: result.writeResults) { $0.fill($1) }
      $0.set("commit_time", result.commitTime)
    }
  }

  @Sendable
  private static func batchWrite(_ call: ServiceCall, _ firestore: inout FirestoreService) throws(ServiceFault)
    -> [Message]
  {
    let results = try firestore.batchWrite(
      try Firestore.Write.all(of: call.request), in: try database(call), at: call.now)
    return call.answer {
      $0.set("write_results", forEach: results) { message, result in
        if let result = try? result.get() { message.fill(result) }
      }
      $0.set("status", forEach: results) { message, result in
        if case .failure(let fault) = result {
          message.fill(RPCStatus(code: fault.code, message: fault.message))
        }
      }
    }
  }

  @Sendable
  private static func beginTransaction(
    _ call: ServiceCall, _ firestore: inout FirestoreService
  ) throws(ServiceFault) -> [Message] {
    let options = call.request.message("options").flatMap { Firestore.TransactionOptions($0) } ?? .readWrite()
    let id = try firestore.beginTransaction(in: try database(call), options, at: call.now)
    return call.answer { $0.set("transaction", id) }
  }

  @Sendable
  private static func rollback(_ call: ServiceCall, _ firestore: inout FirestoreService) throws(ServiceFault)
    -> [Message]
  {
    try firestore.rollback(call.request.bytes("transaction"), in: try database(call), at: call.now)
    return call.answer()
  }

  // MARK: Queries

  @Sendable
  private static func runQuery(_ call: ServiceCall, _ firestore: inout FirestoreService) throws(ServiceFault)
    -> [Message]
  {
    guard let query = call.request.message("structured_query") else {
      throw .invalidArgument("A query request must have a structured query.")
    }
    try refuseExplanations(call)
    let result = try firestore.runQuery(
      try Firestore.Query(query), under: try parent(call), consistency: try Firestore.Consistency(call.request),
      at: call.now)
    let readTime = result.stamp.readTime
    var answers = call.stream(result.documents) { message, document in
      message.set("document") { $0.fill(document) }
      message.set("read_time", readTime)
    }
    if answers.isEmpty { answers = call.answer { $0.set("read_time", readTime) } }
    answers[0].set("skipped_results", result.skippedResults)
    return started(call, result.stamp) + answers
  }

  @Sendable
  private static func runAggregationQuery(
    _ call: ServiceCall, _ firestore: inout FirestoreService
  ) throws(ServiceFault) -> [Message] {
    guard let query = call.request.message("structured_aggregation_query"),
      let inner = query.message("structured_query")
    else { throw .invalidArgument("An aggregation request must have a structured aggregation query.") }
    try refuseExplanations(call)
    var aggregations: [Firestore.Aggregation] = []
    for message in query.messages("aggregations") { aggregations.append(try Firestore.Aggregation(message)) }
    let result = try firestore.runAggregation(
      aggregations, over: try Firestore.Query(inner), under: try parent(call),
      consistency: try Firestore.Consistency(call.request), at: call.now)
    let answers = call.answer {
      $0.set("result") { $0.set("aggregate_fields", values: result.fields) }
      $0.set("read_time", result.stamp.readTime)
    }
    return started(call, result.stamp) + answers
  }

  @Sendable
  private static func partitionQuery(
    _ call: ServiceCall, _ firestore: inout FirestoreService
  ) throws(ServiceFault) -> [Message] {
    guard let query = call.request.message("structured_query") else {
      throw .invalidArgument("A partition query request must have a structured query.")
    }
    guard call.request.int("partition_count") > 0, call.request.int("page_size") >= 0 else {
      throw .invalidArgument("partition_count must be greater than zero, and page_size must not be negative.")
    }
    // The number of partitions is the service's to choose: one, which has no point between it and others.
    try firestore.check(try Firestore.Query(query), under: try parent(call))
    return call.answer()
  }

  private static func parent(_ call: ServiceCall) throws(ServiceFault) -> Firestore.Name {
    try Firestore.Name(parent: call.request.string("parent"))
  }

  private static func refuseExplanations(_ call: ServiceCall) throws(ServiceFault) {
    guard call.request["explain_options"] == nil else {
      throw ServiceFault(
        .unimplemented, "The emulator does not support explainOptions.", field: "explain_options")
    }
  }
}
