/// A query that has been checked and completed: its scope, and an order that leaves nothing open.
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
  /// Fields that documents must have besides.
  var requiredFields: [Firestore.FieldPath] = []

  /// The values by which a document is ordered, where it is a result; nil where it is none.
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

  /// How results stand to each other, or to a cursor's values, which may be fewer.
  func order(of left: [Firestore.Value], to right: [Firestore.Value]) -> Ordering {
    for (index, (left, right)) in zip(left, right).enumerated() {
      let order = left.order(to: right)
      if order != .same { return orders[index].isDescending ? order.reversed : order }
    }
    return .same
  }

  /// How many results have to be found before the rest can be left; nil for all of them.
  var need: Int? { limit.map { offset + $0 } }

  /// The range of a field that the filter, and the cursors where the field is the first key, leave.
  func range(of path: Firestore.FieldPath) -> ValueRange {
    var range = ValueRange()
    for case .field(path, let relation, let value) in filter?.conjuncts ?? [] { range.add(relation, value) }
    guard let first = orders.first, first.path == path else { return range }
    // A cursor with one value leaves out, or takes in, all documents that have it; one with more values only some.
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

  /// The fields that must have one certain value.
  var equalities: [(path: Firestore.FieldPath, value: Firestore.Value)] {
    (filter?.conjuncts ?? []).compactMap { filter in
      if case .field(let path, .equal, let value) = filter, !path.isDocumentName { (path, value) } else { nil }
    }
  }
}
