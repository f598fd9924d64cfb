package import CloudJobsCore

extension FirestoreService {
  /// Returns a document.
  ///
  /// - Parameters:
  ///   - name: the name of the document.
  ///   - mask: the fields to return; nil for all.
  ///   - consistency: the time of the read.
  ///   - now: the current time.
  /// - Returns: the document.
  /// - Throws: ``ServiceFault`` `notFound`, or the error of the transaction.
  package mutating func getDocument(
    _ name: Firestore.Name, mask: [Firestore.FieldPath]? = nil, consistency: Firestore.Consistency = .latest,
    at now: Timestamp
  ) throws(ServiceFault) -> Firestore.Document {
    let found = try batchGet([name], in: name.database, mask: mask, consistency: consistency, at: now)
    guard let document = found.documents.first?.document else {
      throw ServiceFault(.notFound, "Document \"\(name)\" not found.")
    }
    return document
  }

  /// Returns documents as of one time.
  ///
  /// - Parameters:
  ///   - names: the names; duplicates are ignored.
  ///   - database: the database of all documents.
  ///   - mask: the fields to return; nil for all.
  ///   - consistency: the time of the read.
  ///   - now: the current time.
  /// - Returns: the documents found.
  /// - Throws: ``ServiceFault`` for names of another database, or the error of the transaction.
  package mutating func batchGet(
    _ names: [Firestore.Name], in database: Firestore.DatabaseName, mask: [Firestore.FieldPath]? = nil,
    consistency: Firestore.Consistency = .latest, at now: Timestamp
  ) throws(ServiceFault) -> Firestore.BatchGetResult {
    for name in names { try Self.check(name, in: database) }
    let (stamp, transaction) = try readPoint(consistency, in: database, at: now)
    var seen: Set<Firestore.Name> = []
    let unique = names.filter { seen.insert($0).inserted }
    let found = with(database) { database in
      unique.map { name in
        let document = database.document(name.path, at: stamp.readTime)
        if let transaction {
          database.transactions[transaction]?.documents[name.path] = .some(document?.updateTime)
        }
        return Firestore.BatchGetResult.Found(name: name, document: document?.masked(by: mask))
      }
    }
    usage.reads += found.count
    return Firestore.BatchGetResult(stamp: stamp, documents: found)
  }

  /// Creates a document.
  ///
  /// - Parameters:
  ///   - parent: the parent of the collection.
  ///   - collectionID: the collection ID.
  ///   - id: the document ID; nil or empty for a generated one.
  ///   - fields: the fields.
  ///   - mask: the fields to return; nil for all.
  ///   - now: the current time.
  /// - Returns: the document.
  /// - Throws: ``ServiceFault`` `alreadyExists`, or `invalidArgument` for invalid IDs or fields.
  package mutating func createDocument(
    in parent: Firestore.Name, _ collectionID: String, id: String? = nil, fields: [String: Firestore.Value],
    mask: [Firestore.FieldPath]? = nil, at now: Timestamp
  ) throws(ServiceFault) -> Firestore.Document {
    try Firestore.Name.check(id: collectionID, isCollection: true)
    let id = id.flatMap { $0.isEmpty ? nil : $0 } ?? makeID()
    try Firestore.Name.check(id: id, isCollection: false)
    let name = parent.child(collectionID).child(id)
    return try write(
      .init(name, .update(fields: fields, mask: nil), precondition: .exists(false)), returning: mask, at: now)
  }

  /// Updates a document, or creates it if it does not exist.
  ///
  /// - Parameters:
  ///   - name: the name of the document.
  ///   - fields: the new fields.
  ///   - updateMask: the fields to change; nil for all. Fields without a new value are deleted.
  ///   - mask: the fields to return; nil for all.
  ///   - precondition: the precondition.
  ///   - now: the current time.
  /// - Returns: the updated document.
  /// - Throws: ``ServiceFault`` for a failed precondition, or `invalidArgument` for invalid fields.
  package mutating func updateDocument(
    _ name: Firestore.Name, fields: [String: Firestore.Value], updateMask: [Firestore.FieldPath]? = nil,
    mask: [Firestore.FieldPath]? = nil, precondition: Firestore.Precondition? = nil, at now: Timestamp
  ) throws(ServiceFault) -> Firestore.Document {
    try write(
      .init(name, .update(fields: fields, mask: updateMask), precondition: precondition), returning: mask, at: now)
  }

  /// Deletes a document; a missing one is not an error unless a precondition requires it.
  ///
  /// - Parameters:
  ///   - name: the name of the document.
  ///   - precondition: the precondition.
  ///   - now: the current time.
  /// - Throws: ``ServiceFault`` for a failed precondition.
  package mutating func deleteDocument(
    _ name: Firestore.Name, precondition: Firestore.Precondition? = nil, at now: Timestamp
  ) throws(ServiceFault) {
    _ = try commit([.init(name, .delete, precondition: precondition)], in: name.database, at: now)
  }

  private mutating func write(
    _ write: Firestore.Write, returning mask: [Firestore.FieldPath]?, at now: Timestamp
  ) throws(ServiceFault) -> Firestore.Document {
    _ = try commit([write], in: write.name.database, at: now)
    let document = with(write.name.database) { $0.documents[write.name.path] }
    guard let document else { throw ServiceFault(.internal, "The written document no longer exists.") }
    return document.masked(by: mask)
  }

  /// Rejects a name of another database.
  static func check(_ name: Firestore.Name, in database: Firestore.DatabaseName) throws(ServiceFault) {
    guard name.database == database else {
      throw .invalidArgument("Document name \"\(name)\" is not in the database \"\(database)\" of the request.")
    }
  }

  /// The default and maximum number of documents per page.
  static var pageSizes: (usual: Int, maximum: Int) { (20, 300) }

  /// Returns a page of the documents of a collection.
  ///
  /// - Parameters:
  ///   - request: the request.
  ///   - now: the current time.
  /// - Returns: the page.
  /// - Throws: ``ServiceFault`` `invalidArgument` for an invalid request, or the error of the transaction.
  package mutating func listDocuments(
    _ request: Firestore.ListRequest, at now: Timestamp
  ) throws(ServiceFault) -> ResourcePage<Firestore.ListedDocument> {
    guard !request.showMissing else { return try listWithMissing(request, at: now) }
    var query = Firestore.Query(from: .init(request.collectionID, allDescendants: request.isRecursive))
    query.orders = request.orders
    var consistency = request.consistency
    let size = try Self.limit(of: request.page)
    query.limit = size + 1
    // An ID identifies a document only within one collection.
    let isByName = request.orders.isEmpty && !request.isRecursive
    if !request.page.token.isEmpty {
      if isByName {
        let last = request.parent.child(request.collectionID).child(request.page.token)
        query.orders = [.init(.documentName)]
        query.start = .init([.reference(last)], isBefore: false)
      } else {
        (query.offset, consistency) = try Self.place(of: request.page.token)
      }
    }
    let plan = try QueryPlan(query, parent: request.parent)
    let (stamp, outcome) = try run(plan, consistency, at: now)
    let documents = outcome.documents.prefix(size)
    usage.reads += max(documents.count, 1)
    var token = ""
    if outcome.documents.count > size, let last = documents.last {
      token = isByName ? last.name.path.id : "\(query.offset + size)@\(stamp.readTime.microseconds)"
    }
    return ResourcePage(
      items: documents.map { .init(name: $0.name, document: $0.masked(by: request.mask)) }, nextPageToken: token)
  }

  private mutating func listWithMissing(
    _ request: Firestore.ListRequest, at now: Timestamp
  ) throws(ServiceFault) -> ResourcePage<Firestore.ListedDocument> {
    guard request.orders.isEmpty else {
      throw .invalidArgument("Requests with showMissing may not specify where or orderBy.")
    }
    guard !request.isRecursive else {
      throw .invalidArgument("Requests with recursive may not specify showMissing.")
    }
    try Firestore.Name.check(id: request.collectionID, isCollection: true)
    let size = try Self.limit(of: request.page)
    let collection = request.parent.path.child(request.collectionID)
    let after = request.page.token.isEmpty ? nil : request.page.token
    let time = try time(of: request, at: now)
    let items = with(request.parent.database) { database in
      database.membersAndMissing(of: collection, after: after, limit: size + 1, at: time).map { path in
        Firestore.ListedDocument(
          name: Firestore.Name(database.name, path),
          document: database.document(path, at: time)?.masked(by: request.mask))
      }
    }
    usage.reads += max(min(items.count, size), 1)
    let token = items.count > size ? items[size - 1].name.path.id : ""
    return ResourcePage(items: Array(items.prefix(size)), nextPageToken: token)
  }

  /// Returns the read time of a list; in a transaction the existing documents are recorded like a query's results.
  private mutating func time(
    of request: Firestore.ListRequest, at now: Timestamp
  ) throws(ServiceFault) -> Timestamp {
    guard case .transaction = request.consistency else {
      return try readPoint(request.consistency, in: request.parent.database, at: now).stamp.readTime
    }
    let plan = try QueryPlan(Firestore.Query(from: .init(request.collectionID)), parent: request.parent)
    return try run(plan, request.consistency, at: now).0.readTime
  }

  /// Returns a page of the IDs of the collections directly below a document or the root.
  ///
  /// - Parameters:
  ///   - parent: the document or the root.
  ///   - page: the page request.
  ///   - readTime: the time of the read, in the last hour; nil for now.
  ///   - now: the current time.
  /// - Returns: the page.
  /// - Throws: ``ServiceFault`` `invalidArgument` for a negative page size or an unreadable time.
  package mutating func listCollectionIDs(
    under parent: Firestore.Name, page: PageRequest = .init(), readTime: Timestamp? = nil, at now: Timestamp
  ) throws(ServiceFault) -> ResourcePage<String> {
    let size = try page.limit(maximum: 300)
    let after = page.token.isEmpty ? nil : page.token
    let consistency = readTime.map { Firestore.Consistency.readTime($0) } ?? .latest
    let time = try readPoint(consistency, in: parent.database, at: now).stamp.readTime
    let ids = with(parent.database) { $0.collectionIDs(below: parent.path, after: after, limit: size + 1, at: time) }
    usage.reads += 1
    return ResourcePage(items: Array(ids.prefix(size)), nextPageToken: ids.count > size ? ids[size - 1] : "")
  }

  private static func limit(of page: PageRequest) throws(ServiceFault) -> Int {
    try page.size == 0 ? pageSizes.usual : page.limit(maximum: pageSizes.maximum)
  }

  /// Returns the offset and read time stored in the page token of an ordered list.
  private static func place(of token: String) throws(ServiceFault) -> (Int, Firestore.Consistency) {
    let parts = token.split(separator: "@")
    guard parts.count == 2, let offset = Int(parts[0]), offset >= 0, let time = Int64(parts[1]) else {
      throw .invalidArgument("Invalid page token.")
    }
    return (offset, .readTime(Timestamp(microseconds: time)))
  }
}

extension Firestore {
  /// A request for the documents of a collection, page by page.
  package struct ListRequest: Equatable, Sendable {
    /// The parent of the collection.
    package var parent: Name
    /// The collection ID.
    package var collectionID: String
    /// The page request.
    package var page = PageRequest()
    /// The order; empty for the order of names.
    package var orders: [Query.Order] = []
    /// Whether to include missing documents that have descendants; not allowed with an order.
    package var showMissing = false
    /// Whether to include collections with the same ID further below the parent.
    package var isRecursive = false
    /// The fields to return; nil for all.
    package var mask: [FieldPath]?
    /// The time of the read.
    package var consistency = Consistency.latest

    /// Creates a request for the first page of a collection.
    package init(_ parent: Name, _ collectionID: String) {
      self.parent = parent
      self.collectionID = collectionID
    }

    /// Parses an order such as `state.nextRun desc, __name__`.
    ///
    /// - Throws: ``ServiceFault`` `invalidArgument` for invalid text.
    package static func orders(parsing text: String) throws(ServiceFault) -> [Query.Order] {
      var orders: [Query.Order] = []
      for part in text.split(separator: ",") {
        let words = part.split(separator: " ")
        let direction = words.count == 2 ? words[1].lowercased() : "asc"
        guard (1...2).contains(words.count), ["asc", "desc"].contains(direction) else {
          throw .invalidArgument("Invalid order by clause \"\(text)\".")
        }
        orders.append(.init(try FieldPath(parsing: String(words[0])), isDescending: direction == "desc"))
      }
      return orders
    }
  }
}

extension FirestoreService {
  /// Runs a query.
  ///
  /// - Parameters:
  ///   - query: the query.
  ///   - parent: the parent of its collections: a document or the root.
  ///   - consistency: the time of the read.
  ///   - now: the current time.
  /// - Returns: the results.
  /// - Throws: ``ServiceFault`` `invalidArgument` for an invalid query, `failedPrecondition` for one that lacks a
  ///   configured index, or the error of the transaction.
  package mutating func runQuery(
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

  /// Validates a query.
  ///
  /// - Parameters:
  ///   - query: the query.
  ///   - parent: the parent of its collections: a document or the root.
  /// - Throws: ``ServiceFault`` `invalidArgument` for an invalid query.
  package func check(_ query: Firestore.Query, under parent: Firestore.Name) throws(ServiceFault) {
    _ = try QueryPlan(query, parent: parent)
  }

  /// Computes aggregations over the results of a query that have all aggregated fields.
  ///
  /// - Parameters:
  ///   - aggregations: one to five aggregations.
  ///   - query: the query.
  ///   - parent: the parent of its collections: a document or the root.
  ///   - consistency: the time of the read.
  ///   - now: the current time.
  /// - Returns: the results by alias.
  /// - Throws: the errors of ``runQuery(_:under:consistency:at:)``.
  package mutating func runAggregation(
    _ aggregations: [Firestore.Aggregation], over query: Firestore.Query, under parent: Firestore.Name,
    consistency: Firestore.Consistency = .latest, at now: Timestamp
  ) throws(ServiceFault) -> Firestore.AggregationResult {
    let aggregations = try Firestore.Aggregation.named(aggregations)
    var query = query
    // What a limit leaves is the first in the order of the aggregated field, as its index has it.
    if query.orders.isEmpty, query.limit != nil {
      for path in aggregations.compactMap(\.path) where !query.orders.contains(.init(path)) {
        query.orders.append(.init(path))
      }
    }
    var plan = try QueryPlan(query, parent: parent)
    plan.requiredFields = aggregations.compactMap(\.path)
    let (stamp, outcome) = try run(plan, consistency, at: now)
    usage.reads += max((outcome.documents.count + outcome.skipped + 999) / 1_000, 1)
    let fields = aggregations.map { ($0.alias, $0.value(over: outcome.documents)) }
    return Firestore.AggregationResult(stamp: stamp, fields: Dictionary(fields) { first, _ in first })
  }

  /// Runs a validated query and records it with its results in its transaction, if any.
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
    // Rejected only here, so that the state is the same with and without indexes and a log can be replayed with either.
    try checkIndexes(for: plan)
    return (stamp, outcome)
  }

  /// Refuses a query that lacks a configured index.
  func checkIndexes(for plan: QueryPlan) throws(ServiceFault) {
    if let indexes, let missing = indexes.missing(for: plan) { throw indexes.refusal(forWantOf: missing) }
  }
}

extension Firestore {
  /// The result of a query.
  package struct QueryResult: Equatable, Sendable {
    /// The read time and new transaction.
    package var stamp: ReadStamp
    /// The results, in order.
    package var documents: [Document]
    /// The number of results skipped by the offset.
    package var skippedResults: Int
    /// The number of documents or index entries scanned.
    package var scannedEntries: Int
  }

  /// The result of aggregations.
  package struct AggregationResult: Equatable, Sendable {
    /// The read time and new transaction.
    package var stamp: ReadStamp
    /// The results by alias.
    package var fields: [String: Value]
  }

  /// The result of a batch of reads: each name once, in the order of the request.
  package struct BatchGetResult: Equatable, Sendable {
    /// The read time and new transaction.
    package var stamp: ReadStamp
    /// The names and documents; nil for missing documents.
    package var documents: [Found]

    /// The result for one name.
    package struct Found: Equatable, Sendable {
      /// The name.
      package var name: Name
      /// The document; nil if it is missing.
      package var document: Document?
    }
  }

  /// A document of a list; with `showMissing` possibly a missing one that has descendants.
  package struct ListedDocument: Equatable, Sendable {
    /// The name.
    package var name: Name
    /// The document; nil if it is missing.
    package var document: Document?
  }

  /// The number of billable Firestore operations.
  ///
  /// Source: <https://cloud.google.com/firestore/pricing>.
  package struct Usage: Hashable, Sendable, Codable {
    /// Documents read; a query counts at least one.
    package var reads = 0
    /// Documents written.
    package var writes = 0
    /// Documents deleted.
    package var deletes = 0

    /// Creates counters at zero.
    package init() {}
  }
}
