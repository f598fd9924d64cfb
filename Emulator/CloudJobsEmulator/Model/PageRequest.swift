/// Which page of a list is asked for.
public struct PageRequest: Hashable, Sendable {
  /// How many items at most; 0 means the method's maximum, larger values are lowered to it.
  public var size: Int
  /// The token of an earlier page, or empty for the first page.
  public var token: String

  /// A page of a size after a token.
  public init(size: Int = 0, token: String = "") {
    self.size = size
    self.token = token
  }

  /// The size to use under a method's maximum.
  ///
  /// - Throws: ``ServiceFault`` `invalidArgument` for a negative size.
  func limit(maximum: Int) throws(ServiceFault) -> Int {
    guard size >= 0 else { throw .invalidArgument("The page size cannot be negative.") }
    return size == 0 ? maximum : min(size, maximum)
  }
}
