/// An object of an envelope, read by member; each error names the member's path.
struct EnvelopeObject {
  let bytes: [UInt8]
  /// The object's dotted path in the envelope; empty for the body itself.
  let path: String
  private let members: [JSONMember]

  /// Creates a reader for the object in text, or in a part of it.
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

  /// Returns a member's dotted path.
  func place(of name: String) -> String {
    path.isEmpty ? name : "\(path).\(name)"
  }

  /// Returns the position of a member's text; nil if the member is absent or `null`.
  func range(of name: String) -> Range<Int>? {
    guard let range = members.first(where: { $0.key == name })?.range, bytes[range.lowerBound] != UInt8(ascii: "n")
    else { return nil }
    return range
  }

  /// Returns whether a member is present and not `null`.
  func has(_ name: String) -> Bool {
    range(of: name) != nil
  }

  /// Returns a member's value, or nil if it is absent or `null`.
  func value(of name: String) throws(JobError) -> JSONValue? {
    guard let range = range(of: name) else { return nil }
    return try JSONParser.parse(bytes, in: range, limits: JSONLimits(bytes: .max, depth: 128)) {
      (parser) throws(JobError) in try parser.value(depth: 0)
    }
  }

  /// Returns a string member.
  func text(_ name: String) throws(JobError) -> String? {
    guard let range = range(of: name) else { return nil }
    guard bytes[range.lowerBound] == UInt8(ascii: "\""), let text = try value(of: name)?.string else {
      throw wrongKind(name, wanted: "a string")
    }
    return text
  }

  /// Returns an integer member within a range.
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

  /// Returns an object member.
  func object(_ name: String) throws(JobError) -> EnvelopeObject? {
    guard let range = range(of: name) else { return nil }
    guard bytes[range.lowerBound] == UInt8(ascii: "{") else { throw wrongKind(name, wanted: "an object") }
    return try EnvelopeObject(bytes, in: range, at: place(of: name), limits: JSONLimits(bytes: .max, depth: 128))
  }

  /// Returns the text of the payload as received, `null` included; nil if the member is absent.
  func payload(limits: EnvelopeLimits) throws(JobError) -> JSONText? {
    guard let range = members.first(where: { $0.key == "payload" })?.range else { return nil }
    guard range.count <= limits.payload.bytes else {
      throw JobError(
        .tooLarge,
        "The payload has \(range.count) bytes; at most \(limits.payload.bytes) are allowed. "
          + "Store it elsewhere and send its location.",
        field: place(of: "payload"))
    }
    return JSONText(trusted: Array(bytes[range]))
  }

  /// The names of the members in order.
  var names: [String] { members.map(\.key) }

  /// Returns a member whose name equals a known one apart from case and separators, or is a synonym of it.
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

extension Envelope {
  /// The names of the members of the native form.
  package static var memberNames: Set<String> { EnvelopeMembers.known }
}

/// The members of the native envelope, and names that callers mistakenly use for them.
enum EnvelopeMembers {
  /// The maximum delay of an envelope.
  static let longestDelay = Duration.days(366)

  /// The names of the supported members.
  static let known: Set<String> = [
    "jobId", "payload", "key", "delay", "notBefore", "runId", "attempt", "reenqueues", "correlationId",
  ]

  /// Other systems' names for the members, in lower case and without separators.
  private static let synonyms: [String: String] = [
    "input": "payload", "data": "payload", "body": "payload", "args": "payload", "arguments": "payload",
    "params": "payload", "parameters": "payload", "payloads": "payload", "id": "key", "taskid": "key",
    "idempotencykey": "key", "uniquekey": "key", "dedupekey": "key", "deduplicationid": "key", "keys": "key",
    "delayseconds": "delay", "delayms": "delay", "in": "delay", "after": "delay", "wait": "delay",
    "countdown": "delay", "at": "notBefore", "eta": "notBefore", "scheduletime": "notBefore",
    "scheduledfor": "notBefore", "runat": "notBefore", "startat": "notBefore", "attempts": "attempt",
    "traceid": "correlationId", "job": "jobId", "jobname": "jobId", "run": "runId",
  ]

  /// Returns the correct name of a member; nil for a known member and for an unrelated name.
  static func correction(of name: String) -> String? {
    guard !known.contains(name), name.utf8.count <= 24 else { return nil }
    let plain = name.withoutCaseAndSeparators
    return synonyms[plain] ?? known.first { $0.lowercased() == plain } ?? name.oneSlip(from: known)
  }

  /// Rejects misspelled members of a native envelope.
  ///
  /// - Throws: ``JobError`` `malformedEnvelope` with the member and the correct name.
  static func check(_ object: EnvelopeObject) throws(JobError) {
    for name in object.names {
      guard let right = correction(of: name) else { continue }
      throw JobError(
        .malformedEnvelope, "The member \"\(name)\" is not read: the name is \(right). Rename it, or leave it out.",
        field: object.place(of: name))
    }
  }

  /// Rejects members of a task descriptor that stand for its payload, its key or its start.
  ///
  /// - Throws: ``JobError`` `malformedEnvelope` with the member and the correct name.
  static func checkDescriptor(_ object: EnvelopeObject) throws(JobError) {
    for name in object.names where !["taskType", "metadata", "payload", "correlationId"].contains(name) {
      let right = ["key", "delay", "notBefore"].contains(name) ? name : correction(of: name)
      let remedy: String
      switch right {
      case "payload", "correlationId": remedy = "the name is \(right ?? "")"
      case "key", "runId": remedy = "a descriptor names its work by metadata.id"
      case "delay", "notBefore":
        remedy = "a start is a member of the native form, {\"jobId\": …, \"\(right ?? "")\": …}"
      default: continue
      }
      throw JobError(
        .malformedEnvelope, "The member \"\(name)\" is not read: \(remedy).", field: object.place(of: name))
    }
  }
}
