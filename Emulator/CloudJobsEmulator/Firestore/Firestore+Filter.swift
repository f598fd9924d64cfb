extension Firestore {
  /// A condition that documents meet or don't.
  public indirect enum Filter: Equatable, Sendable, Codable {
    /// All of the conditions are met.
    case all([Filter])
    /// At least one of the conditions is met.
    case any([Filter])
    /// A field stands to a value in a certain way.
    case field(FieldPath, FieldOperator, Value)
    /// A field has a certain property.
    case unary(FieldPath, UnaryOperator)
  }

  /// How a field stands to a value; the raw values are those on the wire.
  public enum FieldOperator: Int, CaseIterable, Hashable, Sendable, Codable {
    /// The field comes before the value, both of one kind.
    case lessThan = 1
    /// The field does not come after the value, both of one kind.
    case lessThanOrEqual = 2
    /// The field comes after the value, both of one kind.
    case greaterThan = 3
    /// The field does not come before the value, both of one kind.
    case greaterThanOrEqual = 4
    /// The field is the value.
    case equal = 5
    /// The field has another value, which is not null.
    case notEqual = 6
    /// The field is a list with the value in it.
    case arrayContains = 7
    /// The field is one of the values of a list.
    case isIn = 8
    /// The field is a list with one of the values of a list in it.
    case arrayContainsAny = 9
    /// The field has a value, which is neither null nor one of a list.
    case notIn = 10

    /// The name on the wire, such as `LESS_THAN`.
    public var name: String {
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

    /// Whether results are ordered by the field.
    var isInequality: Bool {
      switch self {
      case .lessThan, .lessThanOrEqual, .greaterThan, .greaterThanOrEqual, .notEqual, .notIn: true
      case .equal, .arrayContains, .isIn, .arrayContainsAny: false
      }
    }

    /// Whether the operator takes a list of values.
    var takesList: Bool { self == .isIn || self == .notIn || self == .arrayContainsAny }
  }

  /// A property of a field; the raw values are those on the wire.
  public enum UnaryOperator: Int, CaseIterable, Hashable, Sendable, Codable {
    /// The field is NaN.
    case isNaN = 2
    /// The field is null.
    case isNull = 3
    /// The field has a value that is neither NaN nor null.
    case isNotNaN = 4
    /// The field has a value that is not null.
    case isNotNull = 5

    /// The name on the wire, such as `IS_NAN`.
    public var name: String {
      switch self {
      case .isNaN: "IS_NAN"
      case .isNull: "IS_NULL"
      case .isNotNaN: "IS_NOT_NAN"
      case .isNotNull: "IS_NOT_NULL"
      }
    }

    /// Whether results are ordered by the field.
    var isInequality: Bool { self == .isNotNaN || self == .isNotNull }
  }
}
