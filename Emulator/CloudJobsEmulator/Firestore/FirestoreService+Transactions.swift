public import CloudJobsCore

extension FirestoreService {
  /// How many transactions of a database may be open at once.
  static var transactionLimit: Int { 10_000 }

  /// Begins a transaction.
  ///
  /// - Parameters:
  ///   - database: the database.
  ///   - options: what it is for.
  ///   - now: the time.
  /// - Returns: its identity.
  /// - Throws: ``ServiceFault`` for a time that can't be read, or too many open transactions.
  public mutating func beginTransaction(
    in database: Firestore.DatabaseName, _ options: Firestore.TransactionOptions = .readWrite(), at now: Timestamp
  ) throws(ServiceFault) -> [UInt8] {
    let id = makeTransactionID()
    try with(database) { (database) throws(ServiceFault) in
      database.endTransactions(at: now)
      var transaction: FirestoreTransaction
      switch options {
      case .readOnly(let time):
        transaction = FirestoreTransaction(isReadOnly: true, begin: now, lastUse: now)
        if let time { transaction.snapshot = try database.checked(readTime: time, at: now) }
      case .readWrite(let earlier):
        transaction = FirestoreTransaction(isReadOnly: false, begin: now, lastUse: now)
        if let earlier { database.transactions[earlier] = nil }
      }
      guard database.transactions.count < Self.transactionLimit else {
        throw ServiceFault(.resourceExhausted, "Too many open transactions.")
      }
      database.transactions[id] = transaction
    }
    return id
  }

  /// Ends a transaction without writing anything.
  ///
  /// - Parameters:
  ///   - id: its identity.
  ///   - database: its database.
  ///   - now: the time.
  /// - Throws: ``ServiceFault`` `invalidArgument` for one that has ended.
  public mutating func rollback(
    _ id: [UInt8], in database: Firestore.DatabaseName, at now: Timestamp
  ) throws(ServiceFault) {
    try with(database) { (database) throws(ServiceFault) in
      _ = try database.transaction(id, at: now)
      database.transactions[id] = nil
    }
  }

  /// The time as of which a request reads, with the transaction that it belongs to.
  mutating func readPoint(
    _ consistency: Firestore.Consistency, in database: Firestore.DatabaseName, at now: Timestamp
  ) throws(ServiceFault) -> (stamp: Firestore.ReadStamp, transaction: [UInt8]?) {
    var transaction: [UInt8]?
    var started: [UInt8]?
    switch consistency {
    case .latest: break
    case .readTime(let time):
      let time = try with(database) { (database) throws(ServiceFault) in try database.checked(readTime: time, at: now) }
      return (.init(readTime: time), nil)
    case .transaction(let id): transaction = id
    case .newTransaction(let options):
      started = try beginTransaction(in: database, options, at: now)
      transaction = started
    }
    let time = try with(database) { (database) throws(ServiceFault) in
      guard let transaction else { return database.readTime(at: now) }
      return try database.snapshot(of: transaction, at: now)
    }
    return (.init(readTime: time, transaction: started), transaction)
  }
}

extension DocumentDatabase {
  /// An open transaction.
  func transaction(_ id: [UInt8], at now: Timestamp) throws(ServiceFault) -> FirestoreTransaction {
    guard let transaction = transactions[id], !transaction.isOver(at: now) else {
      throw .invalidArgument("The referenced transaction has expired or is no longer valid.")
    }
    return transaction
  }

  /// The time as of which a transaction reads; its first read sets it.
  mutating func snapshot(of id: [UInt8], at now: Timestamp) throws(ServiceFault) -> Timestamp {
    var transaction = try transaction(id, at: now)
    transaction.lastUse = now
    let snapshot = transaction.snapshot ?? readTime(at: now)
    guard snapshot >= horizon else { throw FirestoreService.contention }
    transaction.snapshot = snapshot
    transactions[id] = transaction
    return snapshot
  }

  /// Checks that documents can be read as of a time.
  func checked(readTime time: Timestamp, at now: Timestamp) throws(ServiceFault) -> Timestamp {
    guard time <= max(now, lastTime) else {
      throw .invalidArgument("The requested 'read_time' is in the future.")
    }
    guard time >= now - Self.retention, time >= horizon else {
      throw ServiceFault(.failedPrecondition, "The requested 'read_time' is too old.")
    }
    return time
  }

  /// Forgets the transactions that have expired.
  mutating func endTransactions(at now: Timestamp) {
    guard transactions.values.contains(where: { $0.isOver(at: now) }) else { return }
    transactions = transactions.filter { !$1.isOver(at: now) }
  }
}

extension FirestoreService {
  /// The refusal of a transaction whose reads no longer hold.
  static var contention: ServiceFault {
    ServiceFault(.aborted, "Too much contention on these documents. Please try again.")
  }
}
