package import CloudJobsCore

// Typed access by the names of the schema. An absent field reads as its default, or as nil where that differs.

extension Message {
  /// Returns a text.
  package func string(_ name: String) -> String {
    if case .string(let text)? = self[name] { text } else { "" }
  }

  /// Returns a text; nil if it is absent or empty.
  package func text(_ name: String) -> String? {
    let text = string(name)
    return text.isEmpty ? nil : text
  }

  /// Returns bytes.
  package func bytes(_ name: String) -> [UInt8] {
    if case .bytes(let bytes)? = self[name] { bytes } else { [] }
  }

  /// Returns a boolean.
  package func bool(_ name: String) -> Bool {
    if case .bool(let value)? = self[name] { value } else { false }
  }

  /// Returns a signed integer.
  package func int(_ name: String) -> Int {
    if case .int(let value)? = self[name] { Int(value) } else { 0 }
  }

  /// Returns a float.
  package func double(_ name: String) -> Double {
    if case .double(let value)? = self[name] { value } else { 0 }
  }

  /// Returns a message.
  package func message(_ name: String) -> Message? {
    if case .message(let message)? = self[name] { message } else { nil }
  }

  /// Returns the messages of a repeated field.
  package func messages(_ name: String) -> [Message] {
    list(name).compactMap { if case .message(let message) = $0 { message } else { nil } }
  }

  /// Returns the texts of a repeated field or of a field mask.
  package func texts(_ name: String) -> [String] {
    list(name).compactMap { if case .string(let text) = $0 { text } else { nil } }
  }

  /// Returns the values of a repeated field.
  package func list(_ name: String) -> [FieldValue] {
    if case .list(let values)? = self[name] { values } else { [] }
  }

  /// Returns the texts of a map.
  package func strings(_ name: String) -> [String: String] {
    var strings: [String: String] = [:]
    for case (.string(let key), .string(let text)) in map(name) { strings[key] = text }
    return strings
  }

  /// Returns the values of a map.
  package func map(_ name: String) -> [FieldValue: FieldValue] {
    if case .map(let values)? = self[name] { values } else { [:] }
  }

  /// Returns a point in time.
  package func timestamp(_ name: String) -> Timestamp? {
    if case .time(let time)? = self[name] { time.timestamp } else { nil }
  }

  /// Returns a span.
  package func duration(_ name: String) -> Duration? {
    if case .time(let time)? = self[name] { time.duration } else { nil }
  }
}

extension Message {
  /// Returns an empty message for a field.
  ///
  /// - Parameter name: the field, whose values must be messages.
  /// - Returns: the message.
  package func empty(_ name: String) -> Message {
    guard let field = type.index(ofField: name), case .message(let index) = type.fields[field].kind else {
      preconditionFailure("\(type.name) has no field \(name) for messages.")
    }
    return Message(of: index, in: schema)
  }

  /// Sets a message that a closure fills.
  package mutating func set(_ name: String, _ fill: (inout Message) -> Void) {
    var message = empty(name)
    fill(&message)
    self[name] = .message(message)
  }

  /// Sets a repeated field to a message for each value of a sequence.
  package mutating func set<Element>(
    _ name: String, forEach elements: some Sequence<Element>, _ fill: (inout Message, Element) -> Void
  ) {
    let empty = empty(name)
    self[name] = .list(
      elements.map { element in
        var message = empty
        fill(&message, element)
        return .message(message)
      })
  }

  /// Sets a text.
  package mutating func set(_ name: String, _ text: String?) { self[name] = text.map { .string($0) } }

  /// Sets bytes.
  package mutating func set(_ name: String, _ bytes: [UInt8]?) { self[name] = bytes.map { .bytes($0) } }

  /// Sets a boolean.
  package mutating func set(_ name: String, _ value: Bool?) { self[name] = value.map { .bool($0) } }

  /// Sets a signed integer.
  package mutating func set(_ name: String, _ value: Int?) { self[name] = value.map { .int(Int64($0)) } }

  /// Sets a float.
  package mutating func set(_ name: String, _ value: Double?) { self[name] = value.map { .double($0) } }

  /// Sets an enum's value.
  package mutating func set(_ name: String, _ choice: (some RawRepresentable<Int>)?) {
    self[name] = choice.map { .enumeration(Int32($0.rawValue)) }
  }

  /// Sets a point in time.
  package mutating func set(_ name: String, _ time: Timestamp?) { self[name] = time.map { .time(WireTime($0)) } }

  /// Sets a span.
  package mutating func set(_ name: String, _ span: Duration?) { self[name] = span.map { .time(WireTime($0)) } }

  /// Sets the texts of a repeated field or of a field mask.
  package mutating func set(_ name: String, _ texts: [String]?) {
    self[name] = texts.map { .list($0.map { .string($0) }) }
  }

  /// Sets the texts of a map.
  package mutating func set(_ name: String, _ strings: [String: String]) {
    self[name] = .map(
      Dictionary(uniqueKeysWithValues: strings.map { (FieldValue.string($0.key), FieldValue.string($0.value)) }))
  }
}
