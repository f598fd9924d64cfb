import CloudJobsCore
import Synchronization

/// The rule by which parts of payloads are confidential.
struct RedactionRule: Hashable, Sendable {
  /// The text in place of a confidential value.
  static let replacement = "[redacted]"

  /// The names of confidential fields, at any depth.
  var fields: Set<String>
  /// Whether all other values are confidential too, as those of encrypted payloads.
  var coversPayload: Bool

  /// Creates the rule of a runtime; nil if nothing is confidential.
  init?(_ options: RuntimeOptions) {
    self.init(fields: options.redactedFields, coversPayload: options.payloadCodec != nil)
    if fields.isEmpty, !coversPayload { return nil }
  }

  init(fields: Set<String>, coversPayload: Bool) {
    self.fields = fields
    self.coversPayload = coversPayload
  }

  /// Returns a value with the confidential fields replaced.
  func redacted(_ value: JSONValue) -> JSONValue {
    switch value {
    case .object(let members):
      var shown: [String: JSONValue] = [:]
      for (name, value) in members { shown[name] = fields.contains(name) ? "[redacted]" : redacted(value) }
      return .object(shown)
    case .array(let values): return .array(values.map { redacted($0) })
    case .null, .bool, .integer, .double, .string: return value
    }
  }
}

/// A search for the confidential values of one payload in texts.
///
/// It finds a value as it is, as JSON escapes it, and as Swift's debug descriptions escape it. It does not find a value
/// that was transformed in another way, such as base64, another case, or a cut.
struct PayloadRedactor: Sendable {
  /// The fewest characters of a value that is confidential only because its payload is: shorter ones are words that any
  /// message may have.
  static let shortest = 6
  /// The number of bytes by which longer values are found.
  private static let keyLength = 4

  /// The values of at least ``keyLength`` bytes by their first bytes, longest first.
  private var values: [UInt32: [[UInt8]]] = [:]
  /// Shorter values of named fields, which are only found as whole words.
  private var words: Set<[UInt8]> = []

  init(_ payload: JSONText?, _ rule: RedactionRule) {
    guard let payload, EncryptedPayload(payload) == nil else { return }
    var all = Set<[UInt8]>()
    Self.collect(payload.value, rule, isNamed: false, &all)
    for value in all {
      guard let key = Self.key(value, at: 0) else {
        words.insert(value)
        continue
      }
      values[key, default: []].append(value)
    }
    for key in values.keys { values[key]?.sort { ($1.count, $0[0]) < ($0.count, $1[0]) } }
  }

  /// Returns a text with the confidential values replaced.
  func redact(_ text: String) -> String {
    if values.isEmpty, words.isEmpty { return text }
    let bytes = Array(text.utf8)
    var kept = [UInt8]()
    kept.reserveCapacity(bytes.count)
    var place = 0
    while place < bytes.count {
      let length = match(bytes, at: place)
      if length > 0 {
        kept += RedactionRule.replacement.utf8
        place += length
      } else {
        kept.append(bytes[place])
        place += 1
      }
    }
    return String(decoding: kept, as: UTF8.self)
  }

  /// Returns the length of the confidential value at a place; 0 if there is none.
  private func match(_ bytes: [UInt8], at place: Int) -> Int {
    let rest = bytes[place...]
    if let key = Self.key(bytes, at: place), let found = values[key]?.first(where: { rest.starts(with: $0) }) {
      return found.count
    }
    guard !words.isEmpty, place == 0 || !Self.isWord(bytes[place - 1]) else { return 0 }
    for length in (1..<Self.keyLength).reversed() where place + length <= bytes.count {
      let isWhole = place + length == bytes.count || !Self.isWord(bytes[place + length])
      if isWhole, words.contains(Array(bytes[place..<place + length])) { return length }
    }
    return 0
  }

  private static func key(_ bytes: [UInt8], at place: Int) -> UInt32? {
    guard place + keyLength <= bytes.count else { return nil }
    return bytes[place..<place + keyLength].reduce(0) { $0 << 8 | UInt32($1) }
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    byte >= 0x80 || (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z"))
      || (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"))
  }

  private static func collect(_ value: JSONValue, _ rule: RedactionRule, isNamed: Bool, _ all: inout Set<[UInt8]>) {
    switch value {
    case .object(let members):
      for (name, value) in members { collect(value, rule, isNamed: isNamed || rule.fields.contains(name), &all) }
    case .array(let values):
      for value in values { collect(value, rule, isNamed: isNamed, &all) }
    case .string(let text):
      if isNamed || (rule.coversPayload && text.count >= shortest) { add(text, &all) }
      if isNamed || rule.coversPayload { for part in parts(of: text) { add(part, &all) } }
    case .integer, .double:
      if isNamed || (rule.coversPayload && value.text.count >= shortest) { add(value.text, &all) }
    case .null, .bool: return
    }
  }

  /// Returns the parts of a text that look like identifiers, numbers or addresses, which a message may quote alone.
  private static func parts(of text: String) -> [String] {
    text.split { !($0.isLetter || $0.isNumber || "-_.@+:/=%~".contains($0)) }.map(String.init).filter { part in
      part.count >= shortest && part.count < text.count && part.contains { $0.isNumber || $0 == "@" }
    }
  }

  private static func add(_ text: String, _ all: inout Set<[UInt8]>) {
    for form in [text, inner(JSONValue.string(text).text), inner(String(reflecting: text))] where !form.isEmpty {
      all.insert(Array(form.utf8))
    }
  }

  private static func inner(_ quoted: String) -> String { String(quoted.dropFirst().dropLast()) }
}

/// The redaction of one attempt's texts; its payload is only searched once a text needs it.
final class AttemptRedaction: Sendable {
  private let payload: JSONText?
  private let rule: RedactionRule
  private let redactor = Mutex<PayloadRedactor?>(nil)

  init(_ payload: JSONText?, _ rule: RedactionRule) {
    self.payload = payload
    self.rule = rule
  }

  /// Returns a text with the payload's confidential values replaced.
  func redact(_ text: String) -> String {
    let redactor = redactor.withLock { stored in
      if let stored { return stored }
      let made = PayloadRedactor(payload, rule)
      stored = made
      return made
    }
    return redactor.redact(text)
  }
}
