/// A parser for the English form of App Engine's cron, which Cloud Scheduler also accepts.
///
/// Source: <https://cloud.google.com/appengine/docs/standard/scheduling-jobs-with-cron-yaml#schedule_format>.
struct EnglishParser {
  /// The result of parsing.
  enum Meaning: Hashable, Sendable {
    /// An interval, in seconds.
    case interval(seconds: Int)
    /// Times and days.
    case calendar(CalendarRule)
  }

  /// Whether only Google's syntax is accepted: no seconds and no singular units.
  private let isStrict: Bool
  private var words: ArraySlice<String>

  private static let remedy =
    "Write every 5 minutes, every 2 hours from 09:00 to 17:00, every 12 hours synchronized, every monday 09:00, "
    + "1st,3rd tuesday of month 08:30, 1,15 of jan,jul 00:00 or 1st monday of quarter 09:00."

  /// Parses text.
  static func meaning(_ text: String, isStrict: Bool) throws(JobError) -> Meaning {
    var parser = EnglishParser(isStrict: isStrict, words: words(of: text)[...])
    return try parser.meaning()
  }

  /// Returns whether text has the English form, valid or not: cron fields contain no colon and neither of these words.
  static func resembles(_ text: String) -> Bool {
    let words = words(of: text)
    return words.first == "every" || words.contains("of") || (words.count > 1 && words.last?.contains(":") == true)
  }

  private static func words(of text: String) -> [String] {
    var words: [String] = []
    for part in text.lowercased().utf8.split(whereSeparator: { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }) {
      for (index, item) in part.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).enumerated() {
        if index > 0 { words.append(",") }
        if !item.isEmpty { words.append(String(Substring(item))) }
      }
    }
    return words
  }

  private mutating func meaning() throws(JobError) -> Meaning {
    if words.first == "every", let second = words.dropFirst().first {
      if let first = second.utf8.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) {
        words.removeFirst()
        let count = try number(words.removeFirst(), "interval", 1...99_999)
        return try interval(count)
      }
      if !isStrict, unit(second) != nil {
        words.removeFirst()
        return try interval(1)
      }
    }
    return .calendar(try specificTime())
  }

  // MARK: Intervals

  private mutating func interval(_ count: Int) throws(JobError) -> Meaning {
    guard let word = words.popFirst(), let unit = unit(word) else {
      throw fault(
        isStrict ? "Expected hours, minutes or mins after the number." : "Expected a unit of time after the number.",
        "interval")
    }
    let seconds = count * unit
    switch words.popFirst() {
    case nil:
      return .interval(seconds: seconds)
    case "synchronized":
      try requireEnd()
      guard seconds <= 86_400, 86_400 % seconds == 0 else {
        throw fault("With synchronized the interval must divide 24 hours evenly.", "interval")
      }
      return .calendar(steps(ClockSteps(start: 0, end: 86_399, step: seconds)))
    case "from":
      let start = try time("from")
      guard words.popFirst() == "to" else { throw fault("Expected to and a second time after the first time.", "to") }
      let end = try time("to")
      try requireEnd()
      return .calendar(steps(ClockSteps(start: start, end: end, step: seconds)))
    case .some(let word):
      throw fault("“\(JobError.excerpt(word))” is not allowed after the interval.", nil)
    }
  }

  private func unit(_ word: String) -> Int? {
    switch word {
    case "hours": 3_600
    case "minutes", "mins": 60
    case "hour" where !isStrict: 3_600
    case "minute" where !isStrict, "min" where !isStrict: 60
    case "second" where !isStrict, "seconds" where !isStrict, "secs" where !isStrict: 1
    default: nil
    }
  }

  private func steps(_ steps: ClockSteps) -> CalendarRule {
    var days = DayRule()
    days.daysOfMonth = DayRule.allDaysOfMonth
    days.weekdays = DayRule.allWeekdays
    return CalendarRule(times: .steps(steps), days: days, isWildcard: true)
  }

  // MARK: Times

  private mutating func specificTime() throws(JobError) -> CalendarRule {
    var days = DayRule()
    if let word = words.first, word.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) {
      days.daysOfMonth = try list { parser, word throws(JobError) in
        try parser.number(word, "day-of-month", 1...31)
      }
      days.weekdays = DayRule.allWeekdays
      guard words.first == "of" else { throw fault("Expected of and months after the days of the month.", "month") }
    } else {
      try readWeekdays(into: &days)
    }
    if words.first == "of" {
      words.removeFirst()
      days.months = try months()
    }
    let second = try time("time")
    try requireEnd()
    guard days.everOccurs else {
      throw .schedule("The schedule never fires: no month that it names has such a day.", field: "day-of-month")
    }
    let (hour, rest) = second.quotientAndRemainder(dividingBy: 3_600)
    let clock = ClockFields(hours: 1 << UInt64(hour), minutes: 1 << UInt64(rest / 60), seconds: 1)
    return CalendarRule(times: .fields(clock), days: days, isWildcard: false)
  }

  /// Parses `every` or ordinals, then `day` or weekdays.
  private mutating func readWeekdays(into days: inout DayRule) throws(JobError) {
    var ordinals = UInt64(0)
    if words.first == "every" {
      words.removeFirst()
    } else {
      ordinals = try list { parser, word throws(JobError) in
        guard let ordinal = Self.ordinal(word) else {
          throw parser.fault("“\(JobError.excerpt(word))” can't begin a schedule.", nil)
        }
        return ordinal
      }
    }
    if words.first == "day" {
      words.removeFirst()
      days.daysOfMonth = ordinals == 0 ? DayRule.allDaysOfMonth : ordinals
      days.weekdays = DayRule.allWeekdays
      return
    }
    let weekdays = try list { parser, word throws(JobError) in
      guard let weekday = CalendarWords.weekday(word) else {
        throw parser.fault(
          "“\(JobError.excerpt(word))” is not a weekday (monday or mon …) or day.", CronField.dayOfWeek.name)
      }
      return weekday
    }
    days.daysOfMonth = DayRule.allDaysOfMonth
    if ordinals == 0 { days.weekdays = weekdays }
    for ordinal in ordinals.members { days.nthWeekdays |= weekdays << UInt64(7 * (ordinal - 1)) }
  }

  /// Parses the part after `of`: `month`, months, `quarter`, or `1st,2nd month of quarter`.
  private mutating func months() throws(JobError) -> UInt64 {
    switch words.first {
    case "month":
      words.removeFirst()
      return DayRule.allMonths
    case "quarter":
      words.removeFirst()
      return Self.quarterMonths
    case .some(let word) where Self.ordinal(word) != nil:
      let ordinals = try list { parser, word throws(JobError) in
        guard let ordinal = Self.ordinal(word), ordinal <= 3 else {
          throw parser.fault("A quarter has a 1st, 2nd and 3rd month.", CronField.month.name)
        }
        return ordinal
      }
      guard words.starts(with: ["month", "of", "quarter"]) else {
        throw fault("Expected month of quarter after the months' numbers.", CronField.month.name)
      }
      words.removeFirst(3)
      return ordinals.members.reduce(0) { $0 | Self.quarterMonths << UInt64($1 - 1) }
    default:
      return try list { parser, word throws(JobError) in
        guard let month = CalendarWords.month(word) else {
          throw parser.fault(
            "“\(JobError.excerpt(word))” is not a month (january or jan …), month or quarter.", CronField.month.name)
        }
        return month
      }
    }
  }

  /// January, April, July and October.
  private static let quarterMonths: UInt64 = 1 << 1 | 1 << 4 | 1 << 7 | 1 << 10

  private static func ordinal(_ word: String) -> Int? {
    switch word {
    case "1st", "first": 1
    case "2nd", "second": 2
    case "3rd", "third": 3
    case "4th", "fourth": 4
    case "5th", "fifth": 5
    default: nil
    }
  }

  // MARK: Words

  /// Parses one item or several separated by commas, as a set.
  private mutating func list(
    _ item: (EnglishParser, String) throws(JobError) -> Int
  ) throws(JobError) -> UInt64 {
    var set = UInt64(0)
    repeat {
      guard let word = words.popFirst() else { throw fault("The schedule is incomplete.", nil) }
      set.insert(try item(self, word))
    } while words.popFirst(",")
    return set
  }

  /// Parses `9:00` or `09:00`, in seconds since midnight.
  private mutating func time(_ field: String) throws(JobError) -> Int {
    guard let word = words.popFirst() else { throw fault("A time of day (HH:MM) is missing.", field) }
    let parts = word.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    guard parts.count == 2, (1...2).contains(parts[0].count), parts[1].count == 2,
      let hour = CivilDate.number(Array(parts[0])[...]), let minute = CivilDate.number(Array(parts[1])[...]),
      hour < 24, minute < 60
    else { throw fault("“\(JobError.excerpt(word))” is not a time of day from 00:00 to 23:59.", field) }
    return hour * 3_600 + minute * 60
  }

  private func number(_ word: String, _ field: String, _ range: ClosedRange<Int>) throws(JobError) -> Int {
    guard (1...5).contains(word.utf8.count), let value = CivilDate.number(Array(word.utf8)[...]),
      range.contains(value)
    else {
      throw fault(
        "“\(JobError.excerpt(word))” is not a whole number from \(range.lowerBound) to \(range.upperBound).", field)
    }
    return value
  }

  private func requireEnd() throws(JobError) {
    if let word = words.first { throw fault("“\(JobError.excerpt(word))” is not allowed at the end.", nil) }
  }

  private func fault(_ message: String, _ field: String?) -> JobError {
    .schedule("\(message) \(Self.remedy)", field: field)
  }
}

extension ArraySlice<String> {
  /// Removes the first word if it is a given one and returns whether it was.
  fileprivate mutating func popFirst(_ word: String) -> Bool {
    guard first == word else { return false }
    removeFirst()
    return true
  }
}
