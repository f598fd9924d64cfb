extension Firestore {
  /// The path of a field in a document: the names of the enclosing maps, outermost first, and its own.
  ///
  /// The text form separates names by dots. A name that is not a simple identifier is enclosed in backquotes, where a
  /// backslash escapes a backquote or a backslash.
  package struct FieldPath: Hashable, Sendable, Codable {
    /// The names.
    package let segments: [String]

    /// The path that denotes the document's name in orders, filters and projections.
    package static let documentName = FieldPath(["__name__"])

    /// Creates a path from names.
    package init(_ segments: [String]) {
      self.segments = segments
    }

    /// Parses a path.
    ///
    /// - Throws: ``ServiceFault`` `invalidArgument` for invalid text.
    package init(parsing text: String) throws(ServiceFault) {
      let refusal = ServiceFault.invalidArgument(
        "Invalid property path \"\(text)\". Unquoted property paths must match regex ([a-zA-Z_][a-zA-Z_0-9]*), "
          + "and quoted property paths must match regex (`(?:[^`\\\\]|(?:\\\\.))+`)")
      guard !text.isEmpty else { throw .invalidArgument("Invalid empty property path string.") }
      var names: [String] = []
      var rest = Array(text.unicodeScalars)[...]
      while true {
        guard let name = Self.takeName(&rest) else { throw refusal }
        names.append(name)
        guard let next = rest.popFirst() else { break }
        guard next == "." else { throw refusal }
      }
      guard text.utf8.count < FieldRules.maximumNameSize else {
        throw .invalidArgument("property path is longer than \(FieldRules.maximumNameSize) bytes.")
      }
      segments = names
    }

    /// Whether the path denotes the document's name.
    package var isDocumentName: Bool { self == .documentName }

    /// Returns whether a name is reserved: `__…__`.
    static func isReserved(_ name: String) -> Bool {
      name.utf8.count >= 4 && name.hasPrefix("__") && name.hasSuffix("__")
    }

    /// Validates the path of a field to write.
    ///
    /// - Throws: ``ServiceFault`` `invalidArgument` if one of its names is empty, too long or reserved.
    func check() throws(ServiceFault) {
      for name in segments where Self.isReserved(name) {
        throw .invalidArgument("Invalid reserved name in field path \(self)")
      }
      for name in segments { try FieldRules.check(name: name) }
    }

    /// Returns whether the path equals another or lies within the map at it.
    func isAtOrBelow(_ other: FieldPath) -> Bool { segments.starts(with: other.segments) }

    private static func takeName(_ rest: inout ArraySlice<Unicode.Scalar>) -> String? {
      var name = String.UnicodeScalarView()
      guard rest.first == "`" else {
        while let scalar = rest.first, isWord(scalar, isFirst: name.isEmpty) { name.append(rest.removeFirst()) }
        return name.isEmpty ? nil : String(name)
      }
      rest.removeFirst()
      while let scalar = rest.popFirst() {
        if scalar == "`" { return name.isEmpty ? nil : String(name) }
        if scalar != "\\" {
          name.append(scalar)
        } else if let escaped = rest.popFirst() {
          name.append(escaped)
        }
      }
      return nil
    }

    private static func isWord(_ scalar: Unicode.Scalar, isFirst: Bool) -> Bool {
      switch scalar {
      case "a"..."z", "A"..."Z", "_": true
      case "0"..."9": !isFirst
      default: false
      }
    }
  }
}

extension Firestore.FieldPath: CustomStringConvertible {
  /// The text form, with backquotes only where needed.
  package var description: String {
    segments.map { name in
      let isSimple = name.unicodeScalars.enumerated().allSatisfy { Self.isWord($1, isFirst: $0 == 0) }
      if isSimple, !name.isEmpty { return name }
      var quoted = "`"
      for scalar in name.unicodeScalars {
        if scalar == "`" || scalar == "\\" { quoted += "\\" }
        quoted.unicodeScalars.append(scalar)
      }
      return quoted + "`"
    }.joined(separator: ".")
  }
}

extension Dictionary where Key == String, Value == Firestore.Value {
  /// The value at a path through nested maps, or nil if there is none.
  subscript(path: ArraySlice<String>) -> Firestore.Value? {
    guard let name = path.first, let value = self[name] else { return nil }
    if path.count == 1 { return value }
    guard case .map(let inner) = value else { return nil }
    return inner[path.dropFirst()]
  }

  /// Sets the value at a path; missing maps on the way are created, and other values are replaced by maps.
  mutating func set(_ value: Firestore.Value, at path: ArraySlice<String>) {
    guard let name = path.first else { return }
    guard path.count > 1 else {
      self[name] = value
      return
    }
    var inner: [String: Firestore.Value] = [:]
    // Taken out, so that it is changed in place and not copied for each of its fields.
    if case .map(let present)? = removeValue(forKey: name) { inner = present }
    inner.set(value, at: path.dropFirst())
    self[name] = .map(inner)
  }

  /// Removes the value at a path; maps on the way are kept even if they become empty.
  mutating func remove(at path: ArraySlice<String>) {
    guard let name = path.first else { return }
    guard path.count > 1 else {
      self[name] = nil
      return
    }
    guard case .map? = self[name] else { return }
    var inner: [String: Firestore.Value] = [:]
    if case .map(let present)? = removeValue(forKey: name) { inner = present }
    inner.remove(at: path.dropFirst())
    self[name] = .map(inner)
  }
}
