import CloudJobsCore
import CloudJobsEmulator

/// Writes a message as proto3 JSON: absent where a field has its default, enums by name or number.
struct MessageWriter {
  /// Whether enums are written as numbers, as `$alt=json;enum-encoding=int` asks.
  let enumsAreNumbers: Bool
  private(set) var members: [String: JSONValue] = [:]

  init(enumsAreNumbers: Bool) {
    self.enumsAreNumbers = enumsAreNumbers
  }

  /// The message.
  var value: JSONValue { .object(members) }

  /// A message made by a closure.
  func nested(_ body: (inout MessageWriter) -> Void) -> JSONValue {
    var writer = MessageWriter(enumsAreNumbers: enumsAreNumbers)
    body(&writer)
    return writer.value
  }

  mutating func set(_ name: String, _ text: String?) {
    if let text, !text.isEmpty { members[name] = .string(text) }
  }

  mutating func set(_ name: String, _ number: Int) {
    if number != 0 { members[name] = .integer(Int64(number)) }
  }

  mutating func set(_ name: String, _ time: Timestamp?) {
    if let time { members[name] = .string("\(time)") }
  }

  mutating func set(_ name: String, _ duration: Duration?) {
    if let duration { members[name] = .string(WireDuration.text(duration)) }
  }

  mutating func set(_ name: String, bytes: [UInt8]) {
    if !bytes.isEmpty { members[name] = .string(Base64.encode(bytes)) }
  }

  mutating func set(_ name: String, choice: String, number: Int) {
    members[name] = enumsAreNumbers ? .integer(Int64(number)) : .string(choice)
  }

  mutating func set(_ name: String, rate: CloudTasks.DispatchRate) {
    let (whole, rest) = rate.millionthsPerSecond.quotientAndRemainder(dividingBy: 1_000_000)
    members[name] = rest == 0 ? .integer(whole) : .double(Double(rate.millionthsPerSecond) / 1_000_000)
  }

  mutating func set(_ name: String, headers: [HeaderField]) {
    guard !headers.isEmpty else { return }
    members[name] = .object(Dictionary(headers.map { ($0.name, .string($0.value)) }) { _, later in later })
  }

  mutating func set(_ name: String, _ value: JSONValue) {
    members[name] = value
  }

  mutating func set(_ name: String, status: RPCStatus?) {
    if let status { members[name] = nested { $0.write(status) } }
  }

  /// A `google.rpc.Status`.
  mutating func write(_ status: RPCStatus) {
    set("code", status.code.rawValue)
    set("message", status.message)
  }
}
