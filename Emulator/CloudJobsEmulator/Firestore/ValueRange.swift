/// The values that all of some conditions on one field allow, as a range of its index.
struct ValueRange: Sendable {
  private struct Bound: Sendable {
    var relation: Firestore.FieldOperator
    var value: Firestore.Value
    /// Whether values of other kinds are outside, as with filters but not with cursors.
    var isOfOneKind: Bool
  }

  private var bounds: [Bound] = []

  /// All values.
  init() {}

  /// The values that are the same as one.
  init(only value: Firestore.Value) {
    add(.equal, value)
  }

  /// Narrows the range by a condition; conditions that make no range have no effect.
  mutating func add(_ relation: Firestore.FieldOperator, _ value: Firestore.Value, isOfOneKind: Bool = true) {
    bounds.append(Bound(relation: relation, value: value, isOfOneKind: isOfOneKind))
  }

  /// Whether a value lies before the range.
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

  /// Whether a value lies after the range.
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
