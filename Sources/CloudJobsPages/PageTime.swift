#if Server
package import CloudJobsCore

/// A time as pages show it: relative to now, and exactly.
package struct PageTime: Hashable, Sendable {
  /// The time in RFC 3339.
  package var machine: String
  /// The time in words, such as `2026-11-28 01:50:30 UTC`.
  package var exact: String
  /// The time relative to that of the page, such as `5 min ago` or `in 2 h`.
  package var relative: String

  /// Creates the forms of a time.
  ///
  /// - Parameters:
  ///   - time: the time.
  ///   - now: the time of the page.
  ///   - zone: the zone of ``exact``; nil for UTC.
  package init(_ time: Timestamp, now: Timestamp, in zone: Zone? = nil) {
    machine = "\(time)"
    exact = Self.exact(time, in: zone)
    relative = Self.relative(time - now)
  }

  /// Returns a time to the second with the abbreviation or offset of its zone.
  package static func exact(_ time: Timestamp, in zone: Zone? = nil) -> String {
    guard let zone else {
      let text = "\(time)"
      let clock = text.drop { $0 != "T" }.dropFirst().prefix(8)
      return "\(text.prefix { $0 != "T" }) \(clock) UTC"
    }
    let second = zone.secondOfDay(at: time)
    let offset = Int(zone.offset(at: time))
    let clock = [second / 3_600, second / 60 % 60, second % 60].map(Self.two).joined(separator: ":")
    let size = abs(offset) / 60
    let shift = "\(offset < 0 ? "−" : "+")\(Self.two(size / 60)):\(Self.two(size % 60))"
    return "\(zone.date(at: time)) \(clock) \(offset == 0 ? "UTC" : shift)"
  }

  /// Returns a sentence with its times in RFC 3339, such as `2026-11-28T01:50:30.12Z`, as ``exact(_:in:)`` shows them.
  package static func readable(_ sentence: String) -> String {
    guard sentence.contains("Z") else { return sentence }
    let words = sentence.split(separator: " ", omittingEmptySubsequences: false).map { word -> Substring in
      let core = word.prefix { $0.isNumber || "-:.TZ".contains($0) }
      // A full stop or a colon behind a time belongs to the sentence.
      let text = core.last == "." || core.last == ":" ? core.dropLast() : core
      guard text.count >= 20, text.last == "Z", let time = Timestamp(rfc3339: String(text)) else { return word }
      return exact(time) + word.dropFirst(text.count)
    }
    return words.joined(separator: " ")
  }

  /// Returns a distance in time from now; negative ones are past.
  static func relative(_ distance: Duration) -> String {
    if distance > .seconds(-1), distance < .seconds(1) { return "now" }
    return distance < .zero ? "\(PageNumber.coarse(.zero - distance)) ago" : "in \(PageNumber.coarse(distance))"
  }

  private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}

/// Numbers and durations as pages show them.
package enum PageNumber {
  /// Returns a number with its thousands apart: `12,345`.
  package static func text(_ number: Int) -> String {
    let digits = String(number.magnitude)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(",") }
      text.append(digit)
    }
    return number < 0 ? "−\(text)" : text
  }

  /// Returns a number with its noun: `1 run`, `2 runs`.
  package static func text(_ number: Int, _ noun: String, _ plural: String? = nil) -> String {
    "\(text(number)) \(number == 1 ? noun : plural ?? noun + "s")"
  }

  /// Returns a part in percent, rounded half up to a whole number.
  ///
  /// `0 %` and `100 %` are exact: a part that would be rounded to one of them is `< 1 %` or `> 99 %`.
  ///
  /// - Parameters:
  ///   - part: the part, not negative.
  ///   - whole: the whole.
  /// - Returns: the percentage; `–` if there is no whole.
  package static func percent(_ part: Int, of whole: Int) -> String {
    // Both are exact up to 2^53 / 100, and so is a half.
    whole > 0 ? percent(Double(part) * 100 / Double(whole)) : "–"
  }

  /// Returns a number of percent as ``percent(_:of:)`` shows it; one outside of 0 to 100 counts as the nearer end.
  package static func percent(_ percent: Double) -> String {
    if !(percent > 0) { return "0 %" }
    if percent >= 100 { return "100 %" }
    if percent < 0.5 { return "< 1 %" }
    return percent >= 99.5 ? "> 99 %" : "\(Int(percent.rounded(.toNearestOrAwayFromZero))) %"
  }

  /// Returns a duration in two units at most: `12 ms`, `3.4 s`, `4 min 5 s`, `2 d 3 h`.
  package static func text(_ duration: Duration) -> String {
    let microseconds = duration.microseconds
    if microseconds < 0 { return "−" + text(.zero - duration) }
    if microseconds == 0 { return "0 s" }
    if microseconds < 1_000 { return "\(microseconds) µs" }
    if microseconds < 1_000_000 { return "\(microseconds / 1_000) ms" }
    let tenths = microseconds / 100_000
    if tenths < 600 { return tenths.isMultiple(of: 10) ? "\(tenths / 10) s" : "\(tenths / 10).\(tenths % 10) s" }
    return units(duration.components.seconds, count: 2)
  }

  /// Returns a duration in one unit: `45 s`, `3 min`, `2 h`, `9 d`.
  package static func coarse(_ duration: Duration) -> String {
    units(max(0, duration.components.seconds), count: 1)
  }

  private static func units(_ seconds: Int64, count: Int) -> String {
    let sizes: [(Int64, String)] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")]
    guard let first = sizes.firstIndex(where: { seconds >= $0.0 }) else { return "0 s" }
    var rest = seconds
    var parts: [String] = []
    for (size, name) in sizes[first...].prefix(count) {
      if rest >= size { parts.append("\(rest / size) \(name)") }
      rest %= size
    }
    return parts.joined(separator: " ")
  }
}
#endif
