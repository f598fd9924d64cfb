public import CloudJobsCore

extension FirestoreService {
  /// How many writes a batch may have.
  static var batchLimit: Int { 500 }

  /// Applies writes at once and in order, or none of them, and ends their transaction.
  ///
  /// A transaction whose commit is refused stays open, so that it can be rolled back.
  ///
  /// - Parameters:
  ///   - writes: the writes; a document may occur more than once.
  ///   - database: the database that they must belong to.
  ///   - transaction: the transaction whose reads must still hold; nil for none.
  ///   - now: the time.
  /// - Returns: when they took effect, and what each came to.
  /// - Throws: ``ServiceFault`` `aborted` where reads no longer hold, or what the first write that fails is
  ///   refused with.
  public mutating func commit(
    _ writes: [Firestore.Write], in database: Firestore.DatabaseName, transaction: [UInt8]? = nil, at now: Timestamp
  ) throws(ServiceFault) -> Firestore.CommitResult {
    var transforms: [Firestore.Name: Int] = [:]
    for write in writes {
      try Self.check(write.name, in: database)
      try write.check()
      guard !write.transforms.isEmpty else { continue }
      transforms[write.name, default: 0] += write.transforms.count
      guard transforms[write.name, default: 0] <= Firestore.Write.transformLimit else {
        throw .invalidArgument(
          "Cannot have more than \(Firestore.Write.transformLimit) field transforms in a single document.")
      }
    }
    let result = try with(database) { (database) throws(ServiceFault) in
      if let transaction { try database.validate(transaction, for: writes, at: now) }
      let result = try database.commit(writes, at: now)
      if let transaction { database.transactions[transaction] = nil }
      return result
    }
    count(writes)
    return result
  }

  /// Applies writes each for itself.
  ///
  /// - Parameters:
  ///   - writes: the writes, at most 500, each to another document.
  ///   - database: the database that they must belong to.
  ///   - now: the time.
  /// - Returns: the result of each write.
  /// - Throws: ``ServiceFault`` `invalidArgument` for a batch that is refused as a whole.
  public mutating func batchWrite(
    _ writes: [Firestore.Write], in database: Firestore.DatabaseName, at now: Timestamp
  ) throws(ServiceFault) -> [Firestore.BatchResult] {
    guard writes.count <= Self.batchLimit else {
      throw .invalidArgument("maximum \(Self.batchLimit) writes allowed per request")
    }
    for write in writes { try Self.check(write.name, in: database) }
    guard Set(writes.map(\.name)).count == writes.count else {
      throw .invalidArgument("Cannot write to the same document more than once in a batch.")
    }
    return writes.map { write in
      do throws(ServiceFault) {
        let result = try commit([write], in: database, at: now)
        guard let first = result.writeResults.first else { return .success(.init()) }
        return .success(first)
      } catch {
        return .failure(error)
      }
    }
  }

  private mutating func count(_ writes: [Firestore.Write]) {
    let deletions = writes.count { $0.isDeletion }
    usage.deletes += deletions
    usage.writes += writes.count - deletions
  }
}

extension DocumentDatabase {
  /// Refuses a transaction that may not write, that has ended, or whose reads no longer hold.
  mutating func validate(
    _ id: [UInt8], for writes: [Firestore.Write], at now: Timestamp
  ) throws(ServiceFault) {
    let transaction = try transaction(id, at: now)
    guard !transaction.isReadOnly else {
      guard writes.isEmpty else { throw .invalidArgument("Cannot modify entities in a read-only transaction.") }
      return
    }
    transactions[id]?.lastUse = now
    guard stillHolds(transaction, at: now) else { throw FirestoreService.contention }
  }
}
