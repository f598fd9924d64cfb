/// How the filters of a composite one go together; the raw values are those on the wire.
enum CompositeOperator: Int, CaseIterable {
  /// All of them are met.
  case and = 1
  /// One of them is met.
  case or = 2

  /// The name on the wire.
  var name: String { self == .and ? "AND" : "OR" }
}
