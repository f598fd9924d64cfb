package import CloudJobsCore

/// The resources of Cloud Firestore v1: names, values, documents, writes and queries, independent of any wire format.
///
/// Source: <https://cloud.google.com/firestore/docs/reference/rest>.
public enum Firestore {}

/// Cloud Firestore v1 as a pure state machine: requests in, responses out, time as an argument.
///
/// Writes and transactions are serializable: a transaction reads as of one time, and its commit is rejected with
/// `aborted` if anything that it read, including query results, has changed since. Commit times increase strictly. A
/// database is created when it is first named.
///
/// Source: <https://cloud.google.com/firestore/docs/reference/rest>.
package struct FirestoreService: Sendable {
  /// The number of billable Firestore operations.
  package internal(set) var usage = Firestore.Usage()
  var databases: [Firestore.DatabaseName: DocumentDatabase] = [:]
  /// The number of commits so far, by which listeners know that there are new ones.
  package private(set) var commitCount: UInt64 = 0
  /// The number of resets before this state, by which listeners know that what they were told is void.
  package internal(set) var resetCount: UInt64 = 0
  let indexes: Firestore.IndexConfiguration?
  var generator: SplitMix64

  /// Creates a service without documents.
  ///
  /// - Parameters:
  ///   - indexes: the indexes of all databases, without which queries are rejected as in Firestore; nil allows every
  ///     query.
  ///   - seed: the seed for generated document and transaction IDs.
  package init(indexes: Firestore.IndexConfiguration? = nil, seed: UInt64 = 0) {
    self.indexes = indexes
    generator = SplitMix64(seed: seed)
  }

  /// Deletes all documents of a database and ends its transactions.
  package mutating func removeAll(in database: Firestore.DatabaseName) {
    commitCount += 1
    guard let last = databases[database]?.lastTime else { return }
    databases[database] = DocumentDatabase(database, emptyAfter: last)
  }

  /// Calls a closure with a database for modification in place.
  mutating func with<Result, Failure: Error>(
    _ name: Firestore.DatabaseName, _ body: (inout DocumentDatabase) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(&databases[name, default: DocumentDatabase(name)])
  }

  /// Returns a document ID of 20 letters and digits.
  mutating func makeID() -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)
    let bytes = (0..<20).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Returns a transaction ID.
  mutating func makeTransactionID() -> [UInt8] {
    (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
  }

  /// Maximum number of writes of a batch.
  static var batchLimit: Int { 500 }

  /// Applies writes atomically and in order, and ends their transaction.
  ///
  /// A transaction whose commit is rejected stays open so that it can be rolled back.
  ///
  /// - Parameters:
  ///   - writes: the writes; a document may occur more than once.
  ///   - database: the database of all documents.
  ///   - transaction: the transaction whose reads must still be valid; nil for none.
  ///   - now: the current time.
  /// - Returns: the commit time and the result of each write.
  /// - Throws: ``ServiceFault`` `aborted` if reads are no longer valid, or the error of the first rejected write.
  package mutating func commit(
    _ writes: [Firestore.Write], in database: Firestore.DatabaseName, transaction: [UInt8]? = nil, at now: Timestamp
  ) throws(ServiceFault) -> Firestore.CommitResult {
    var transforms: [Firestore.Name: Int] = [:]
    for write in writes {
      try Self.check(write.name, in: database)
      transforms[write.name, default: 0] += write.transforms.count
      guard transforms[write.name, default: 0] <= Firestore.Write.transformLimit else {
        throw .invalidArgument(
          "cannot have more than \(Firestore.Write.transformLimit) field transforms on a single document")
      }
      try write.check()
    }
    let result = try with(database) { (database) throws(ServiceFault) in
      if let transaction { try database.validate(transaction, for: writes, at: now) }
      let result = try database.commit(writes, at: now)
      if let transaction { database.transactions[transaction] = nil }
      return result
    }
    count(writes)
    commitCount += 1
    return result
  }

  /// Applies writes independently.
  ///
  /// - Parameters:
  ///   - writes: at most 500 writes to different documents.
  ///   - database: the database of all documents.
  ///   - now: the current time.
  /// - Returns: the result of each write.
  /// - Throws: ``ServiceFault`` `invalidArgument` if the whole batch is rejected.
  package mutating func batchWrite(
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
    // A verification reads a document, and writes none.
    let verifications = writes.count { $0.operation == .verify }
    usage.deletes += deletions
    usage.reads += verifications
    usage.writes += writes.count - deletions - verifications
  }
}

extension DocumentDatabase {
  /// Rejects a transaction that is read-only, has ended, or whose reads are no longer valid.
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

extension FirestoreService {
  /// Maximum number of open transactions of a database.
  static var transactionLimit: Int { 10_000 }

  /// Starts a transaction.
  ///
  /// - Parameters:
  ///   - database: the database.
  ///   - options: its kind.
  ///   - now: the current time.
  /// - Returns: the ID of the transaction.
  /// - Throws: ``ServiceFault`` for an unreadable time or too many open transactions.
  package mutating func beginTransaction(
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
  ///   - id: the ID of the transaction.
  ///   - database: its database.
  ///   - now: the current time.
  /// - Throws: ``ServiceFault`` `invalidArgument` if the transaction has ended.
  package mutating func rollback(
    _ id: [UInt8], in database: Firestore.DatabaseName, at now: Timestamp
  ) throws(ServiceFault) {
    try with(database) { (database) throws(ServiceFault) in
      _ = try database.transaction(id, at: now)
      database.transactions[id] = nil
    }
  }

  /// Returns the read time of a request and its transaction.
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
  /// Returns an open transaction.
  func transaction(_ id: [UInt8], at now: Timestamp) throws(ServiceFault) -> FirestoreTransaction {
    guard let transaction = transactions[id], !transaction.isOver(at: now) else {
      throw .invalidArgument("The referenced transaction has expired or is no longer valid.")
    }
    return transaction
  }

  /// Returns the read time of a transaction, which its first read sets.
  mutating func snapshot(of id: [UInt8], at now: Timestamp) throws(ServiceFault) -> Timestamp {
    var transaction = try transaction(id, at: now)
    transaction.lastUse = now
    let snapshot = transaction.snapshot ?? readTime(at: now)
    guard snapshot >= horizon else { throw FirestoreService.contention }
    transaction.snapshot = snapshot
    transactions[id] = transaction
    return snapshot
  }

  /// Validates that documents can be read as of a time.
  func checked(readTime time: Timestamp, at now: Timestamp) throws(ServiceFault) -> Timestamp {
    guard time <= max(now, lastTime) else {
      throw .invalidArgument("The requested 'read_time' is in the future.")
    }
    guard time >= now - Self.retention, time >= horizon else {
      throw ServiceFault(.failedPrecondition, "The requested 'read_time' is too old.")
    }
    return time
  }

  /// Removes expired transactions.
  mutating func endTransactions(at now: Timestamp) {
    guard transactions.values.contains(where: { $0.isOver(at: now) }) else { return }
    transactions = transactions.filter { !$1.isOver(at: now) }
  }
}

extension FirestoreService {
  /// The error for a transaction whose reads are no longer valid.
  static var contention: ServiceFault {
    ServiceFault(.aborted, "Too much contention on these documents. Please try again.")
  }
}

/// An open transaction with everything that it has read, for validation at the commit.
struct FirestoreTransaction: Sendable, Codable {
  /// Maximum duration of a transaction.
  static let lifetime = Duration.seconds(270)
  /// Maximum idle time of a transaction.
  static let idleLimit = Duration.seconds(60)

  /// A query and its results, by name and version.
  struct QueryRead: Sendable, Codable {
    let plan: QueryPlan
    let results: [Result]

    /// A result's name and version.
    struct Result: Equatable, Sendable, Codable {
      let path: Firestore.Path
      let updateTime: Timestamp

      init(_ document: Firestore.Document) {
        path = document.name.path
        updateTime = document.updateTime
      }
    }
  }

  let isReadOnly: Bool
  let begin: Timestamp
  var lastUse: Timestamp
  /// The time of all reads, set by the first one.
  var snapshot: Timestamp?
  /// The update time of each document read; nil if it was missing.
  var documents: [Firestore.Path: Timestamp?] = [:]
  var queries: [QueryRead] = []

  /// Returns whether the transaction has expired.
  func isOver(at now: Timestamp) -> Bool {
    now - begin >= Self.lifetime || now - lastUse >= Self.idleLimit
  }
}

extension DocumentDatabase {
  /// Returns whether everything that a transaction has read is unchanged.
  mutating func stillHolds(_ transaction: FirestoreTransaction, at now: Timestamp) -> Bool {
    guard let snapshot = transaction.snapshot, lastCommit > snapshot else { return true }
    guard transaction.documents.allSatisfy({ documents[$0]?.updateTime == $1 }) else { return false }
    let time = readTime(at: now)
    for read in transaction.queries where !isUnchanged(read.plan.scope, since: snapshot) {
      guard run(read.plan, at: time).documents.map({ .init($0) }) == read.results else { return false }
    }
    return true
  }
}

extension Firestore {
  /// The time as of which a request reads.
  package enum Consistency: Equatable, Sendable {
    /// The current state.
    case latest
    /// Within a transaction, as of its first read.
    case transaction([UInt8])
    /// Within a transaction that starts with the request.
    case newTransaction(TransactionOptions)
    /// As of a time in the last hour.
    case readTime(Timestamp)
  }

  /// The kind of a transaction.
  package enum TransactionOptions: Hashable, Sendable {
    /// Read and write; `retry` is the ID of an earlier attempt, which ends.
    case readWrite(retry: [UInt8]? = nil)
    /// Read-only, as of a time in the last hour or of the first read.
    case readOnly(readTime: Timestamp? = nil)
  }

  /// The time of a read and the transaction that started with it.
  package struct ReadStamp: Hashable, Sendable {
    /// The read time.
    package var readTime: Timestamp
    /// The ID of the new transaction, if one started.
    package var transaction: [UInt8]?
  }
}

extension FirestoreService {
  /// One entity of the service in a snapshot.
  ///
  /// Case names and labels are members of the snapshot's JSON; renamed ones keep their original name as a coding key.
  enum Entity: Codable, Sendable {
    case counters(generator: SplitMix64, usage: Firestore.Usage)
    case database(state: DocumentDatabase)
    case document(state: Firestore.Document)
    case version(name: Firestore.Name, state: DocumentDatabase.Version)
    case scope(database: Firestore.DatabaseName, scope: IndexScope, lastChange: Timestamp)
    case transaction(database: Firestore.DatabaseName, id: [UInt8], state: FirestoreTransaction)
  }

  /// All entities, in the order that ``restore(_:)`` expects.
  var entities: [Entity] {
    var entities = [Entity.counters(generator: generator, usage: usage)]
    for (name, database) in databases {
      entities.append(.database(state: database))
      entities += database.documents.values.map { .document(state: $0) }
      entities += database.indexes.map { .scope(database: name, scope: $0.key, lastChange: $0.value.lastChange) }
      entities += database.orderedVersions.map { .version(name: Firestore.Name(name, $0.path), state: $0.version) }
      entities += database.transactions.map { .transaction(database: name, id: $0.key, state: $0.value) }
    }
    return entities
  }

  /// Restores one entity of a snapshot; entities of a missing database are ignored.
  mutating func restore(_ entity: Entity) {
    switch entity {
    case .counters(let generator, let usage):
      self.generator = generator
      self.usage = usage
    case .database(let database): databases[database.name] = database
    case .document(let document): databases[document.name.database]?.restore(document)
    case .version(let name, let version): databases[name.database]?.keep(version, of: name.path)
    case .scope(let name, let scope, let lastChange): databases[name]?.restore(lastChange: lastChange, of: scope)
    case .transaction(let name, let id, let transaction): databases[name]?.transactions[id] = transaction
    }
  }
}
