/// A request for one page of a list.
package struct PageRequest: Hashable, Sendable {
  /// The maximum number of items; 0 and values above the method's maximum mean that maximum.
  package var size: Int
  /// The token from the previous page; empty for the first page.
  package var token: String

  /// Creates a page request.
  package init(size: Int = 0, token: String = "") {
    self.size = size
    self.token = token
  }

  /// Returns the page size under a method's maximum.
  ///
  /// - Throws: ``ServiceFault`` `invalidArgument` for a negative size.
  func limit(maximum: Int) throws(ServiceFault) -> Int {
    guard size >= 0 else { throw .invalidArgument("The page size cannot be negative.") }
    return size == 0 ? maximum : min(size, maximum)
  }
}

/// One page of a list.
package struct ResourcePage<Item: Sendable>: Sendable {
  /// The items.
  package var items: [Item]
  /// The token of the next page; empty for the last page.
  package var nextPageToken: String

  /// Creates a page.
  package init(items: [Item], nextPageToken: String) {
    self.items = items
    self.nextPageToken = nextPageToken
  }
}

extension ResourcePage: Equatable where Item: Equatable {}
extension ResourcePage: Hashable where Item: Hashable {}
