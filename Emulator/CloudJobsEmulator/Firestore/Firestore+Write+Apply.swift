import CloudJobsCore

extension Firestore.Write {
  /// The most transforms of one document in a commit.
  static let transformLimit = 500

  /// Refuses what no state of the document would allow.
  func check() throws(ServiceFault) {
    if case .update(let fields, let mask) = operation {
      for path in mask ?? [] {
        for name in path.segments { try FieldRules.check(name: name) }
      }
      try FieldRules.check(fields)
    }
    guard transforms.count <= Self.transformLimit else {
      throw .invalidArgument("Cannot have more than \(Self.transformLimit) field transforms in a single document.")
    }
    for (index, transform) in transforms.enumerated() {
      try transform.check()
      for other in transforms[..<index] where other.path != transform.path {
        guard !transform.path.isAtOrBelow(other.path), !other.path.isAtOrBelow(transform.path) else {
          let outer = transform.path.isAtOrBelow(other.path) ? other.path : transform.path
          throw .invalidArgument("Cannot transform property \(outer) and its nested property at the same time.")
        }
      }
    }
    if operation == .transform, transforms.isEmpty {
      throw .invalidArgument("A document transform must have at least one field transform.")
    }
  }

  /// The document after this write, and what the write came to.
  ///
  /// - Parameters:
  ///   - present: the document before it, or nil where it is missing.
  ///   - time: when the write takes effect.
  /// - Returns: both.
  /// - Throws: ``ServiceFault`` for a precondition that is not met, or a document that would be too large.
  func apply(
    to present: Firestore.Document?, at time: Timestamp
  ) throws(ServiceFault) -> (document: Firestore.Document?, result: Firestore.WriteResult) {
    try precondition?.check(name, present)
    var document =
      present ?? Firestore.Document(name: name, fields: [:], createTime: time, updateTime: time)
    var result = Firestore.WriteResult()
    switch operation {
    case .delete: return (nil, result)
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
