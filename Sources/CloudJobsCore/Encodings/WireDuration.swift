/// The proto3 JSON form of a duration: seconds with up to nine fractional digits, followed by `s`.
///
/// Source: <https://protobuf.dev/reference/protobuf/google.protobuf/#duration>.
package enum WireDuration {
  private static let maximumSeconds: Int64 = 315_576_000_000

  /// Returns the text of a duration, with 0, 3, 6 or 9 fractional digits.
  package static func text(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    let nanoseconds = attoseconds / 1_000_000_000
    let sign = seconds < 0 || nanoseconds < 0 ? "-" : ""
    guard nanoseconds != 0 else { return "\(sign)\(seconds.magnitude)s" }
    var digits = String(nanoseconds.magnitude)
    digits = String(repeating: "0", count: 9 - digits.count) + digits
    while digits.hasSuffix("000") { digits.removeLast(3) }
    return "\(sign)\(seconds.magnitude).\(digits)s"
  }

  /// Returns the duration of text, or nil if the text is invalid.
  package static func parse(_ text: String) -> Duration? {
    guard text.hasSuffix("s") else { return nil }
    let isNegative = text.hasPrefix("-")
    let parts = text.dropLast().dropFirst(isNegative ? 1 : 0).split(
      separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard let seconds = number(parts[0], width: 12), seconds <= maximumSeconds else { return nil }
    var nanoseconds: Int64 = 0
    if parts.count == 2 {
      guard let fraction = number(parts[1], width: 9) else { return nil }
      nanoseconds = fraction
      for _ in parts[1].count..<9 { nanoseconds *= 10 }
    }
    let duration = Duration.seconds(seconds) + .nanoseconds(nanoseconds)
    return isNegative ? .zero - duration : duration
  }

  private static func number(_ digits: Substring, width: Int) -> Int64? {
    guard (1...width).contains(digits.utf8.count),
      digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
    else { return nil }
    return Int64(digits)
  }
}
