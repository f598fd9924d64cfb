extension Firestore {
  /// A filter of documents.
  package indirect enum Filter: Equatable, Sendable, Codable {
    /// All of the filters match.
    case all([Filter])
    /// At least one of the filters matches.
    case any([Filter])
    /// A comparison of a field with a value.
    case field(FieldPath, FieldOperator, Value)
    /// A property of a field.
    case unary(FieldPath, UnaryOperator)
  }

  /// A comparison operator, numbered as on the wire.
  package enum FieldOperator: Int, CaseIterable, Hashable, Sendable, Codable {
    /// The field is less than the value and of the same kind.
    case lessThan = 1
    /// The field is not greater than the value and of the same kind.
    case lessThanOrEqual = 2
    /// The field is greater than the value and of the same kind.
    case greaterThan = 3
    /// The field is not less than the value and of the same kind.
    case greaterThanOrEqual = 4
    /// The field equals the value.
    case equal = 5
    /// The field has a different value that is not null.
    case notEqual = 6
    /// The field is an array that contains the value.
    case arrayContains = 7
    /// The field equals one of several values.
    case isIn = 8
    /// The field is an array that contains one of several values.
    case arrayContainsAny = 9
    /// The field has a value that is neither null nor one of several values.
    case notIn = 10

    /// The name on the wire, such as `LESS_THAN`.
    package var name: String {
      switch self {
      case .lessThan: "LESS_THAN"
      case .lessThanOrEqual: "LESS_THAN_OR_EQUAL"
      case .greaterThan: "GREATER_THAN"
      case .greaterThanOrEqual: "GREATER_THAN_OR_EQUAL"
      case .equal: "EQUAL"
      case .notEqual: "NOT_EQUAL"
      case .arrayContains: "ARRAY_CONTAINS"
      case .isIn: "IN"
      case .arrayContainsAny: "ARRAY_CONTAINS_ANY"
      case .notIn: "NOT_IN"
      }
    }

    /// Whether the operator adds the field to the implicit order.
    var isInequality: Bool {
      switch self {
      case .lessThan, .lessThanOrEqual, .greaterThan, .greaterThanOrEqual, .notEqual, .notIn: true
      case .equal, .arrayContains, .isIn, .arrayContainsAny: false
      }
    }

    /// Whether the operator takes several values.
    var takesList: Bool { self == .isIn || self == .notIn || self == .arrayContainsAny }
  }

  /// A unary operator, numbered as on the wire.
  package enum UnaryOperator: Int, CaseIterable, Hashable, Sendable, Codable {
    /// The field is NaN.
    case isNaN = 2
    /// The field is null.
    case isNull = 3
    /// The field has a value that is neither NaN nor null.
    case isNotNaN = 4
    /// The field has a value that is not null.
    case isNotNull = 5

    /// Whether the operator adds the field to the implicit order.
    var isInequality: Bool { self == .isNotNaN || self == .isNotNull }
  }
}

extension Firestore.Filter {
  /// Returns whether a document matches the filter.
  func matches(_ document: Firestore.Document) -> Bool {
    switch self {
    case .all(let filters): filters.allSatisfy { $0.matches(document) }
    case .any(let filters): filters.contains { $0.matches(document) }
    case .field(let path, let relation, let value): document[path].map { relation.holds($0, value) } ?? false
    case .unary(let path, let property): document[path].map { property.holds($0) } ?? false
    }
  }

  /// The filter without parts that do nothing: an AND of nothing, and a composite of one filter.
  ///
  /// Nil if it matches everything.
  var simplified: Firestore.Filter? {
    switch self {
    case .all(let filters):
      let parts = filters.compactMap(\.simplified)
      return parts.count > 1 ? .all(parts) : parts.first
    case .any(let filters):
      let parts = filters.compactMap(\.simplified)
      guard parts.count == filters.count else { return nil }
      return parts.count > 1 ? .any(parts) : parts.first
    case .field, .unary: return self
    }
  }

  /// All filters on single fields, at any depth.
  var leaves: [Firestore.Filter] {
    switch self {
    case .all(let filters), .any(let filters): filters.flatMap(\.leaves)
    case .field, .unary: [self]
    }
  }

  /// The filters that every result matches: those not below an OR.
  var conjuncts: [Firestore.Filter] {
    switch self {
    case .all(let filters): filters.flatMap(\.conjuncts)
    case .any(let filters): filters.count == 1 ? filters[0].conjuncts : []
    case .field, .unary: [self]
    }
  }

  /// The filter in disjunctive normal form; a filter with several values stays one filter.
  var disjuncts: [[Firestore.Filter]] {
    switch self {
    case .all(let filters):
      filters.reduce([[]]) { found, filter in filter.disjuncts.flatMap { own in found.map { $0 + own } } }
    case .any(let filters): filters.flatMap(\.disjuncts)
    case .field, .unary: [[self]]
    }
  }

  /// Returns the number of conjunctions in disjunctive normal form, counted up to a bound.
  func disjunctionCount(bound: Int = 1_000) -> Int {
    switch self {
    case .all(let filters): filters.reduce(1) { min($0 * max($1.disjunctionCount(), 1), bound) }
    case .any(let filters): filters.reduce(0) { min($0 + $1.disjunctionCount(), bound) }
    case .field(_, .isIn, .array(let values)), .field(_, .arrayContainsAny, .array(let values)): values.count
    case .field, .unary: 1
    }
  }

  /// The field of a filter on a single field; nil for other filters.
  var path: Firestore.FieldPath? {
    switch self {
    case .field(let path, _, _), .unary(let path, _): path
    case .all, .any: nil
    }
  }

  /// Whether the filter tests the elements of an array.
  var isMembership: Bool {
    switch self {
    case .field(_, let relation, _): relation == .arrayContains || relation == .arrayContainsAny
    case .all, .any, .unary: false
    }
  }

  /// Whether the filter adds its field to the implicit order.
  var isInequality: Bool {
    switch self {
    case .field(_, let relation, _): relation.isInequality
    case .unary(_, let property): property.isInequality
    case .all, .any: false
    }
  }
}

extension Firestore.FieldOperator {
  /// Returns whether the operator holds for a field's value and an operand.
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
  /// Returns whether the operator holds for a field's value.
  func holds(_ field: Firestore.Value) -> Bool {
    switch self {
    case .isNaN: field.isNaN
    case .isNull: field.isNull
    case .isNotNaN: !field.isNull && !field.isNaN
    case .isNotNull: !field.isNull
    }
  }
}
