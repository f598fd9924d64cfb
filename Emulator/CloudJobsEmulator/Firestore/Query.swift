extension Firestore {
  /// A query over collections.
  ///
  /// Source: <https://cloud.google.com/firestore/docs/reference/rest/v1/StructuredQuery>.
  package struct Query: Equatable, Sendable {
    /// The collections.
    package var from: Selector
    /// The filter; nil matches all documents.
    package var filter: Filter?
    /// The explicit sort keys; the service adds the implicit ones.
    package var orders: [Order] = []
    /// The cursor at which the results start.
    package var start: Cursor?
    /// The cursor at which the results end.
    package var end: Cursor?
    /// The number of results to skip.
    package var offset = 0
    /// The maximum number of results; nil for no limit.
    package var limit: Int?
    /// The fields to return; nil for all.
    package var projection: [FieldPath]?

    /// Creates a query without filter, order or limit.
    package init(from: Selector) {
      self.from = from
    }

    /// The collections that a query covers.
    package struct Selector: Hashable, Sendable {
      /// The collection ID; empty for all collections.
      package var collectionID: String
      /// Whether to include collections at all depths below the parent, not only those directly below it.
      package var allDescendants: Bool

      /// Creates a selector.
      package init(_ collectionID: String, allDescendants: Bool = false) {
        self.collectionID = collectionID
        self.allDescendants = allDescendants
      }
    }

    /// A sort key.
    package struct Order: Hashable, Sendable, Codable {
      /// The field; documents without it are not results.
      package var path: FieldPath
      /// Whether larger values come first.
      package var isDescending: Bool

      /// Creates a sort key.
      package init(_ path: FieldPath, isDescending: Bool = false) {
        self.path = path
        self.isDescending = isDescending
      }
    }

    /// A position in the order of the results.
    package struct Cursor: Equatable, Sendable, Codable {
      /// The values at the position, for the leading sort keys.
      package var values: [Value]
      /// Whether the position is before rather than after the documents with these values.
      package var isBefore: Bool

      /// A position in the order of the results.
      package init(_ values: [Value], isBefore: Bool) {
        self.values = values
        self.isBefore = isBefore
      }
    }
  }
}

/// The result of comparing two values.
package enum Ordering: Int, Sendable {
  /// The first value is less than the second.
  case before = -1
  /// The values are equal in the order.
  case same = 0
  /// The first value is greater than the second.
  case after = 1

  /// The result with the values swapped.
  package var reversed: Ordering {
    switch self {
    case .before: .after
    case .same: .same
    case .after: .before
    }
  }

  /// Compares two values.
  package init<Item: Comparable>(_ left: Item, _ right: Item) {
    self = left < right ? .before : right < left ? .after : .same
  }

  /// Compares bytes; a prefix of the other sequence is less.
  package static func ofBytes(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>) -> Ordering {
    let count = min(left.count, right.count)
    var index = 0
    while index < count {
      if left[index] != right[index] { return left[index] < right[index] ? .before : .after }
      index += 1
    }
    return Ordering(left.count, right.count)
  }

  /// Compares bytes; a prefix of the other sequence is less.
  package static func ofBytes(_ left: [UInt8], _ right: [UInt8]) -> Ordering {
    left.withUnsafeBufferPointer { left in right.withUnsafeBufferPointer { ofBytes(left, $0) } }
  }

  /// Compares texts by their UTF-8 bytes, which is the order of their code points.
  ///
  /// `String` treats texts that differ in normalization as equal; Firestore does not.
  package static func ofTexts(_ left: String, _ right: String) -> Ordering {
    let result = left.utf8.withContiguousStorageIfAvailable { left in
      right.utf8.withContiguousStorageIfAvailable { ofBytes(left, $0) }
    }
    if let result, let result { return result }
    return ofBytes(Array(left.utf8), Array(right.utf8))
  }
}

extension Firestore {
  /// An aggregation over the results of a query.
  package struct Aggregation: Equatable, Sendable {
    /// The aggregate function.
    package enum Operation: Equatable, Sendable {
      /// The number of results, counted up to an optional bound.
      case count(upTo: Int?)
      /// The sum of a field's numbers.
      case sum(FieldPath)
      /// The average of a field's numbers; null if there are none.
      case average(FieldPath)
    }

    /// The name in the response; empty for a generated one.
    package var alias: String
    /// The aggregate function.
    package var operation: Operation

    /// Creates an aggregation.
    package init(_ operation: Operation, alias: String = "") {
      self.operation = operation
      self.alias = alias
    }

    /// The aggregated field; nil for a count.
    var path: FieldPath? {
      switch operation {
      case .count: nil
      case .sum(let path), .average(let path): path
      }
    }

    /// Computes the aggregation over documents.
    func value(over documents: [Document]) -> Value {
      switch operation {
      case .count(let bound): return .integer(Int64(min(documents.count, bound ?? .max)))
      case .sum(let path): return Self.sum(documents.compactMap { $0[path] })
      case .average(let path):
        let numbers = documents.compactMap { $0[path] }.filter { $0.number != nil }
        guard !numbers.isEmpty, let sum = Self.sum(numbers).number else { return .null }
        return .double(sum / Double(numbers.count))
      }
    }

    /// Returns the sum: exact for integers if the result fits 64 bits, a float otherwise.
    private static func sum(_ values: [Value]) -> Value {
      var whole = Int128(0)
      var rest = 0.0
      var hasFloats = false
      for value in values {
        switch value {
        case .integer(let number): whole += Int128(number)
        case .double(let number):
          rest += number
          hasFloats = true
        default: break
        }
      }
      if !hasFloats, let exact = Int64(exactly: whole) { return .integer(exact) }
      return .double(Double(whole) + rest)
    }

    /// Maximum number of aggregations of a query.
    static let limit = 5

    private static func tooMany(_ count: Int) -> ServiceFault {
      ServiceFault(
        .invalidArgument,
        "The maximum number of aggregations allowed in an aggregation query is \(limit). Received: \(count)",
        details: [
          .reason(
            "TOO_MANY_AGGREGATIONS", domain: "firestore.googleapis.com",
            metadata: ["actual_aggregations": "\(count)", "max_aggregations": "\(limit)"])
        ])
    }

    /// Validates aggregations and names those without an alias.
    static func named(_ aggregations: [Aggregation]) throws(ServiceFault) -> [Aggregation] {
      guard !aggregations.isEmpty else { throw .invalidArgument("Aggregations can not be empty.") }
      guard aggregations.count <= limit else { throw tooMany(aggregations.count) }
      var unnamed = 0
      var result: [Aggregation] = []
      for var aggregation in aggregations {
        if aggregation.alias.isEmpty {
          unnamed += 1
          aggregation.alias = "field_\(unnamed)"
        }
        try FieldRules.check(name: aggregation.alias)
        if case .count(let bound?) = aggregation.operation, bound < 0 {
          throw .invalidArgument("The `up_to` value in a COUNT aggregation must be greater than or equal to zero.")
        }
        guard !result.contains(where: { $0.alias == aggregation.alias }) else {
          throw .invalidArgument("Aggregation aliases contain duplicate alias: \(aggregation.alias).")
        }
        result.append(aggregation)
      }
      return result
    }
  }
}
