import CloudJobsEmulator

/// Reads a schema's text, by lines.
///
/// ```text
/// enum example.v1.Color
///   COLOR_UNSPECIFIED 0
/// message example.v1.Shape
///   name 1 string
///   optional height 2 double
///   repeated tags 3 string
///   map colors 4 string example.v1.Color
///   circle 5 example.v1.Circle in kind
/// service example.v1.Shapes
///   GetShape example.v1.GetShapeRequest example.v1.Shape
///     GET /v1/{name=shapes/*}
/// ```
///
/// `optional` is for an absent value that differs from the default; `in kind` names the group of which one field may be
/// set, and `unpacked` before a type says that each value has a tag of its own. A method can end in `streams-request`
/// and `streams-response`. Its bindings to HTTP have the field that is the body at their end, or `*` for all. A section
/// that comes again adds to the first one, and so does a method.
struct SchemaParser {
  private struct Draft {
    var name: String
    var lines: [[Substring]] = []
  }

  private var messages = [Draft(name: TypeNames.empty)]
  private var enums: [Draft] = []
  private var services: [Draft] = []

  /// Reads a part.
  mutating func read(_ text: String) throws(SchemaError) {
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard line.hasPrefix(" ") else {
        try begin(words, line)
        continue
      }
      guard words.count >= 2 else { throw SchemaError(description: "not understood: \(line)") }
      switch section {
      case "message": messages[messages.count - 1].lines.append(words)
      case "enum": enums[enums.count - 1].lines.append(words)
      case "service": services[services.count - 1].lines.append(words)
      default: throw SchemaError(description: "a line before the first section: \(line)")
      }
    }
  }

  private var section: Substring = ""

  private mutating func begin(_ words: [Substring], _ line: Substring) throws(SchemaError) {
    guard words.count == 2 else { throw SchemaError(description: "not understood: \(line)") }
    section = words[0]
    let draft = Draft(name: String(words[1]))
    switch section {
    case "message": Self.open(draft, in: &messages)
    case "enum": Self.open(draft, in: &enums)
    case "service": Self.open(draft, in: &services)
    default: throw SchemaError(description: "not understood: \(line)")
    }
  }

  /// Adds a section, or moves the one of that name to the end.
  private static func open(_ draft: Draft, in drafts: inout [Draft]) {
    let earlier = drafts.firstIndex { $0.name == draft.name }.map { drafts.remove(at: $0) }
    drafts.append(earlier ?? draft)
  }

  /// Returns what was read.
  func finish() throws(SchemaError) -> (messages: [MessageType], enums: [EnumType], services: [ServiceType]) {
    let names = Names(messages: Self.indexes(messages), enums: Self.indexes(enums))
    var messageTypes: [MessageType] = []
    for draft in messages { messageTypes.append(try names.message(draft.name, draft.lines)) }
    var enumTypes: [EnumType] = []
    for draft in enums {
      var values: [(name: String, number: Int32)] = []
      for words in draft.lines {
        guard let number = Int32(words[1]) else { throw Names.fault(draft.name, words) }
        values.append((String(words[0]), number))
      }
      enumTypes.append(EnumType(name: draft.name, values: values))
    }
    var serviceTypes: [ServiceType] = []
    for draft in services { serviceTypes.append(try names.service(draft.name, draft.lines, messageTypes)) }
    return (messageTypes, enumTypes, serviceTypes)
  }

  private static func indexes(_ drafts: [Draft]) -> [String: Int] {
    Dictionary(uniqueKeysWithValues: drafts.enumerated().map { ($1.name, $0) })
  }

  /// The names of all types, by which lines are read.
  private struct Names {
    var messages: [String: Int]
    var enums: [String: Int]

    static func fault(_ place: String, _ words: [Substring]) -> SchemaError {
      SchemaError(description: "not understood in \(place): \(words.joined(separator: " "))")
    }

    func message(_ name: String, _ lines: [[Substring]]) throws(SchemaError) -> MessageType {
      var fields: [Field] = []
      var oneofs: [String] = []
      for words in lines {
        guard let field = field(words, &oneofs) else { throw Self.fault(name, words) }
        fields.append(field)
      }
      return MessageType(name: name, fields: fields.sorted { $0.number < $1.number }, oneofs: oneofs)
    }

    private func field(_ line: [Substring], _ oneofs: inout [String]) -> Field? {
      var words = line[...]
      var oneof: Int?
      if words.count > 2, words[words.endIndex - 2] == "in" {
        let group = String(words.removeLast())
        words.removeLast()
        oneof = oneofs.firstIndex(of: group) ?? oneofs.count
        if oneof == oneofs.count { oneofs.append(group) }
      }
      var cardinality = Cardinality.implicit
      switch words.first {
      case "optional": cardinality = .optional
      case "repeated": cardinality = .repeated
      case "map": cardinality = .map(key: .string)
      default: break
      }
      if cardinality != .implicit { words.removeFirst() }
      if case .map = cardinality {
        guard words.count == 4, let key = ScalarKind(rawValue: String(words[words.startIndex + 2])) else { return nil }
        cardinality = .map(key: key)
        words.remove(at: words.startIndex + 2)
      }
      let isUnpacked = words.count == 4 && words[words.startIndex + 2] == "unpacked"
      if isUnpacked { words.remove(at: words.startIndex + 2) }
      guard words.count == 3, let name = words.first.map(String.init), let number = Int(words[words.startIndex + 1]),
        let kind = words.last.flatMap({ kind(String($0)) })
      else { return nil }
      return Field(
        name: name, jsonName: FieldName.camelCase(name), number: number, cardinality: cardinality, kind: kind,
        oneof: oneof,
        packing: isUnpacked ? nil : kind.packable)
    }

    private func kind(_ type: String) -> FieldKind? {
      if let scalar = ScalarKind(rawValue: type) { return .scalar(scalar) }
      if let index = messages[type] { return .message(index) }
      if let index = enums[type] { return .enumeration(index) }
      guard type.hasPrefix(TypeNames.builtIn) else { return nil }
      let name = String(type.dropFirst(TypeNames.builtIn.count))
      if name == "NullValue" { return .null }
      if let kind = WellKnownKind(rawValue: name) { return .wellKnown(kind) }
      guard name.hasSuffix("Value") else { return nil }
      return ScalarKind(rawValue: name.dropLast(5).lowercased()).map { .wrapper($0) }
    }

    func service(_ name: String, _ lines: [[Substring]], _ types: [MessageType]) throws(SchemaError) -> ServiceType {
      var service = ServiceType(name: name)
      for words in lines {
        if words[1].hasPrefix("/") {
          guard let last = service.methods.indices.last,
            let binding = HTTPBinding(words.map(String.init), types[service.methods[last].request])
          else { throw Self.fault(name, words) }
          service.methods[last].bindings.append(binding)
        } else if let earlier = service.methods.firstIndex(where: { $0.name == words[0] }) {
          service.methods.append(service.methods.remove(at: earlier))
        } else {
          guard words.count >= 3, let request = messages[String(words[1])], let response = messages[String(words[2])]
          else { throw Self.fault(name, words) }
          service.methods.append(
            Method(
              name: String(words[0]), request: request, response: response,
              streamsRequest: words.contains("streams-request"), streamsResponse: words.contains("streams-response")))
        }
      }
      return service
    }
  }
}

extension HTTPBinding {
  /// A binding from the words of its line; nil if they are none.
  fileprivate init?(_ words: [String], _ request: MessageType) {
    guard let path = PathTemplate(words[1]) else { return nil }
    (verb, self.path) = (words[0], path)
    switch words.count > 2 ? words[2] : nil {
    case nil: body = .none
    case "*": body = .all
    case let name?:
      guard let index = request.index(ofField: name) else { return nil }
      body = .field(index)
    }
  }
}
