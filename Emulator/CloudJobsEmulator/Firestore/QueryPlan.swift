/// A validated query with its scope and a complete order.
struct QueryPlan: Equatable, Sendable, Codable {
  let database: Firestore.DatabaseName
  let scope: QueryScope
  let filter: Firestore.Filter?
  let orders: [Firestore.Query.Order]
  let start: Firestore.Query.Cursor?
  let end: Firestore.Query.Cursor?
  let offset: Int
  let limit: Int?
  let projection: [Firestore.FieldPath]?
  /// Additional fields that documents must have.
  var requiredFields: [Firestore.FieldPath] = []

  /// Returns the sort key values of a document, or nil if it is not a result.
  func keys(of document: Firestore.Document) -> [Firestore.Value]? {
    guard filter?.matches(document) ?? true, requiredFields.allSatisfy({ document[$0] != nil }) else { return nil }
    var keys: [Firestore.Value] = []
    keys.reserveCapacity(orders.count)
    for order in orders {
      guard let key = document[order.path] else { return nil }
      keys.append(key)
    }
    if let start {
      let order = self.order(of: keys, to: start.values)
      guard order == .after || (order == .same && start.isBefore) else { return nil }
    }
    if let end {
      let order = self.order(of: keys, to: end.values)
      guard order == .before || (order == .same && !end.isBefore) else { return nil }
    }
    return keys
  }

  /// Compares the sort key values of two results, or of a result and a cursor, which may have fewer.
  func order(of left: [Firestore.Value], to right: [Firestore.Value]) -> Ordering {
    for (index, (left, right)) in zip(left, right).enumerated() {
      let order = left.order(to: right)
      if order != .same { return orders[index].isDescending ? order.reversed : order }
    }
    return .same
  }

  /// The number of results to find before the search can stop; nil for all.
  var need: Int? { limit.map { offset + $0 } }

  /// Returns the range of a field's values allowed by the filter and, for the first sort key, the cursors.
  func range(of path: Firestore.FieldPath) -> ValueRange {
    var range = ValueRange()
    for case .field(path, let relation, let value) in filter?.conjuncts ?? [] { range.add(relation, value) }
    guard let first = orders.first, first.path == path else { return range }
    // A cursor with one value excludes or includes all documents with that value; one with more values only some.
    if let start, let value = start.values.first {
      let isStrict = !start.isBefore && start.values.count == 1
      range.add(Self.relation(isUpper: first.isDescending, isStrict: isStrict), value, isOfOneKind: false)
    }
    if let end, let value = end.values.first {
      let isStrict = end.isBefore && end.values.count == 1
      range.add(Self.relation(isUpper: !first.isDescending, isStrict: isStrict), value, isOfOneKind: false)
    }
    return range
  }

  private static func relation(isUpper: Bool, isStrict: Bool) -> Firestore.FieldOperator {
    if isUpper { return isStrict ? .lessThan : .lessThanOrEqual }
    return isStrict ? .greaterThan : .greaterThanOrEqual
  }

  /// The fields that must equal a value.
  var equalities: [(path: Firestore.FieldPath, value: Firestore.Value)] {
    (filter?.conjuncts ?? []).compactMap { filter in
      if case .field(let path, .equal, let value) = filter, !path.isDocumentName { (path, value) } else { nil }
    }
  }

  /// Validates and completes a query.
  ///
  /// - Parameters:
  ///   - query: the query.
  ///   - parent: the parent of its collections.
  /// - Throws: ``ServiceFault`` `invalidArgument` with the service's message.
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
    try query.filter.map { filter throws(ServiceFault) in try Self.checkComposites(filter) }
    var query = query
    query.filter = query.filter?.simplified
    filter = query.filter
    start = query.start
    end = query.end
    offset = query.offset
    limit = query.limit
    projection = query.projection.flatMap { $0.isEmpty ? nil : $0 }
    let leaves = query.filter?.leaves ?? []
    let limits = QueryLimits(query, parent: parent, leaves)
    try limits.checkWork()
    if let filter = query.filter { try Self.check(filter, leaves) }
    try limits.check()
    orders = Self.complete(query.orders, leaves)
    try Self.check(orders)
    for cursor in [query.start, query.end].compactMap({ $0 }) { try check(cursor, explicit: query.orders.count) }
    if from.collectionID.isEmpty { try Self.checkKindless(query, leaves) }
  }

  /// Returns the sort keys completed by the fields of inequalities, sorted by name, and the document's name, all in the
  /// direction of the last explicit key.
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
      guard !filters.isEmpty else {
        // An AND of nothing constrains nothing.
        if case .all = filter { return }
        throw .invalidArgument("Composite filter must have at least one sub-filter.")
      }
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
      let limit = relation == .notIn ? QueryLimits.notInValues : QueryLimits.disjunctions
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

  /// A query over all collections may use only document names.
  private static func checkKindless(_ query: Firestore.Query, _ leaves: [Firestore.Filter]) throws(ServiceFault) {
    for path in leaves.compactMap(\.path) where !path.isDocumentName {
      throw .invalidArgument("kind is required for filter: \(path)")
    }
    guard query.orders.allSatisfy({ $0.path.isDocumentName && !$0.isDescending }) else {
      throw .invalidArgument("kind is required for all orders except __key__ ascending")
    }
  }
}

/// The documents that a query covers.
enum QueryScope: Hashable, Sendable, Codable {
  /// The documents of one collection.
  case collection(Firestore.Path)
  /// The documents of all collections with an ID below a path.
  case group(String, under: Firestore.Path)
  /// The documents of all collections below a path: at all depths, or directly below it.
  case everything(under: Firestore.Path, isDeep: Bool)

  /// The indexed set of documents that contains the scope, if there is one.
  var index: IndexScope? {
    switch self {
    case .collection(let path): .collection(path)
    case .group(let id, _): .group(id)
    case .everything: nil
    }
  }

  /// Returns whether a document belongs to the scope.
  func contains(_ path: Firestore.Path) -> Bool {
    switch self {
    case .collection(let collection):
      path.segments.count == collection.segments.count + 1 && path.isBelow(collection)
    case .group(let id, let parent): path.collectionID == id && path.isBelow(parent)
    case .everything(let parent, let isDeep):
      path.isBelow(parent) && (isDeep || path.segments.count == parent.segments.count + 2)
    }
  }
}

/// A range of a field's index, given by conditions on the field.
struct ValueRange: Sendable {
  private struct Bound: Sendable {
    var relation: Firestore.FieldOperator
    var value: Firestore.Value
    /// Whether the range excludes values of other kinds, as filters do but cursors do not.
    var isOfOneKind: Bool
  }

  private var bounds: [Bound] = []

  /// Creates the range of all values.
  init() {}

  /// Creates the range of values equal to one.
  init(only value: Firestore.Value) {
    add(.equal, value)
  }

  /// Narrows the range by a condition; conditions that do not form a range have no effect.
  mutating func add(_ relation: Firestore.FieldOperator, _ value: Firestore.Value, isOfOneKind: Bool = true) {
    bounds.append(Bound(relation: relation, value: value, isOfOneKind: isOfOneKind))
  }

  /// Returns whether a value is before the range.
  func isBefore(_ value: Firestore.Value) -> Bool {
    bounds.contains { bound in
      switch bound.relation {
      case .equal, .greaterThanOrEqual: value.order(to: bound.value) == .before
      case .greaterThan: value.order(to: bound.value) != .after
      case .lessThan, .lessThanOrEqual: bound.isOfOneKind && value.kind < bound.value.kind
      case .notEqual, .arrayContains, .isIn, .arrayContainsAny, .notIn: false
      }
    }
  }

  /// Returns whether a value is after the range.
  func isAfter(_ value: Firestore.Value) -> Bool {
    bounds.contains { bound in
      switch bound.relation {
      case .equal, .lessThanOrEqual: value.order(to: bound.value) == .after
      case .lessThan: value.order(to: bound.value) != .before
      case .greaterThan, .greaterThanOrEqual: bound.isOfOneKind && bound.value.kind < value.kind
      case .notEqual, .arrayContains, .isIn, .arrayContainsAny, .notIn: false
      }
    }
  }
}
