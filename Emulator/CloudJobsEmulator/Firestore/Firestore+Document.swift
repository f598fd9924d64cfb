public import CloudJobsCore

extension Firestore {
  /// A document: named values under a name, with the times of its first and its latest change.
  public struct Document: Equatable, Sendable, Codable {
    /// The name.
    public var name: Name
    /// The fields.
    public var fields: [String: Value]
    /// When it came to be; after a deletion it comes to be anew.
    public var createTime: Timestamp
    /// When its fields last changed; a write that changes nothing leaves it.
    public var updateTime: Timestamp

    /// A document.
    public init(name: Name, fields: [String: Value], createTime: Timestamp, updateTime: Timestamp) {
      self.name = name
      self.fields = fields
      self.createTime = createTime
      self.updateTime = updateTime
    }

    /// The value at a path; the document's own name for `__name__`; nil where there is none.
    public subscript(path: FieldPath) -> Value? {
      path.isDocumentName ? .reference(name) : fields[path.segments[...]]
    }

    /// The document with those fields alone that a mask names; all of them for nil.
    func masked(by mask: [FieldPath]?) -> Document {
      guard let mask else { return self }
      var result = self
      result.fields = [:]
      for path in mask where !path.isDocumentName {
        if let value = fields[path.segments[...]] { result.fields.set(value, at: path.segments[...]) }
      }
      return result
    }
  }
}
