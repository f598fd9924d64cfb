/// One page of a list in lexicographic order of names.
public struct ResourcePage<Item: Sendable>: Sendable {
  /// The items.
  public var items: [Item]
  /// The token of the next page; empty on the last one.
  public var nextPageToken: String

  /// A page.
  public init(items: [Item], nextPageToken: String) {
    self.items = items
    self.nextPageToken = nextPageToken
  }
}

extension ResourcePage: Equatable where Item: Equatable {}
extension ResourcePage: Hashable where Item: Hashable {}
