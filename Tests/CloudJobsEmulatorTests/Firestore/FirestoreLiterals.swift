import CloudJobsCore

@testable public import CloudJobsEmulator

extension Firestore.Value: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
  /// An integer.
  public init(integerLiteral value: Int64) { self = .integer(value) }
  /// A float.
  public init(floatLiteral value: Double) { self = .double(value) }
  /// A text.
  public init(stringLiteral value: String) { self = .string(value) }
  /// A truth value.
  public init(booleanLiteral value: Bool) { self = .boolean(value) }
  /// A list.
  public init(arrayLiteral elements: Firestore.Value...) { self = .array(elements) }
  /// A map.
  public init(dictionaryLiteral elements: (String, Firestore.Value)...) {
    self = .map(Dictionary(elements) { $1 })
  }
  /// Null.
  public init(nilLiteral: ()) { self = .null }
}

extension Firestore.FieldPath: ExpressibleByStringLiteral {
  /// A path of simple names with dots between them.
  public init(stringLiteral value: String) {
    self.init(value.split(separator: ".").map { String($0) })
  }
}

extension Firestore.Query {
  /// A query over the collection `c`.
  init(
    _ filter: Firestore.Filter? = nil, order: [Order] = [], start: Cursor? = nil, end: Cursor? = nil, offset: Int = 0,
    limit: Int? = nil, in collection: String = "c", allDescendants: Bool = false
  ) {
    self.init(from: .init(collection, allDescendants: allDescendants))
    self.filter = filter
    self.orders = order
    self.start = start
    self.end = end
    self.offset = offset
    self.limit = limit
  }
}
