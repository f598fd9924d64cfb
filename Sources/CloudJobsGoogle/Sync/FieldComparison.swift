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
      if let span = WireDuration.parse(text) { return span == WireDuration.parse(found.string ?? "0s") }
      return text == found.string ?? ""
    case .bool(let value): return value == found.bool ?? false
    case .integer(let number):
      return number == found.integer ?? found.string.flatMap { Int64($0) } ?? (found.isNull ? 0 : nil)
    case .double: return wanted.double == found.double
    }
  }
}
#endif
