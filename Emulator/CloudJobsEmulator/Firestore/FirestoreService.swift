/// Cloud Firestore v1 as a pure state machine: requests go in, answers come out, and time is an argument.
///
/// All writes are serializable, and so are transactions: they read as of one time, and a commit is refused with
/// `aborted` where anything that was read, the results of queries included, would be read in another way by then.
/// Commit times increase strictly. A database comes to be when it is first named.
///
/// Source: <https://cloud.google.com/firestore/docs/reference/rest>.
public struct FirestoreService: Sendable {
  /// How many operations were made that Firestore bills.
  public internal(set) var usage = Firestore.Usage()
  var databases: [Firestore.DatabaseName: DocumentDatabase] = [:]
  let indexes: Firestore.IndexConfiguration?
  var generator: SplitMix64

  /// A service without documents.
  ///
  /// - Parameters:
  ///   - indexes: the indexes of all databases, without which queries are refused as Firestore refuses them; nil lets
  ///     every query run.
  ///   - seed: draws the ids that clients leave to the service, and the identities of transactions.
  public init(indexes: Firestore.IndexConfiguration? = nil, seed: UInt64 = 0) {
    self.indexes = indexes
    generator = SplitMix64(seed: seed)
  }

  /// How many documents there are in all databases.
  public var documentCount: Int { databases.values.reduce(0) { $0 + $1.documents.count } }

  /// Empties a database; its open transactions end.
  public mutating func removeAll(in database: Firestore.DatabaseName) {
    databases[database] = nil
  }

  /// Works on a database in place.
  mutating func with<Result, Failure: Error>(
    _ name: Firestore.DatabaseName, _ body: (inout DocumentDatabase) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(&databases[name, default: DocumentDatabase(name)])
  }

  /// An id for a document: 20 letters and digits.
  mutating func makeID() -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)
    let bytes = (0..<20).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// An identity for a transaction.
  mutating func makeTransactionID() -> [UInt8] {
    (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
  }
}
