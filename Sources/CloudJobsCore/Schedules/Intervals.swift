/// Times at a fixed interval from an anchor, before and after it.
struct IntervalGrid: Hashable, Sendable {
  /// The interval, in microseconds, positive.
  let step: Int64
  /// A time of the grid.
  let anchor: Timestamp

  /// The minimum interval: one millisecond.
  static let shortest: Duration = .milliseconds(1)
  /// The maximum interval: the 400 years after which the calendar repeats.
  static let longest: Duration = .days(146_097)

  /// Returns the first time of the grid after a given time.
  func next(after time: Timestamp) -> Timestamp? {
    let steps = (time.microseconds - anchor.microseconds).flooringDivision(by: step).quotient + 1
    return point(steps)
  }

  /// Returns the last time of the grid before a given time.
  func previous(before time: Timestamp) -> Timestamp? {
    let steps = (time.microseconds - anchor.microseconds - 1).flooringDivision(by: step).quotient
    return point(steps)
  }

  /// Returns the number of times of the grid from a time on and before another one.
  func count(from start: Timestamp, before end: Timestamp) -> Int {
    func steps(before time: Timestamp) -> Int64 {
      (time.microseconds - anchor.microseconds - 1).flooringDivision(by: step).quotient
    }
    return Int(steps(before: end) - steps(before: start))
  }

  private func point(_ steps: Int64) -> Timestamp? {
    let microseconds = anchor.microseconds + steps * step
    let time = Timestamp(microseconds: microseconds)
    return time.microseconds == microseconds ? time : nil
  }
}

/// The text of an interval: `30s`, `5m`, `1h30m`, `1d`.
enum IntervalText {
  /// The units and their microseconds, from the longest to the shortest.
  private static let units: [(name: String, microseconds: Int64)] = [
    ("w", 604_800_000_000), ("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000),
    ("ms", 1_000),
  ]

  /// Returns whether text has the form of an interval, valid or not: a leading digit and no space.
  static func resembles(_ text: String) -> Bool {
    guard let first = text.utf8.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return false }
    return text.utf8.allSatisfy { byte in
      (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
  }

  /// Parses an interval; each unit occurs at most once, longer units first.
  static func duration(_ text: String) throws(JobError) -> Duration {
    var rest = text.lowercased().utf8[...]
    var unitsLeft = units[...]
    var total: Int64 = 0
    repeat {
      let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      rest = rest[digits.endIndex...]
      let letters = rest.prefix { !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      rest = rest[letters.endIndex...]
      let name = String(Substring(letters))
      guard (1...12).contains(digits.count), let number = CivilDate.number(Array(digits)[...]),
        let index = unitsLeft.firstIndex(where: { $0.name == name })
      else {
        throw .schedule(
          "The interval can't be read. Write numbers with the units w, d, h, m, s and ms, the longest first: 30s, 5m, "
            + "1h30m, 1d.", field: "interval")
      }
      let sum = total.addingReportingOverflow(Int64(number).saturatingMultiplication(by: units[index].microseconds))
      total = sum.overflow ? .max : sum.partialValue
      unitsLeft = unitsLeft[(index + 1)...]
    } while !rest.isEmpty
    return .microseconds(total)
  }

  /// Returns the duration of a number of seconds or of an interval's text; nil for other or negative values.
  static func duration(of value: JSONValue) -> Duration? {
    if let text = value.string { return resembles(text) ? try? duration(text) : nil }
    guard let seconds = value.integer, seconds >= 0 else { return nil }
    return .microseconds(seconds.saturatingMultiplication(by: 1_000_000))
  }

  /// Returns the text of an interval of whole milliseconds, which ``duration(_:)`` parses.
  static func text(microseconds: Int64) -> String {
    var rest = microseconds
    var text = ""
    for unit in units where unit.name != "w" {
      let (count, remainder) = rest.quotientAndRemainder(dividingBy: unit.microseconds)
      if count > 0 { text += "\(count)\(unit.name)" }
      rest = remainder
    }
    return text
  }

  /// Returns an interval in words: `5 minutes`, `1 hour 30 minutes`.
  static func words(microseconds: Int64) -> String {
    let names: [(String, Int64)] = [
      ("day", 86_400_000_000), ("hour", 3_600_000_000), ("minute", 60_000_000), ("second", 1_000_000),
      ("millisecond", 1_000),
    ]
    var rest = microseconds
    var parts: [String] = []
    for (name, length) in names {
      let (count, remainder) = rest.quotientAndRemainder(dividingBy: length)
      if count > 0 { parts.append(count == 1 ? "1 \(name)" : "\(count) \(name)s") }
      rest = remainder
    }
    return parts.joined(separator: " ")
  }
}

extension Duration {
  /// Creates a duration from a setting: a text such as `30s` or `1h30m`, or a number of seconds such as `2` or `2.5`;
  /// nil for another text.
  package init?(settingText text: String) {
    if let span = IntervalText.duration(of: Int64(text).map { .integer($0) } ?? .string(text)) {
      self = span
      return
    }
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (48...57).contains($0) } }),
      parts[1].utf8.count <= 6, let seconds = IntervalText.duration(of: Int64(parts[0]).map { .integer($0) } ?? .null),
      let fraction = Int64(parts[1] + String(repeating: "0", count: 6 - parts[1].utf8.count))
    else { return nil }
    self = seconds + .microseconds(fraction)
  }

  /// The text of a duration as ``init(settingText:)`` reads it, such as `1h30m`; fractions of a millisecond are left
  /// out.
  package var settingText: String { microseconds < 1_000 ? "0s" : IntervalText.text(microseconds: microseconds) }
}
