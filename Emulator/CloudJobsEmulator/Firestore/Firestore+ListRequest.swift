extension Firestore {
  /// A request for the documents of a collection, page by page.
  public struct ListRequest: Equatable, Sendable {
    /// Below what the collection lies.
    public var parent: Name
    /// The collection's id.
    public var collectionID: String
    /// Which page.
    public var page = PageRequest()
    /// The order; empty for that of names.
    public var orders: [Query.Order] = []
    /// Whether documents count that are missing but have documents below them; not with an order.
    public var showMissing = false
    /// Whether the collections of the same id further below the parent are listed too.
    public var isRecursive = false
    /// The fields that are returned; nil for all of them.
    public var mask: [FieldPath]?
    /// As of when.
    public var consistency = Consistency.latest

    /// A request for a collection's first page.
    public init(_ parent: Name, _ collectionID: String) {
      self.parent = parent
      self.collectionID = collectionID
    }

    /// The keys of an order in its text: `state.nextRun desc, __name__`.
    ///
    /// - Throws: ``ServiceFault`` `invalidArgument` for text that is no order.
    public static func orders(parsing text: String) throws(ServiceFault) -> [Query.Order] {
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
