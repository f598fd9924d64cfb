extension Firestore.Filter {
  /// Whether a document meets the condition.
  func matches(_ document: Firestore.Document) -> Bool {
    switch self {
    case .all(let filters): filters.allSatisfy { $0.matches(document) }
    case .any(let filters): filters.contains { $0.matches(document) }
    case .field(let path, let relation, let value): document[path].map { relation.holds($0, value) } ?? false
    case .unary(let path, let property): document[path].map { property.holds($0) } ?? false
    }
  }

  /// All conditions on single fields, at any depth.
  var leaves: [Firestore.Filter] {
    switch self {
    case .all(let filters), .any(let filters): filters.flatMap(\.leaves)
    case .field, .unary: [self]
    }
  }

  /// The conditions that every result meets: those that no OR stands above.
  var conjuncts: [Firestore.Filter] {
    switch self {
    case .all(let filters): filters.flatMap(\.conjuncts)
    case .any(let filters): filters.count == 1 ? filters[0].conjuncts : []
    case .field, .unary: [self]
    }
  }

  /// The condition as an OR of ANDs of conditions on single fields; one with a list of values stays one condition.
  var disjuncts: [[Firestore.Filter]] {
    switch self {
    case .all(let filters):
      filters.reduce([[]]) { found, filter in filter.disjuncts.flatMap { own in found.map { $0 + own } } }
    case .any(let filters): filters.flatMap(\.disjuncts)
    case .field, .unary: [[self]]
    }
  }

  /// How many conjunctions the condition comes to when it is written as an OR of ANDs; stops counting at a bound.
  func disjunctionCount(bound: Int = 1_000) -> Int {
    switch self {
    case .all(let filters): filters.reduce(1) { min($0 * max($1.disjunctionCount(), 1), bound) }
    case .any(let filters): filters.reduce(0) { min($0 + $1.disjunctionCount(), bound) }
    case .field(_, .isIn, .array(let values)), .field(_, .arrayContainsAny, .array(let values)): values.count
    case .field, .unary: 1
    }
  }

  /// The field of a condition on one; nil for any other.
  var path: Firestore.FieldPath? {
    switch self {
    case .field(let path, _, _), .unary(let path, _): path
    case .all, .any: nil
    }
  }

  /// Whether the condition is about the elements of a list.
  var isMembership: Bool {
    switch self {
    case .field(_, let relation, _): relation == .arrayContains || relation == .arrayContainsAny
    case .all, .any, .unary: false
    }
  }

  /// Whether results are ordered by the condition's field.
  var isInequality: Bool {
    switch self {
    case .field(_, let relation, _): relation.isInequality
    case .unary(_, let property): property.isInequality
    case .all, .any: false
    }
  }
}

extension Firestore.FieldOperator {
  /// Whether a field's value stands to the operand in this way.
  func holds(_ field: Firestore.Value, _ operand: Firestore.Value) -> Bool {
    switch self {
    case .lessThan: field.kind == operand.kind && field.order(to: operand) == .before
    case .lessThanOrEqual: field.kind == operand.kind && field.order(to: operand) != .after
    case .greaterThan: field.kind == operand.kind && field.order(to: operand) == .after
    case .greaterThanOrEqual: field.kind == operand.kind && field.order(to: operand) != .before
    case .equal: field.isSame(as: operand)
    case .notEqual: !field.isNull && !field.isSame(as: operand)
    case .arrayContains: field.elements?.contains { $0.isSame(as: operand) } ?? false
    case .isIn: operand.elements?.contains { $0.isSame(as: field) } ?? false
    case .arrayContainsAny:
      field.elements?.contains { element in operand.elements?.contains { $0.isSame(as: element) } ?? false } ?? false
    case .notIn:
      !field.isNull && !(operand.elements?.contains { $0.isNull || $0.isSame(as: field) } ?? true)
    }
  }
}

extension Firestore.UnaryOperator {
  /// Whether a field's value has this property.
  func holds(_ field: Firestore.Value) -> Bool {
    switch self {
    case .isNaN: field.isNaN
    case .isNull: field.isNull
    case .isNotNaN: !field.isNull && !field.isNaN
    case .isNotNull: !field.isNull
    }
  }
}
