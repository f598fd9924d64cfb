/// The direction of an order; the raw values are those on the wire.
enum QueryDirection: Int, CaseIterable {
  /// Small values first.
  case ascending = 1
  /// Large values first.
  case descending = 2

  /// The name on the wire.
  var name: String { self == .ascending ? "ASCENDING" : "DESCENDING" }
}
