extension Firestore {
  /// Where a field lies in a document: the names of maps from the outside to the inside, and its own.
  ///
  /// As text the names stand with dots between them; a name that is no simple identifier stands in backquotes, in which
  /// a backslash escapes a backquote or a backslash.
  public struct FieldPath: Hashable, Sendable, Codable {
    /// The names.
    public let segments: [String]

    /// What stands for a document's own name in orders, filters and projections.
    public static let documentName = FieldPath(["__name__"])

    /// A path of names.
    public init(_ segments: [String]) {
      self.segments = segments
    }

    /// A path from its text.
    ///
    /// - Throws: ``ServiceFault`` `invalidArgument` for text that is no path.
    public init(parsing text: String) throws(ServiceFault) {
      let refusal = ServiceFault.invalidArgument(
        "Invalid property path \"\(text)\". Unquoted property names must match regex ([a-zA-Z_][a-zA-Z_0-9]*), "
          + "and quoted property names must match regex (`(?:[^`\\\\]|(?:\\\\.))+`)")
      var names: [String] = []
      var rest = Array(text.unicodeScalars)[...]
      while true {
        guard let name = Self.takeName(&rest) else { throw refusal }
        names.append(name)
        guard let next = rest.popFirst() else { break }
        guard next == "." else { throw refusal }
      }
      guard text.utf8.count <= 1_500 else {
        throw .invalidArgument("The property path is longer than 1500 bytes.")
      }
      segments = names
    }

    /// Whether this stands for the document's own name.
    public var isDocumentName: Bool { self == .documentName }

    /// Whether a name is kept for the service: `__…__`.
    static func isReserved(_ name: String) -> Bool {
      name.utf8.count >= 4 && name.hasPrefix("__") && name.hasSuffix("__")
    }

    /// Whether this lies inside a map at another path, or is that path.
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
  /// The text, names in backquotes only where they need them.
  public var description: String {
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
