extension Firestore {
  /// What a query came to.
  public struct QueryResult: Equatable, Sendable {
    /// When, and in which new transaction.
    public var stamp: ReadStamp
    /// The results in order.
    public var documents: [Document]
    /// How many results the offset left out.
    public var skippedResults: Int
    /// How many documents or index entries the service looked at.
    public var scannedEntries: Int
  }

  /// What an aggregation came to.
  public struct AggregationResult: Equatable, Sendable {
    /// When, and in which new transaction.
    public var stamp: ReadStamp
    /// The results by alias.
    public var fields: [String: Value]
  }

  /// What was found under the names of a batch, each of them once, in the order of the request.
  public struct BatchGetResult: Equatable, Sendable {
    /// When, and in which new transaction.
    public var stamp: ReadStamp
    /// The names and the documents; nil where one is missing.
    public var documents: [Found]

    /// What was found under a name.
    public struct Found: Equatable, Sendable {
      /// The name.
      public var name: Name
      /// The document; nil where it is missing.
      public var document: Document?
    }
  }

  /// A document of a list; with `showMissing` also one that is missing but has documents below it.
  public struct ListedDocument: Equatable, Sendable {
    /// The name.
    public var name: Name
    /// The document; nil where it is missing.
    public var document: Document?
  }

  /// How many operations were made that Firestore bills.
  ///
  /// Source: <https://cloud.google.com/firestore/pricing>.
  public struct Usage: Hashable, Sendable, Codable {
    /// Documents that were read; a query counts one at least.
    public var reads = 0
    /// Documents that were written.
    public var writes = 0
    /// Documents that were deleted.
    public var deletes = 0

    /// Nothing yet.
    public init() {}
  }
}
