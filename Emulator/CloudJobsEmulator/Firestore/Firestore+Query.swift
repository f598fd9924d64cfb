extension Firestore {
  /// A query over collections.
  ///
  /// Source: <https://cloud.google.com/firestore/docs/reference/rest/v1/StructuredQuery>.
  public struct Query: Equatable, Sendable {
    /// The collections.
    public var from: Selector
    /// What documents must meet.
    public var filter: Filter?
    /// The order; the service completes it.
    public var orders: [Order] = []
    /// Where the results begin.
    public var start: Cursor?
    /// Where the results end.
    public var end: Cursor?
    /// How many results are left out at the beginning.
    public var offset = 0
    /// How many results there are at most; nil for no bound.
    public var limit: Int?
    /// The fields that are returned; nil for all of them.
    public var projection: [FieldPath]?

    /// A query over collections, without conditions.
    public init(from: Selector) {
      self.from = from
    }

    /// Which collections a query looks at.
    public struct Selector: Hashable, Sendable {
      /// The collections' id; empty for all collections.
      public var collectionID: String
      /// Whether collections at all depths below the parent are meant, and not only those directly below it.
      public var allDescendants: Bool

      /// Collections of an id.
      public init(_ collectionID: String, allDescendants: Bool = false) {
        self.collectionID = collectionID
        self.allDescendants = allDescendants
      }
    }

    /// One key of an order.
    public struct Order: Hashable, Sendable, Codable {
      /// The field; documents that lack it are no results.
      public var path: FieldPath
      /// Whether large values come first.
      public var isDescending: Bool

      /// A key of an order.
      public init(_ path: FieldPath, isDescending: Bool = false) {
        self.path = path
        self.isDescending = isDescending
      }
    }

    /// A place in an order.
    public struct Cursor: Equatable, Sendable, Codable {
      /// The values at the place, for the first of the order's keys.
      public var values: [Value]
      /// Whether the place is before all documents that have these values, or after them.
      public var isBefore: Bool

      /// A place in an order.
      public init(_ values: [Value], isBefore: Bool) {
        self.values = values
        self.isBefore = isBefore
      }
    }
  }
}
