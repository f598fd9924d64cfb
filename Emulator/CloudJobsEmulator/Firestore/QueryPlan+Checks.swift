extension QueryPlan {
  /// How many conjunctions a filter may come to, and how many values `IN` and `ARRAY_CONTAINS_ANY` may have.
  static let disjunctionLimit = 30
  /// How many values `NOT_IN` may have.
  static let notInLimit = 10

  /// Checks and completes a query.
  ///
  /// - Parameters:
  ///   - query: the query.
  ///   - parent: below what its collections lie.
  /// - Throws: ``ServiceFault`` `invalidArgument` with the service's words.
  init(_ query: Firestore.Query, parent: Firestore.Name) throws(ServiceFault) {
    let from = query.from
    if !from.collectionID.isEmpty { try Firestore.Name.check(id: from.collectionID, isCollection: true) }
    guard query.offset >= 0 else { throw .invalidArgument("offset is negative") }
    guard (query.limit ?? 0) >= 0 else { throw .invalidArgument("limit is negative") }
    if from.collectionID.isEmpty {
      scope = .everything(under: parent.path, isDeep: from.allDescendants)
    } else if from.allDescendants {
      scope = .group(from.collectionID, under: parent.path)
    } else {
      scope = .collection(parent.path.child(from.collectionID))
    }
    database = parent.database
    filter = query.filter
    start = query.start
    end = query.end
    offset = query.offset
    limit = query.limit
    projection = query.projection.flatMap { $0.isEmpty ? nil : $0 }
    let leaves = query.filter?.leaves ?? []
    orders = Self.complete(query.orders, leaves)
    if let filter = query.filter { try Self.check(filter, leaves) }
    try Self.check(orders)
    for cursor in [query.start, query.end].compactMap({ $0 }) { try check(cursor, explicit: query.orders.count) }
    if from.collectionID.isEmpty { try Self.checkKindless(query, leaves) }
  }

  /// Adds the fields of inequalities in the order of their names, then the document's name, all in the direction of the
  /// last key that is given.
  private static func complete(
    _ given: [Firestore.Query.Order], _ leaves: [Firestore.Filter]
  ) -> [Firestore.Query.Order] {
    var orders = given
    let isDescending = given.last?.isDescending ?? false
    let paths = Set(leaves.filter(\.isInequality).compactMap(\.path))
    for path in paths.sorted(by: { Ordering.ofTexts("\($0)", "\($1)") == .before })
    where !path.isDocumentName && !orders.contains(where: { $0.path == path }) {
      orders.append(.init(path, isDescending: isDescending))
    }
    if !orders.contains(where: \.path.isDocumentName) {
      orders.append(.init(.documentName, isDescending: isDescending))
    }
    return orders
  }

  private static func check(_ filter: Firestore.Filter, _ leaves: [Firestore.Filter]) throws(ServiceFault) {
    try checkComposites(filter)
    for leaf in leaves {
      guard case .field(let path, let relation, let operand) = leaf else { continue }
      try check(path, relation, operand)
    }
    let negations = leaves.filter { leaf in
      switch leaf {
      case .field(_, .notEqual, _), .field(_, .notIn, _), .unary(_, .isNotNaN), .unary(_, .isNotNull): true
      default: false
      }
    }
    guard negations.count <= 1 else {
      throw .invalidArgument(
        "Only a single 'NOT_EQUAL', 'NOT_IN', 'IS_NOT_NAN', or 'IS_NOT_NULL' filter allowed per query.")
    }
    let hasNotIn = leaves.contains { if case .field(_, .notIn, _) = $0 { true } else { false } }
    guard !hasNotIn || filter.disjunctionCount() == 1, !(hasNotIn && hasDisjunction(filter)) else {
      throw .invalidArgument(
        "'NOT_IN' cannot be used in the same query with 'IN', 'ARRAY_CONTAINS_ANY' or 'OR'.")
    }
    guard filter.disjunctionCount() <= disjunctionLimit else {
      throw .invalidArgument(
        "Given query has \(filter.disjunctionCount()) disjunctions. Up to \(disjunctionLimit) disjunctions are "
          + "supported in a query.")
    }
  }

  private static func hasDisjunction(_ filter: Firestore.Filter) -> Bool {
    switch filter {
    case .any(let filters): filters.count > 1 || filters.contains { hasDisjunction($0) }
    case .all(let filters): filters.contains { hasDisjunction($0) }
    case .field(_, let relation, _): relation == .isIn || relation == .arrayContainsAny
    case .unary: false
    }
  }

  private static func checkComposites(_ filter: Firestore.Filter) throws(ServiceFault) {
    switch filter {
    case .all(let filters), .any(let filters):
      guard !filters.isEmpty else { throw .invalidArgument("Composite filter must have at least one sub-filter.") }
      for filter in filters { try checkComposites(filter) }
    case .field, .unary: break
    }
  }

  private static func check(
    _ path: Firestore.FieldPath, _ relation: Firestore.FieldOperator, _ operand: Firestore.Value
  ) throws(ServiceFault) {
    var operands = [operand]
    if relation.takesList {
      guard let elements = operand.elements else {
        throw .invalidArgument("'\(relation.name)' requires an ArrayValue.")
      }
      guard !elements.isEmpty else {
        throw .invalidArgument("'\(relation.name)' requires an non-empty ArrayValue.")
      }
      let limit = relation == .notIn ? notInLimit : disjunctionLimit
      guard elements.count <= limit else {
        throw .invalidArgument("'\(relation.name)' supports up to \(limit) comparison values.")
      }
      operands = elements
    }
    guard path.isDocumentName else { return }
    guard relation != .arrayContains, relation != .arrayContainsAny else {
      throw .invalidArgument("the name __key__ is reserved")
    }
    for case let operand in operands where operand.kind != .reference {
      throw .invalidArgument("__key__ filter value must be a Key")
    }
  }

  private static func check(_ orders: [Firestore.Query.Order]) throws(ServiceFault) {
    for (index, order) in orders.enumerated() {
      guard !orders[..<index].contains(where: { $0.path == order.path }) else {
        throw .invalidArgument("order by clause cannot contain duplicate fields \(order.path)")
      }
      guard !orders[..<index].contains(where: \.path.isDocumentName) else {
        throw .invalidArgument("order by clause cannot contain more fields after the key")
      }
    }
  }

  private func check(_ cursor: Firestore.Query.Cursor, explicit: Int) throws(ServiceFault) {
    guard cursor.values.count <= explicit else { throw .invalidArgument("Cursor has too many values.") }
    for (value, order) in zip(cursor.values, orders) where order.path.isDocumentName && value.kind != .reference {
      throw .invalidArgument("Cursor __key__ value is not a document reference.")
    }
  }

  /// A query over all collections can only tell documents by their names.
  private static func checkKindless(_ query: Firestore.Query, _ leaves: [Firestore.Filter]) throws(ServiceFault) {
    for path in leaves.compactMap(\.path) where !path.isDocumentName {
      throw .invalidArgument("kind is required for filter: \(path)")
    }
    guard query.orders.allSatisfy({ $0.path.isDocumentName && !$0.isDescending }) else {
      throw .invalidArgument("kind is required for all orders except __key__ ascending")
    }
  }
}
