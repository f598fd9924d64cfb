/// One object of an envelope, read member by member, with faults that say where they stand.
struct EnvelopeObject {
  let bytes: [UInt8]
  /// Where the object stands in the envelope, as a dotted path; empty for the body itself.
  let path: String
  private let members: [JSONMember]

  /// Reads the object that a text consists of, or that stands in a part of it.
  init(_ bytes: [UInt8], in range: Range<Int>? = nil, at path: String, limits: JSONLimits) throws(JobError) {
    self.bytes = bytes
    self.path = path
    do {
      members = try JSONParser.parse(bytes, in: range ?? 0..<bytes.count, limits: limits) {
        (parser) throws(JobError) in try parser.members(depth: 0)
      }
    } catch {
      throw error.located(at: path.isEmpty ? "body" : path)
    }
  }

  /// A member's dotted path.
  func place(of name: String) -> String {
    path.isEmpty ? name : "\(path).\(name)"
  }

  /// Where a member's text lies; nil where it is absent or `null`.
  func range(of name: String) -> Range<Int>? {
    guard let range = members.first(where: { $0.key == name })?.range, bytes[range.lowerBound] != UInt8(ascii: "n")
    else { return nil }
    return range
  }

  /// Whether a member is there and is not `null`.
  func has(_ name: String) -> Bool {
    range(of: name) != nil
  }

  /// A member's value, or nil where it is absent or `null`.
  func value(of name: String) throws(JobError) -> JSONValue? {
    guard let range = range(of: name) else { return nil }
    return try JSONParser.parse(bytes, in: range, limits: JSONLimits(bytes: .max, depth: 128)) {
      (parser) throws(JobError) in try parser.value(depth: 0)
    }
  }

  /// A member that must be a string.
  func text(_ name: String) throws(JobError) -> String? {
    guard let range = range(of: name) else { return nil }
    guard bytes[range.lowerBound] == UInt8(ascii: "\""), let text = try value(of: name)?.string else {
      throw wrongKind(name, wanted: "a string")
    }
    return text
  }

  /// A member that must be an integer of a range.
  func integer(_ name: String, in bounds: ClosedRange<Int64>) throws(JobError) -> Int64? {
    guard let range = range(of: name) else { return nil }
    guard range.count <= 64, let number = try value(of: name)?.integer, bounds.contains(number) else {
      throw JobError(
        .invalidField,
        "\(place(of: name)) must be an integer from \(bounds.lowerBound) to \(bounds.upperBound), without quotes.",
        field: place(of: name))
    }
    return number
  }

  /// A member that must be an object.
  func object(_ name: String) throws(JobError) -> EnvelopeObject? {
    guard let range = range(of: name) else { return nil }
    guard bytes[range.lowerBound] == UInt8(ascii: "{") else { throw wrongKind(name, wanted: "an object") }
    return try EnvelopeObject(bytes, in: range, at: place(of: name), limits: JSONLimits(bytes: .max, depth: 128))
  }

  /// The text of the payload as it came, `null` included; nil where the member is absent.
  func payload(limits: EnvelopeLimits) throws(JobError) -> JSONText? {
    guard let range = members.first(where: { $0.key == "payload" })?.range else { return nil }
    guard range.count <= limits.payload.bytes else {
      throw JobError(
        .tooLarge,
        "The payload has \(range.count) bytes; at most \(limits.payload.bytes) are allowed. Send where it is stored.",
        field: place(of: "payload"))
    }
    return JSONText(trusted: Array(bytes[range]))
  }

  /// The names of the members, in their order.
  var names: [String] { members.map(\.key) }

  /// A member whose name is one of the known ones but for case and separators, or a usual other word for them.
  func misspelling(of names: Set<String>) -> String? {
    members.lazy.map(\.key).first { key in
      key.utf8.count <= 24 && names.contains(key.withoutCaseAndSeparators)
    }
  }

  private func wrongKind(_ name: String, wanted: String) -> JobError {
    let place = place(of: name)
    return JobError(.invalidField, "\(place) is \(kind(of: name)); send \(wanted).", field: place)
  }

  private func kind(of name: String) -> String {
    switch range(of: name).map({ bytes[$0.lowerBound] }) {
    case UInt8(ascii: "{"): "an object"
    case UInt8(ascii: "["): "an array"
    case UInt8(ascii: "\""): "a string"
    case UInt8(ascii: "t"), UInt8(ascii: "f"): "a boolean"
    default: "a number"
    }
  }
}
