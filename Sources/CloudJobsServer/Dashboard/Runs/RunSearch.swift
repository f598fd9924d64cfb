#if Server
import CloudJobs
import CloudJobsCore

/// A search for a text in what the page of a run shows: input, output, error, reason and progress, in either case.
///
/// Confidential values are not found, because the texts are those of the redacted run: a visitor can't guess a secret
/// by searching for it. Encrypted payloads are not searched.
struct RunSearch: Sendable {
  private let needle: [UInt8]
  /// Whether the text is the same in every form of JSON, so that runs without it need not be parsed.
  private let isPlain: Bool

  init(_ text: String) {
    needle = Array(text.lowercased().utf8)
    isPlain = needle.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
  }

  /// Returns whether a run may match, by its stored form.
  func mayMatch(_ run: Run) -> Bool {
    let texts = [run.failure?.kind, run.failure?.message, run.reason, run.progress?.message]
    if texts.contains(where: { $0.map(contains) ?? false }) { return true }
    return [run.input, run.output].contains { payload in
      guard let payload, !JobRuntime.isEncrypted(payload) else { return false }
      // A character that is escaped has other forms.
      return !isPlain || payload.bytes.contains(UInt8(ascii: "\\")) || Self.find(needle, in: payload.bytes)
    }
  }

  /// Returns whether a run matches.
  ///
  /// - Parameter run: the run as it is shown, with confidential values replaced.
  /// - Returns: whether the text is found.
  func matches(_ run: Run) -> Bool {
    let texts = [run.failure?.kind, run.failure?.message, run.reason, run.progress?.message]
    if texts.contains(where: { $0.map(contains) ?? false }) { return true }
    return [run.input, run.output].contains { payload in
      guard let payload, !JobRuntime.isEncrypted(payload) else { return false }
      let value = payload.value
      return contains(PrettyJSON.text(value)) || contains(value)
    }
  }

  private func contains(_ value: JSONValue) -> Bool {
    switch value {
    case .string(let text): contains(text)
    case .array(let values): values.contains(where: contains)
    case .object(let members): members.contains { contains($0.key) || contains($0.value) }
    case .null, .bool, .integer, .double: false
    }
  }

  private func contains(_ text: String) -> Bool {
    text.utf8.count >= needle.count && Self.find(needle, in: Array(text.lowercased().utf8))
  }

  /// Returns whether bytes contain others, which are in lower case; capital letters of ASCII count as small ones.
  static func find(_ needle: [UInt8], in bytes: [UInt8]) -> Bool {
    guard let first = needle.first else { return true }
    guard bytes.count >= needle.count else { return false }
    return bytes.withUnsafeBufferPointer { bytes in
      needle.withUnsafeBufferPointer { needle in
        for start in 0...(bytes.count - needle.count) where Self.small(bytes[start]) == first {
          var length = 1
          while length < needle.count, Self.small(bytes[start + length]) == needle[length] { length += 1 }
          if length == needle.count { return true }
        }
        return false
      }
    }
  }

  private static func small(_ byte: UInt8) -> UInt8 { (65...90).contains(byte) ? byte | 0x20 : byte }
}

/// JSON as pages show it.
enum PrettyJSON {
  /// The maximum number of bytes that a page shows.
  static let maximumBytes = 64 << 10

  /// Returns the text of a value, a member or element a line, with members sorted by key.
  static func text(_ value: JSONValue) -> String {
    var text = ""
    append(value, depth: 0, to: &text)
    return text
  }

  /// Returns the text of a value up to a number of bytes, and whether it is whole.
  static func bounded(_ value: JSONValue, to limit: Int = maximumBytes) -> (text: String, isWhole: Bool) {
    let whole = text(value)
    guard whole.utf8.count > limit else { return (whole, true) }
    var end = whole.utf8.index(whole.startIndex, offsetBy: limit)
    while end > whole.startIndex, end.samePosition(in: whole) == nil { end = whole.utf8.index(before: end) }
    return (String(whole[..<end]), false)
  }

  private static func append(_ value: JSONValue, depth: Int, to text: inout String) {
    func indent(_ depth: Int) { text += "\n" + String(repeating: "  ", count: min(depth, 40)) }
    switch value {
    case .array(let values) where !values.isEmpty:
      text += "["
      for (index, value) in values.enumerated() {
        if index > 0 { text += "," }
        indent(depth + 1)
        append(value, depth: depth + 1, to: &text)
      }
      indent(depth)
      text += "]"
    case .object(let members) where !members.isEmpty:
      text += "{"
      for (index, key) in members.keys.sorted().enumerated() {
        if index > 0 { text += "," }
        indent(depth + 1)
        text += JSONValue.string(key).text + ": "
        append(members[key] ?? .null, depth: depth + 1, to: &text)
      }
      indent(depth)
      text += "}"
    default: text += value.text
    }
  }
}
#endif
