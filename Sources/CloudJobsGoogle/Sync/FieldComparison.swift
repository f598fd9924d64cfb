#if HTTP
import CloudJobsCore

/// Compares what should be with what a service answers, in proto3's JSON: defaults may be absent, numbers may be text,
/// durations may have other fractions, and members that are not wanted count only where they should be absent.
enum FieldComparison {
  /// The paths of the fields that differ.
  ///
  /// - Parameters:
  ///   - wanted: the fields as they should be; `null` for one that should be absent.
  ///   - found: the fields as they are.
  ///   - depth: how many parts a path may have: 1 names whole members.
  /// - Returns: dotted paths in alphabetical order.
  static func differences(_ wanted: JSONValue, _ found: JSONValue?, depth: Int) -> [String] {
    (wanted.object ?? [:]).sorted { $0.key < $1.key }.flatMap { name, value -> [String] in
      if depth > 1, value.object != nil {
        return differences(value, found?[name], depth: depth - 1).map { "\(name).\($0)" }
      }
      return matches(value, found?[name]) ? [] : [name]
    }
  }

  private static func matches(_ wanted: JSONValue, _ found: JSONValue?) -> Bool {
    let found = found ?? .null
    switch wanted {
    case .object(let members):
      return found.object != nil && members.allSatisfy { matches($0.value, found[$0.key]) }
        || found.isNull && members.allSatisfy { matches($0.value, nil) }
    case .array(let values): return values == found.array ?? []
    case .null: return found.isNull
    case .string(let text):
      if let span = microseconds(text) { return span == microseconds(found.string ?? "0s") }
      return text == found.string ?? ""
    case .bool(let value): return value == found.bool ?? false
    case .integer(let number):
      return number == found.integer ?? found.string.flatMap { Int64($0) } ?? (found.isNull ? 0 : nil)
    case .double: return wanted.double == found.double
    }
  }

  /// A duration's text, such as `3.5s`, in whole microseconds; nil where it is none.
  static func microseconds(_ text: String) -> Int64? {
    guard text.hasSuffix("s") else { return nil }
    let parts = text.dropLast().split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let isNumber = parts.allSatisfy { !$0.isEmpty && $0.count <= 12 && $0.utf8.allSatisfy { (48...57).contains($0) } }
    guard isNumber, let seconds = parts.first.flatMap({ Int64($0) }) else { return nil }
    let digits = parts.count > 1 ? parts[1].prefix(6) : ""
    let fraction = Int64(digits + String(repeating: "0", count: 6 - digits.count)) ?? 0
    return seconds * 1_000_000 + fraction
  }
}
#endif
