extension Firestore {
  /// The full name of a document, of a collection, or of a database's root: `projects/P/databases/D/documents/…`.
  public struct Name: Hashable, Sendable {
    /// The database.
    public let database: DatabaseName
    /// Where it lies in the database.
    public let path: Path

    /// What lies at a path of a database.
    public init(_ database: DatabaseName, _ path: Path) {
      self.database = database
      self.path = path
    }

    /// The name of a document from its text.
    ///
    /// - Throws: ``ServiceFault`` `invalidArgument` for text that names no document.
    public init(document text: String) throws(ServiceFault) {
      try self.init(parsing: text, label: "Document name", allowsRoot: false)
    }

    /// The name of a document or of a database's root, below which collections lie, from its text.
    ///
    /// - Throws: ``ServiceFault`` `invalidArgument` for text that names neither.
    public init(parent text: String) throws(ServiceFault) {
      try self.init(parsing: text, label: "Document parent name", allowsRoot: true)
    }

    /// What lies directly below, under an id.
    public func child(_ id: String) -> Name { Name(database, path.child(id)) }

    /// How this name stands to another.
    func order(to other: Name) -> Ordering {
      let order = database.order(to: other.database)
      return order == .same ? path.order(to: other.path) : order
    }

    private init(parsing text: String, label: String, allowsRoot: Bool) throws(ServiceFault) {
      let parts = text.split(separator: "/", omittingEmptySubsequences: false)
      func refusal(_ what: String, at part: Int) -> ServiceFault {
        let offset = parts.prefix(part).reduce(0) { $0 + $1.utf8.count + 1 }
        return .invalidArgument("\(label) \"\(text)\" \(what) at index \(min(offset, text.utf8.count)).")
      }
      for (place, word) in [(0, "projects"), (2, "databases"), (4, "documents")] {
        guard parts.count > place, parts[place] == word else { throw refusal("lacks \"\(word)\"", at: place) }
        guard place == 4 || (parts.count > place + 1 && !parts[place + 1].isEmpty) else {
          throw refusal("lacks a resource id", at: place + 1)
        }
      }
      database = DatabaseName(project: String(parts[1]), database: String(parts[3]))
      path = Path(parts.dropFirst(5).map { String($0) })
      for (index, id) in path.segments.enumerated() {
        guard !id.isEmpty else { throw refusal("lacks a resource id", at: index + 5) }
        guard id != ".", id != ".." else { throw refusal("contains a resource id \"\(id)\"", at: index + 5) }
        try Self.check(id: id, isCollection: index.isMultiple(of: 2))
      }
      guard path.isDocument || (allowsRoot && path.segments.isEmpty) else {
        throw refusal("lacks \"/\"", at: parts.count)
      }
    }

    /// Checks an id: 1 to 1,500 bytes, no slash, neither `.` nor `..`, and not of the form `__…__`.
    ///
    /// Source: <https://firebase.google.com/docs/firestore/quotas#collections_documents_and_fields>.
    ///
    /// - Throws: ``ServiceFault`` `invalidArgument`.
    public static func check(id: String, isCollection: Bool) throws(ServiceFault) {
      let label = isCollection ? "Collection id" : "Resource id"
      func refusal(_ reason: String) -> ServiceFault {
        .invalidArgument("\(label) \"\(id)\" is invalid because it \(reason).")
      }
      guard !id.isEmpty else { throw refusal("is empty") }
      guard id.utf8.count <= 1_500 else {
        throw .invalidArgument("\(label) is invalid because it is longer than 1500 bytes.")
      }
      guard !id.utf8.contains(UInt8(ascii: "/")) else { throw refusal("contains \"/\"") }
      guard id != ".", id != ".." else { throw refusal("is \"\(id)\"") }
      guard !FieldPath.isReserved(id) || (!isCollection && Path.number(id) != nil) else {
        throw refusal("is reserved")
      }
    }
  }
}

extension Firestore.Name: CustomStringConvertible {
  /// The full name.
  public var description: String {
    path.segments.isEmpty ? "\(database)/documents" : "\(database)/documents/\(path)"
  }
}

extension Firestore.Name: Codable {
  /// The name of a text.
  public init(from decoder: any Decoder) throws { try self.init(parent: String(from: decoder)) }

  /// The whole name as a text.
  public func encode(to encoder: any Encoder) throws { try description.encode(to: encoder) }
}
