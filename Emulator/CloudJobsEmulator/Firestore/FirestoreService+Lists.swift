public import CloudJobsCore

extension FirestoreService {
  /// How many documents a page has where the request leaves it open, and at most.
  static var pageSizes: (usual: Int, maximum: Int) { (20, 300) }

  /// Lists the documents of a collection.
  ///
  /// - Parameters:
  ///   - request: which ones.
  ///   - now: the time.
  /// - Returns: a page of them.
  /// - Throws: ``ServiceFault`` `invalidArgument` for a bad request, or what the transaction is refused with.
  public mutating func listDocuments(
    _ request: Firestore.ListRequest, at now: Timestamp
  ) throws(ServiceFault) -> ResourcePage<Firestore.ListedDocument> {
    guard !request.showMissing else { return try listWithMissing(request, at: now) }
    var query = Firestore.Query(from: .init(request.collectionID, allDescendants: request.isRecursive))
    query.orders = request.orders
    var consistency = request.consistency
    let size = try Self.limit(of: request.page)
    query.limit = size + 1
    // An id tells one document from others only within one collection.
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

  /// As of when a list is read; to a transaction the documents that exist belong as to a query.
  private mutating func time(
    of request: Firestore.ListRequest, at now: Timestamp
  ) throws(ServiceFault) -> Timestamp {
    guard case .transaction = request.consistency else {
      return try readPoint(request.consistency, in: request.parent.database, at: now).stamp.readTime
    }
    let plan = try QueryPlan(Firestore.Query(from: .init(request.collectionID)), parent: request.parent)
    return try run(plan, request.consistency, at: now).0.readTime
  }

  /// Lists the ids of the collections directly below a document or the root.
  ///
  /// - Parameters:
  ///   - parent: the document or the root.
  ///   - page: which page.
  ///   - readTime: a time of the last hour as of which is read; nil for now.
  ///   - now: the time.
  /// - Returns: a page of them.
  /// - Throws: ``ServiceFault`` `invalidArgument` for a negative page size, or a time that can't be read.
  public mutating func listCollectionIDs(
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

  /// Where a page of an ordered list begins, and as of when the list is read.
  private static func place(of token: String) throws(ServiceFault) -> (Int, Firestore.Consistency) {
    let parts = token.split(separator: "@")
    guard parts.count == 2, let offset = Int(parts[0]), offset >= 0, let time = Int64(parts[1]) else {
      throw .invalidArgument("Invalid page token.")
    }
    return (offset, .readTime(Timestamp(microseconds: time)))
  }
}
