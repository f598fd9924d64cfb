extension Firestore {
  /// The full name of a document, a collection or a database's root: `projects/P/databases/D/documents/…`.
  package struct Name: Hashable, Sendable {
    /// The database.
    package let database: DatabaseName
    /// The path within the database.
    package let path: Path

    /// Creates a name from a database and a path.
    package init(_ database: DatabaseName, _ path: Path) {
      self.database = database
      self.path = path
    }

    /// Parses the name of a document.
    ///
    /// - Throws: ``ServiceFault`` `invalidArgument` if the text is not a document name.
    package init(document text: String) throws(ServiceFault) {
      try self.init(parsing: text, label: "Document name", allowsRoot: false)
    }

    /// Parses the name of a document or a database's root, the possible parents of collections.
    ///
    /// - Throws: ``ServiceFault`` `invalidArgument` if the text is neither.
    package init(parent text: String) throws(ServiceFault) {
      try self.init(parsing: text, label: "Document parent name", allowsRoot: true)
    }

    /// Returns the child with an ID.
    package func child(_ id: String) -> Name { Name(database, path.child(id)) }

    /// Compares two names.
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

    /// Validates an ID: 1 to 1,500 bytes, no slash, neither `.` nor `..`, and not of the form `__…__`.
    ///
    /// Source: <https://firebase.google.com/docs/firestore/quotas#collections_documents_and_fields>.
    ///
    /// - Throws: ``ServiceFault`` `invalidArgument`.
    package static func check(id: String, isCollection: Bool) throws(ServiceFault) {
      let label = isCollection ? "Collection id" : "Resource id"
      func refusal(_ reason: String) -> ServiceFault {
        .invalidArgument("\(label) \"\(id)\" is invalid because it \(reason).")
      }
      guard !id.isEmpty else { throw refusal("is empty") }
      guard id.utf8.count <= FieldRules.maximumNameSize else {
        throw .invalidArgument(
          "The key path element \(isCollection ? "kind" : "name") is longer than \(FieldRules.maximumNameSize) bytes.")
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
  package var description: String {
    path.segments.isEmpty ? "\(database)/documents" : "\(database)/documents/\(path)"
  }
}

extension Firestore.Name: Codable {
  /// Decodes a name from text.
  package init(from decoder: any Decoder) throws { try self.init(parent: String(from: decoder)) }

  /// Encodes the full name as text.
  package func encode(to encoder: any Encoder) throws { try description.encode(to: encoder) }
}

extension Firestore {
  /// The name of a database: `projects/P/databases/D`; a project's first database is `(default)`.
  package struct DatabaseName: Hashable, Sendable, Codable {
    /// The project ID.
    package let project: String
    /// The database ID.
    package let database: String

    /// Creates the name of a database.
    package init(project: String, database: String = "(default)") {
      self.project = project
      self.database = database
    }

    /// Compares two names.
    func order(to other: DatabaseName) -> Ordering {
      let order = Ordering.ofTexts(project, other.project)
      return order == .same ? Ordering.ofTexts(database, other.database) : order
    }
  }
}

extension Firestore.DatabaseName: CustomStringConvertible {
  /// The full name.
  package var description: String { "projects/\(project)/databases/\(database)" }
}

extension Firestore {
  /// The path of a collection or document within a database: alternating collection and document IDs.
  ///
  /// Paths are ordered like references: ID by ID, numeric IDs (`__id7__`) first and by number, others by their UTF-8
  /// bytes, and descendants after their ancestors.
  package struct Path: Sendable, Codable {
    /// The IDs: collections at even indices, documents at odd ones.
    package let segments: [String]

    /// The root, the parent of top-level collections.
    package static let root = Path([])

    /// Creates a path from validated IDs.
    package init(_ segments: [String]) {
      self.segments = segments
    }

    /// Whether the path is that of a document.
    package var isDocument: Bool { !segments.isEmpty && segments.count.isMultiple(of: 2) }

    /// The last ID; empty for the root.
    package var id: String { segments.last ?? "" }

    /// The parent.
    package var parent: Path { Path(Array(segments.dropLast())) }

    /// Returns the child with an ID.
    package func child(_ id: String) -> Path { Path(segments + [id]) }

    /// The ID of a document's collection.
    var collectionID: String { segments.count < 2 ? "" : segments[segments.count - 2] }

    /// Returns whether the path is a descendant of another, at any depth.
    func isBelow(_ ancestor: Path) -> Bool {
      segments.count > ancestor.segments.count && order(within: ancestor) == .same
    }

    /// Compares the path's leading IDs, as many as a prefix has, with the prefix.
    func order(within prefix: Path) -> Ordering {
      for (left, right) in zip(segments, prefix.segments) {
        let order = Self.order(left, right)
        if order != .same { return order }
      }
      return segments.count < prefix.segments.count ? .before : .same
    }

    /// Compares two paths.
    func order(to other: Path) -> Ordering {
      let order = order(within: other)
      return order == .same ? Ordering(segments.count, other.segments.count) : order
    }

    private static func order(_ left: String, _ right: String) -> Ordering {
      switch (number(left), number(right)) {
      case (nil, nil): return Ordering.ofTexts(left, right)
      case (nil, _): return .after
      case (_, nil): return .before
      case (let left?, let right?): return Ordering(left, right)
      }
    }

    /// Returns the number of a numeric ID, as imported from Datastore.
    static func number(_ id: String) -> Int64? {
      guard id.utf8.first == UInt8(ascii: "_"), id.hasPrefix("__id"), id.hasSuffix("__"), id.utf8.count > 6 else {
        return nil
      }
      return Int64(id.dropFirst(4).dropLast(2))
    }
  }
}

extension Firestore.Path: Comparable {
  /// Returns whether two paths have the same IDs, byte by byte.
  package static func == (left: Self, right: Self) -> Bool {
    left.segments.count == right.segments.count
      && zip(left.segments, right.segments).allSatisfy { $0 == $1 && Ordering.ofTexts($0, $1) == .same }
  }

  /// Orders paths like references.
  package static func < (left: Self, right: Self) -> Bool {
    left.order(to: right) == .before
  }
}

extension Firestore.Path: Hashable {
  /// Hashes the IDs' bytes.
  package func hash(into hasher: inout Hasher) {
    for segment in segments {
      var text = segment
      text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
      hasher.combine(UInt8.max)
    }
  }
}

extension Firestore.Path: CustomStringConvertible {
  /// The IDs, separated by slashes.
  package var description: String { segments.joined(separator: "/") }
}
