import CloudJobsCore

/// An open transaction: what it has read, all of it as of one time, so that a commit can tell whether that still holds.
struct FirestoreTransaction: Sendable, Codable {
  /// How long a transaction lasts at most.
  static let lifetime = Duration.seconds(270)
  /// How long a transaction may be left alone.
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
  /// The time as of which everything is read; the first read sets it.
  var snapshot: Timestamp?
  /// When each document that was read had last changed; nil where it was missing.
  var documents: [Firestore.Path: Timestamp?] = [:]
  var queries: [QueryRead] = []

  /// Whether the transaction has expired.
  func isOver(at now: Timestamp) -> Bool {
    now - begin >= Self.lifetime || now - lastUse >= Self.idleLimit
  }
}

extension DocumentDatabase {
  /// Whether everything that a transaction has read would be read in the same way now.
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
