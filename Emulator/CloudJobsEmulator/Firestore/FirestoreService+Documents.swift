public import CloudJobsCore

extension FirestoreService {
  /// Gets a document.
  ///
  /// - Parameters:
  ///   - name: its name.
  ///   - mask: the fields to return; nil for all of them.
  ///   - consistency: as of when.
  ///   - now: the time.
  /// - Returns: the document.
  /// - Throws: ``ServiceFault`` `notFound`, or what the transaction is refused with.
  public mutating func getDocument(
    _ name: Firestore.Name, mask: [Firestore.FieldPath]? = nil, consistency: Firestore.Consistency = .latest,
    at now: Timestamp
  ) throws(ServiceFault) -> Firestore.Document {
    let found = try batchGet([name], in: name.database, mask: mask, consistency: consistency, at: now)
    guard let document = found.documents.first?.document else {
      throw ServiceFault(.notFound, "Document \"\(name)\" not found.")
    }
    return document
  }

  /// Gets documents, all as of one time.
  ///
  /// - Parameters:
  ///   - names: their names; one that occurs again is ignored.
  ///   - database: the database that they must belong to.
  ///   - mask: the fields to return; nil for all of them.
  ///   - consistency: as of when.
  ///   - now: the time.
  /// - Returns: what was found under each name.
  /// - Throws: ``ServiceFault`` for names of another database, or what the transaction is refused with.
  public mutating func batchGet(
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

  /// Makes a document that must not exist.
  ///
  /// - Parameters:
  ///   - parent: below what its collection lies.
  ///   - collectionID: the collection's id.
  ///   - id: its id; nil or empty for one that the service makes.
  ///   - fields: its fields.
  ///   - mask: the fields to return; nil for all of them.
  ///   - now: the time.
  /// - Returns: the document.
  /// - Throws: ``ServiceFault`` `alreadyExists`, or `invalidArgument` for bad ids or fields.
  public mutating func createDocument(
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

  /// Changes a document, or makes it where it is missing.
  ///
  /// - Parameters:
  ///   - name: its name.
  ///   - fields: its fields.
  ///   - updateMask: the fields to change; nil for all of them. One that has no value is deleted.
  ///   - mask: the fields to return; nil for all of them.
  ///   - precondition: what must hold of it.
  ///   - now: the time.
  /// - Returns: the document as it is then.
  /// - Throws: ``ServiceFault`` for a precondition that is not met, or `invalidArgument` for bad fields.
  public mutating func updateDocument(
    _ name: Firestore.Name, fields: [String: Firestore.Value], updateMask: [Firestore.FieldPath]? = nil,
    mask: [Firestore.FieldPath]? = nil, precondition: Firestore.Precondition? = nil, at now: Timestamp
  ) throws(ServiceFault) -> Firestore.Document {
    try write(
      .init(name, .update(fields: fields, mask: updateMask), precondition: precondition), returning: mask, at: now)
  }

  /// Deletes a document; one that is missing is no error, unless a precondition says so.
  ///
  /// - Parameters:
  ///   - name: its name.
  ///   - precondition: what must hold of it.
  ///   - now: the time.
  /// - Throws: ``ServiceFault`` for a precondition that is not met.
  public mutating func deleteDocument(
    _ name: Firestore.Name, precondition: Firestore.Precondition? = nil, at now: Timestamp
  ) throws(ServiceFault) {
    _ = try commit([.init(name, .delete, precondition: precondition)], in: name.database, at: now)
  }

  private mutating func write(
    _ write: Firestore.Write, returning mask: [Firestore.FieldPath]?, at now: Timestamp
  ) throws(ServiceFault) -> Firestore.Document {
    _ = try commit([write], in: write.name.database, at: now)
    let document = with(write.name.database) { $0.documents[write.name.path] }
    guard let document else { throw ServiceFault(.internal, "The document that was written is gone.") }
    return document.masked(by: mask)
  }

  /// Refuses a name of another database.
  static func check(_ name: Firestore.Name, in database: Firestore.DatabaseName) throws(ServiceFault) {
    guard name.database == database else {
      throw .invalidArgument("Document name \"\(name)\" is not in the database \"\(database)\" of the request.")
    }
  }
}
