import CloudJobsCore

extension Firestore {
  /// A change of one field that the service computes from the field's present value.
  public struct FieldTransform: Equatable, Sendable {
    /// What to compute.
    public enum Operation: Equatable, Sendable {
      /// The time of the request, to the millisecond.
      case requestTime
      /// The sum with a number; integers stop at the ends of 64 bits.
      case increment(Value)
      /// The larger of the present value and a number.
      case maximum(Value)
      /// The smaller of the present value and a number.
      case minimum(Value)
      /// The list with those elements that it lacks.
      case appendMissing([Value])
      /// The list without certain elements.
      case removeAll([Value])
    }

    /// The field.
    public var path: FieldPath
    /// What to compute.
    public var operation: Operation

    /// A change of a field.
    public init(_ path: FieldPath, _ operation: Operation) {
      self.path = path
      self.operation = operation
    }

    /// Refuses operands that can't be computed with or stored.
    func check() throws(ServiceFault) {
      for name in path.segments { try FieldRules.check(name: name) }
      switch operation {
      case .requestTime: break
      case .increment(let operand), .maximum(let operand), .minimum(let operand):
        guard operand.number != nil else {
          throw .invalidArgument("The operand of a numeric transform must be an integer or a double value.")
        }
      case .appendMissing(let elements), .removeAll(let elements):
        for element in elements { try FieldRules.check(element, in: "\(path)", depth: 1, isInArray: true) }
      }
    }

    /// The field's new value and what the answer says of it.
    ///
    /// - Parameters:
    ///   - present: the present value, or nil where there is none.
    ///   - time: the time of the request.
    /// - Returns: both.
    func apply(to present: Value?, at time: Timestamp) -> (value: Value, result: Value) {
      switch operation {
      case .requestTime:
        let microseconds = time.microseconds
        let value = Value.timestamp(
          Timestamp(microseconds: microseconds - microseconds.flooringDivision(by: 1_000).remainder))
        return (value, value)
      case .increment(let operand):
        let value = Self.sum(present, operand)
        return (value, value)
      case .maximum(let operand):
        let value = Self.extreme(present, operand, keepsWhen: .after)
        return (value, value)
      case .minimum(let operand):
        let value = Self.extreme(present, operand, keepsWhen: .before)
        return (value, value)
      case .appendMissing(let elements):
        var list = present?.elements ?? []
        for element in elements where !list.contains(where: { $0.isSame(as: element) }) { list.append(element) }
        return (.array(list), .null)
      case .removeAll(let elements):
        var list = present?.elements ?? []
        list.removeAll { element in elements.contains { $0.isSame(as: element) } }
        return (.array(list), .null)
      }
    }

    private static func sum(_ present: Value?, _ operand: Value) -> Value {
      switch (present, operand) {
      case (.integer(let left)?, .integer(let right)):
        let sum = left.addingReportingOverflow(right)
        return .integer(sum.overflow ? (right < 0 ? .min : .max) : sum.partialValue)
      case (let present?, _):
        guard let left = present.number, let right = operand.number else { return operand }
        return .double(left + right)
      case (nil, _): return operand
      }
    }

    /// The present value where it is the same as the operand or lies on the side to keep; NaN wins over all numbers.
    private static func extreme(_ present: Value?, _ operand: Value, keepsWhen side: Ordering) -> Value {
      guard let present, present.number != nil else { return operand }
      if present.isNaN || operand.isNaN { return .double(.nan) }
      let order = present.order(to: operand)
      return order == .same || order == side ? present : operand
    }
  }
}
