package import CloudJobsCore

extension Firestore {
  /// A document: a name, fields, and the times of its creation and latest change.
  package struct Document: Equatable, Sendable, Codable {
    /// The name.
    package var name: Name
    /// The fields.
    package var fields: [String: Value]
    /// The creation time; a document recreated after a deletion has a new one.
    package var createTime: Timestamp
    /// The time of the latest change of the fields; a write without changes keeps it.
    package var updateTime: Timestamp

    /// Creates a document.
    package init(name: Name, fields: [String: Value], createTime: Timestamp, updateTime: Timestamp) {
      self.name = name
      self.fields = fields
      self.createTime = createTime
      self.updateTime = updateTime
    }

    /// The value at a path, or nil if there is none; `__name__` gives the document's name.
    package subscript(path: FieldPath) -> Value? {
      path.isDocumentName ? .reference(name) : fields[path.segments[...]]
    }

    /// Returns the document with only the fields named by a mask; nil keeps all.
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
