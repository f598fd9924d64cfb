extension Firestore {
  /// A number over all results of a query.
  public struct Aggregation: Equatable, Sendable {
    /// What is computed.
    public enum Operation: Equatable, Sendable {
      /// How many results there are, counted up to a bound.
      case count(upTo: Int?)
      /// The sum of a field's numbers.
      case sum(FieldPath)
      /// The average of a field's numbers; null where there are none.
      case average(FieldPath)
    }

    /// The name in the answer; empty for one that the service makes.
    public var alias: String
    /// What is computed.
    public var operation: Operation

    /// A number over all results.
    public init(_ operation: Operation, alias: String = "") {
      self.operation = operation
      self.alias = alias
    }

    /// The field that is computed on; nil for a count.
    var path: FieldPath? {
      switch operation {
      case .count: nil
      case .sum(let path), .average(let path): path
      }
    }

    /// Computes the number.
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

    /// Exact for integers, as long as the result has 64 bits; a float otherwise.
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

    /// Checks aggregations and gives each its name.
    static func named(_ aggregations: [Aggregation]) throws(ServiceFault) -> [Aggregation] {
      guard (1...5).contains(aggregations.count) else {
        throw .invalidArgument("Aggregation queries must have between one and five aggregations.")
      }
      var unnamed = 0
      var result: [Aggregation] = []
      for var aggregation in aggregations {
        if aggregation.alias.isEmpty {
          unnamed += 1
          aggregation.alias = "field_\(unnamed)"
        }
        try FieldRules.check(name: aggregation.alias)
        if case .count(let bound?) = aggregation.operation, bound <= 0 {
          throw .invalidArgument("up_to must be greater than zero.")
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
