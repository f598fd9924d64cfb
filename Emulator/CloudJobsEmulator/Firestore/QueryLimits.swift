/// The limits on the parts of a query, which bound its work on each document.
///
/// Source: <https://firebase.google.com/docs/firestore/query-data/queries#limits>; the texts are recorded.
struct QueryLimits {
  /// Maximum number of conjunctions of a filter, and of values of `IN` and `ARRAY_CONTAINS_ANY`.
  static let disjunctions = 30
  /// Maximum number of values of `NOT_IN`.
  static let notInValues = 10
  /// Maximum number of fields with an inequality.
  static let inequalityFields = 10
  /// Maximum number of filters, sort orders and ancestors together.
  static let parts = 100

  private let filter: Firestore.Filter?
  private let leaves: [Firestore.Filter]
  private let orderCount: Int
  private let hasAncestor: Bool

  /// Measures a query.
  init(_ query: Firestore.Query, parent: Firestore.Name, _ leaves: [Firestore.Filter]) {
    filter = query.filter
    self.leaves = leaves
    orderCount = query.orders.count
    hasAncestor = !parent.path.segments.isEmpty
  }

  /// Refuses a query whose check itself would be much work: it has too many parts in any case.
  func checkWork() throws(ServiceFault) {
    guard leaves.count + orderCount <= Self.parts else { throw tooManyParts(filters: leaves.count) }
  }

  /// Validates the number of parts, in the service's order.
  func check() throws(ServiceFault) {
    let count = filter?.disjunctionCount() ?? 1
    guard count <= Self.disjunctions else {
      throw .invalidArgument(
        "Too many disjunctions after normalization. Result had \(count) disjunctions which is more than the maximum of "
          + "\(Self.disjunctions)")
    }
    let conjunctions = filter?.disjuncts ?? []
    guard conjunctions.allSatisfy({ $0.count { $0.isMembership } <= 1 }) else {
      throw .invalidArgument("A maximum of 1 'ARRAY_CONTAINS' filter is allowed per disjunction.")
    }
    var fields: [Firestore.FieldPath] = []
    for path in leaves.filter(\.isInequality).compactMap(\.path) where !fields.contains(path) { fields.append(path) }
    guard fields.count <= Self.inequalityFields else {
      throw .invalidArgument(
        "The query contains \(fields.count) distinct inequality fields: "
          + "[\(fields.map(\.description).joined(separator: ", "))]. "
          + "A query may not have more than \(Self.inequalityFields) distinct inequality fields.")
    }
    // A filter with several values stands for as many conjunctions.
    let filters = conjunctions.reduce(0) { sum, conjunction in
      sum + conjunction.count * conjunction.reduce(1) { $0 * $1.disjunctionCount() }
    }
    guard filters + orderCount + (hasAncestor ? 1 : 0) <= Self.parts else { throw tooManyParts(filters: filters) }
  }

  private func tooManyParts(filters: Int) -> ServiceFault {
    .invalidArgument(
      "The query may not have more than \(Self.parts) filters + sort orders + ancestor total. Currently there are "
        + "\(filters) filters, \(orderCount) sort orders, and \(hasAncestor ? "one" : "no") ancestor filter.")
  }
}
