import CloudJobsCore
import CloudJobsEmulator

/// Reads a message from proto3 JSON: names in camel or snake case, null for absent, and no unknown names.
///
/// Source: <https://protobuf.dev/programming-guides/json/>.
struct MessageReader {
  private let path: String
  private var members: [String: JSONValue]

  /// A reader over a whole body; an empty body is an empty message.
  init(body: [UInt8]) throws(ServiceFault) {
    try self.init(body.isEmpty ? .object([:]) : Self.parse(body), path: "")
  }

  /// A reader over a value at a path.
  init(_ value: JSONValue, path: String) throws(ServiceFault) {
    guard case .object(let members) = value else {
      throw Self.mismatch(path, value, "a message")
    }
    self.path = path
    self.members = members
  }

  /// Takes a member by its camel-case name, or by its snake-case one.
  mutating func take(_ name: String) -> JSONValue? {
    let value = members.removeValue(forKey: name) ?? members.removeValue(forKey: Self.snakeCase(name))
    return value?.isNull == true ? nil : value
  }

  /// Takes members that clients may send and that have no effect here.
  mutating func ignore(_ names: String...) {
    for name in names { _ = take(name) }
  }

  /// Refuses a member that has an effect in the service but not here.
  mutating func refuse(_ names: String...) throws(ServiceFault) {
    for name in names where take(name) != nil {
      throw ServiceFault(.unimplemented, "The emulator does not support \(place(name)).", field: place(name))
    }
  }

  /// Refuses whatever has not been taken.
  func finish() throws(ServiceFault) {
    guard let name = members.keys.min() else { return }
    let location = path.isEmpty ? "" : " at '\(path)'"
    throw ServiceFault(
      .invalidArgument, "Invalid JSON payload received. Unknown name \"\(name)\"\(location): Cannot find field.",
      field: path)
  }

  mutating func message(_ name: String) throws(ServiceFault) -> MessageReader? {
    guard let value = take(name) else { return nil }
    return try MessageReader(value, path: place(name))
  }

  mutating func string(_ name: String) throws(ServiceFault) -> String? {
    guard let value = take(name) else { return nil }
    guard let text = value.string else { throw Self.mismatch(place(name), value, "a string") }
    return text
  }

  mutating func messages(_ name: String) throws(ServiceFault) -> [MessageReader] {
    var readers: [MessageReader] = []
    for (index, value) in try elements(name).enumerated() {
      readers.append(try MessageReader(value, path: "\(place(name))[\(index)]"))
    }
    return readers
  }

  mutating func texts(_ name: String) throws(ServiceFault) -> [String] {
    var texts: [String] = []
    for (index, value) in try elements(name).enumerated() {
      guard let text = value.string else { throw Self.mismatch("\(place(name))[\(index)]", value, "a string") }
      texts.append(text)
    }
    return texts
  }

  mutating func elements(_ name: String) throws(ServiceFault) -> [JSONValue] {
    guard let value = take(name) else { return [] }
    guard let elements = value.array else { throw Self.mismatch(place(name), value, "an array") }
    return elements
  }

  mutating func integer(_ name: String) throws(ServiceFault) -> Int? {
    guard let value = take(name) else { return nil }
    guard let number = value.integer ?? value.string.flatMap({ Int64($0) }), let small = Int32(exactly: number) else {
      throw Self.mismatch(place(name), value, "a 32-bit integer")
    }
    return Int(small)
  }

  mutating func wideInteger(_ name: String) throws(ServiceFault) -> Int64? {
    guard let value = take(name) else { return nil }
    guard let number = value.integer ?? value.string.flatMap({ Int64($0) }) else {
      throw Self.mismatch(place(name), value, "a 64-bit integer")
    }
    return number
  }

  mutating func rate(_ name: String) throws(ServiceFault) -> CloudTasks.DispatchRate? {
    guard let value = take(name) else { return nil }
    guard let number = value.double ?? value.string.flatMap({ Double($0) }), abs(number) <= 1e12 else {
      throw Self.mismatch(place(name), value, "a number")
    }
    return CloudTasks.DispatchRate(millionthsPerSecond: Int64((number * 1_000_000).rounded()))
  }

  mutating func bool(_ name: String) throws(ServiceFault) -> Bool? {
    guard let value = take(name) else { return nil }
    guard let truth = value.bool else { throw Self.mismatch(place(name), value, "a boolean") }
    return truth
  }

  mutating func duration(_ name: String) throws(ServiceFault) -> Duration? {
    guard let value = take(name) else { return nil }
    guard let duration = value.string.flatMap({ WireDuration.parse($0) }) else {
      throw Self.mismatch(place(name), value, "a duration such as \"3.5s\"")
    }
    return duration
  }

  mutating func timestamp(_ name: String) throws(ServiceFault) -> Timestamp? {
    guard let value = take(name) else { return nil }
    guard let text = value.string, text.utf8.count > 10, let time = Timestamp(rfc3339: text) else {
      throw Self.mismatch(place(name), value, "an RFC 3339 timestamp")
    }
    return time
  }

  mutating func bytes(_ name: String) throws(ServiceFault) -> [UInt8]? {
    guard let value = take(name) else { return nil }
    guard let bytes = value.string.flatMap({ Base64.decode($0) }) else {
      throw Self.mismatch(place(name), value, "Base64")
    }
    return bytes
  }

  mutating func strings(_ name: String) throws(ServiceFault) -> [String: String]? {
    guard let value = take(name) else { return nil }
    guard let object = value.object else { throw Self.mismatch(place(name), value, "a map of strings") }
    var strings: [String: String] = [:]
    for (key, value) in object {
      guard let text = value.string else { throw Self.mismatch("\(place(name)).\(key)", value, "a string") }
      strings[key] = text
    }
    return strings
  }

  /// Takes an enum by name or number; 0 and the name of the unspecified value are absent.
  mutating func choice<Choice: CaseIterable & RawRepresentable>(
    _ name: String, _ wireName: (Choice) -> String
  ) throws(ServiceFault) -> Choice? where Choice.RawValue == Int {
    guard let value = take(name) else { return nil }
    if value.integer == 0 || value.string?.hasSuffix("_UNSPECIFIED") == true { return nil }
    if let number = value.integer, let choice = Choice(rawValue: Int(clamping: number)) { return choice }
    if let text = value.string, let choice = Choice.allCases.first(where: { wireName($0) == text }) { return choice }
    throw Self.mismatch(place(name), value, "a known enum value")
  }

  private static func parse(_ body: [UInt8]) throws(ServiceFault) -> JSONValue {
    do throws(JobError) {
      return try JSONValue(parsing: body, limits: .service)
    } catch {
      throw .invalidArgument("Invalid JSON payload received. \(error.message)")
    }
  }

  /// A member's place in the body, as a dotted path.
  func place(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

  /// The refusal of a value of the wrong kind.
  static func mismatch(_ path: String, _ value: JSONValue, _ expected: String) -> ServiceFault {
    ServiceFault(
      .invalidArgument, "Invalid value at '\(path)': \(value.kind) was given where \(expected) is expected.",
      field: path)
  }

  private static func snakeCase(_ name: String) -> String {
    name.reduce(into: "") { text, character in
      text += character.isUppercase ? "_\(character.lowercased())" : String(character)
    }
  }
}
