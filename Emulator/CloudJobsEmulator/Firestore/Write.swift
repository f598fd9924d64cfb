package import CloudJobsCore

extension Firestore {
  /// A write to one document.
  package struct Write: Equatable, Sendable {
    /// The operation of a write.
    package enum Operation: Equatable, Sendable {
      /// Set the fields: all without a mask, or those named by the mask; named fields without a value are deleted.
      case update(fields: [String: Value], mask: [FieldPath]?)
      /// Apply only the transforms.
      case transform
      /// Delete the document.
      case delete
      /// Only check the precondition.
      case verify
    }

    /// The document.
    package var name: Name
    /// The operation.
    package var operation: Operation
    /// Field transforms applied after the operation.
    package var transforms: [FieldTransform]
    /// The precondition.
    package var precondition: Precondition?

    /// Creates a write.
    package init(
      _ name: Name, _ operation: Operation, transforms: [FieldTransform] = [], precondition: Precondition? = nil
    ) {
      self.name = name
      self.operation = operation
      self.transforms = transforms
      self.precondition = precondition
    }

    /// Whether the write is a deletion.
    var isDeletion: Bool { operation == .delete }
  }

  /// A precondition of a write.
  package enum Precondition: Hashable, Sendable {
    /// The document exists, or does not exist.
    case exists(Bool)
    /// The document exists and has an update time.
    case updateTime(Timestamp)

    /// Validates the precondition.
    ///
    /// - Parameters:
    ///   - name: the name of the document.
    ///   - document: the document, or nil if it is missing.
    ///   - now: the time of the commit.
    /// - Throws: ``ServiceFault`` `alreadyExists`, `notFound` or `failedPrecondition`, or `invalidArgument` for a time
    ///   in the future.
    func check(_ name: Name, _ document: Document?, at now: Timestamp) throws(ServiceFault) {
      switch (self, document) {
      case (.updateTime(let required), _) where required > now:
        throw .invalidArgument("The precondition's update_time is in the future.")
      case (.exists(true), nil), (.updateTime, nil): throw ServiceFault(.notFound, "No document to update: \(name)")
      case (.exists(false), _?): throw ServiceFault(.alreadyExists, "Document already exists: \(name)")
      case (.updateTime(let required), let document?) where document.updateTime != required:
        throw ServiceFault(
          .failedPrecondition,
          "the stored version (\(document.updateTime.microseconds)) does not match the required base version "
            + "(\(required.microseconds))")
      default: break
      }
    }
  }
}

extension Firestore.Write {
  /// Maximum number of transforms of one document in a commit.
  static let transformLimit = 500

  /// Validates the write independently of the document's state.
  func check() throws(ServiceFault) {
    if case .update(let fields, let mask) = operation {
      for path in mask ?? [] {
        try path.check()
      }
      try FieldRules.check(fields)
    }
    let paths = Set(transforms.map(\.path.segments))
    for transform in transforms {
      try transform.check()
      let segments = transform.path.segments
      for count in 1..<max(1, segments.count) where paths.contains(Array(segments.prefix(count))) {
        let outer = Firestore.FieldPath(Array(segments.prefix(count)))
        throw .invalidArgument("Cannot transform property \(outer) and its nested property at the same time.")
      }
    }
    if operation == .transform, transforms.isEmpty {
      throw .invalidArgument("A document transform must have at least one field transform.")
    }
  }

  /// Applies the write to a document.
  ///
  /// - Parameters:
  ///   - present: the current document, or nil if it is missing.
  ///   - time: the commit time.
  /// - Returns: the new document, nil after a deletion, and the result of the write.
  /// - Throws: ``ServiceFault`` for a failed precondition or a document that would be too large.
  func apply(
    to present: Firestore.Document?, at time: Timestamp
  ) throws(ServiceFault) -> (document: Firestore.Document?, result: Firestore.WriteResult) {
    try precondition?.check(name, present, at: time)
    var document =
      present ?? Firestore.Document(name: name, fields: [:], createTime: time, updateTime: time)
    var result = Firestore.WriteResult()
    switch operation {
    case .delete: return (nil, result)
    case .verify: return (present, result)
    case .transform: break
    case .update(let fields, nil): document.fields = fields
    case .update(let fields, let mask?):
      for path in mask {
        let segments = path.segments[...]
        if let value = fields[segments] {
          document.fields.set(value, at: segments)
        } else {
          document.fields.remove(at: segments)
        }
      }
    }
    for transform in transforms {
      let (value, answer) = transform.apply(to: document.fields[transform.path.segments[...]], at: time)
      document.fields.set(value, at: transform.path.segments[...])
      result.transformResults.append(answer)
    }
    if document.fields != present?.fields { document.updateTime = time }
    result.updateTime = document.updateTime
    if present?.updateTime != document.updateTime {
      if transforms.contains(where: { $0.path.segments.count > 1 }) { try FieldRules.check(document.fields) }
      try FieldRules.check(size: document)
    }
    return (document, result)
  }
}

extension Firestore {
  /// A change of a field computed by the service from its current value.
  package struct FieldTransform: Equatable, Sendable {
    /// The transform operation.
    package enum Operation: Equatable, Sendable {
      /// The time of the request, in whole milliseconds.
      case requestTime
      /// The sum with a number; integer sums saturate at 64 bits.
      case increment(Value)
      /// The maximum of the current value and a number.
      case maximum(Value)
      /// The minimum of the current value and a number.
      case minimum(Value)
      /// The array with missing elements appended.
      case appendMissing([Value])
      /// The array without the given elements.
      case removeAll([Value])
    }

    /// The field.
    package var path: FieldPath
    /// The transform operation.
    package var operation: Operation

    /// Creates a field transform.
    package init(_ path: FieldPath, _ operation: Operation) {
      self.path = path
      self.operation = operation
    }

    /// Validates the field and operands.
    func check() throws(ServiceFault) {
      try path.check()
      switch operation {
      case .requestTime: break
      case .increment(let operand), .maximum(let operand), .minimum(let operand):
        guard operand.number != nil else {
          throw .invalidArgument("The operand of a numeric transform must be an integer or a double value.")
        }
      case .appendMissing(let elements), .removeAll(let elements):
        for element in elements { try FieldRules.check(element, at: path.segments, depth: 1, isInArray: true) }
      }
    }

    /// Computes the field's new value.
    ///
    /// - Parameters:
    ///   - present: the current value, or nil if there is none.
    ///   - time: the time of the request.
    /// - Returns: the new value and the value in the response.
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
        var members = Set(list.map { ComparableValue($0) })
        for element in elements where members.insert(ComparableValue(element)).inserted { list.append(element) }
        return (.array(list), .null)
      case .removeAll(let elements):
        var list = present?.elements ?? []
        let unwanted = Set(elements.map { ComparableValue($0) })
        list.removeAll { unwanted.contains(ComparableValue($0)) }
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

    /// Returns the current value if it equals the operand or lies on the side to keep; NaN takes precedence.
    private static func extreme(_ present: Value?, _ operand: Value, keepsWhen side: Ordering) -> Value {
      guard let present, present.number != nil else { return operand }
      if present.isNaN || operand.isNaN { return .double(.nan) }
      let order = present.order(to: operand)
      return order == .same || order == side ? present : operand
    }
  }

  /// The result of a write.
  package struct WriteResult: Equatable, Sendable {
    /// The document's update time: an earlier time if the write changed nothing, nil for a deletion.
    package var updateTime: Timestamp?
    /// The result of each transform; null for array transforms.
    package var transformResults: [Value] = []
  }

  /// The result of a commit.
  package struct CommitResult: Equatable, Sendable {
    /// The commit time.
    package var commitTime: Timestamp
    /// The result of each write.
    package var writeResults: [WriteResult]
  }

  /// The result or error of one write of a batch.
  package typealias BatchResult = Result<WriteResult, ServiceFault>
}
