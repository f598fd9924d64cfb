/// A parser for cron expressions: the five standard fields, an optional sixth field for seconds, macros, and the
/// extensions of Quartz and cronsim (`L`, `LW`, `15W`, `MON#2`, `5L`).
///
/// Source: crontab(5) of Debian (<https://manpages.debian.org/bookworm/cron/crontab.5.en.html>).
struct CronParser {
  /// Whether six fields, macros and extensions are accepted; Cloud Scheduler accepts none of them.
  var takesExtensions = true

  static let macros = [
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
  ]

  /// Parses an expression.
  func rule(_ text: String) throws(JobError) -> CalendarRule {
    let lowercased = text.lowercased()
    var fields = lowercased.utf8.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }.map {
      String(Substring($0))
    }
    if let first = fields.first, first.hasPrefix("@") {
      fields = try expand(macro: first, isAlone: fields.count == 1).split(separator: " ").map { String($0) }
    }
    try checkCount(fields.count)
    if fields.count == 5 { fields.insert("0", at: 0) }
    let clock = ClockFields(
      hours: try numbers(fields[2], .hour), minutes: try numbers(fields[1], .minute),
      seconds: try numbers(fields[0], .second))
    var days = DayRule()
    days.months = try numbers(fields[4], .month)
    try readDaysOfMonth(fields[3], into: &days)
    try readWeekdays(fields[5], into: &days)
    days.requiresBoth = fields[3].hasPrefix("*") || fields[5].hasPrefix("*")
    guard days.everOccurs else {
      throw .schedule(
        "The schedule never fires: no month that it names has such a day. Check the fields day-of-month, month and "
          + "day-of-week.", field: "day-of-month")
    }
    return CalendarRule(
      times: .fields(clock), days: days, isWildcard: fields[1].hasPrefix("*") || fields[2].hasPrefix("*"))
  }

  private func expand(macro: String, isAlone: Bool) throws(JobError) -> String {
    guard takesExtensions else {
      throw .schedule(
        "Cloud Scheduler does not accept macros such as @daily. Write the five fields, such as 0 0 * * *.")
    }
    guard macro != "@reboot" else {
      throw .schedule("@reboot is not supported because it names no time. Write a time, such as @daily.")
    }
    guard isAlone, let fields = Self.macros[macro] else {
      throw .schedule(
        "The macro is unknown. Write one of @yearly, @annually, @monthly, @weekly, @daily, @midnight and @hourly, or "
          + "@every with an interval, and nothing else.")
    }
    return fields
  }

  private func checkCount(_ count: Int) throws(JobError) {
    guard count == 5 || (count == 6 && takesExtensions) else {
      throw .schedule(
        takesExtensions
          ? "The schedule has \(count) field\(count == 1 ? "" : "s"). Write five (minute hour day-of-month month "
            + "day-of-week), six with the seconds first, a macro such as @daily, an interval such as 5m, "
            + "or English such as every monday 09:00."
          : "The schedule has \(count) field\(count == 1 ? "" : "s"). Write exactly five (minute hour day-of-month "
            + "month day-of-week), or English such as every monday 09:00.")
    }
  }

  // MARK: Fields

  private func numbers(_ text: String, _ field: CronField) throws(JobError) -> UInt64 {
    var set = UInt64(0)
    for term in terms(text) { set |= try numbers(term: term, field) }
    return set
  }

  private func terms(_ text: String) -> [Substring] {
    text.split(separator: ",", omittingEmptySubsequences: false)
  }

  private func readDaysOfMonth(_ text: String, into days: inout DayRule) throws(JobError) {
    for term in terms(text) {
      switch term {
      case "l":
        try requireExtensions(term, .dayOfMonth)
        days.includesLastDay = true
      case "lw":
        try requireExtensions(term, .dayOfMonth)
        days.includesLastWorkday = true
      case let term where term.hasSuffix("w"):
        try requireExtensions(term, .dayOfMonth)
        days.nearestWorkdays.insert(try number(term.dropLast(), .dayOfMonth))
      default:
        days.daysOfMonth |= try numbers(term: term, .dayOfMonth)
      }
    }
  }

  private func readWeekdays(_ text: String, into days: inout DayRule) throws(JobError) {
    for term in terms(text) {
      if term == "l" {
        throw .schedule(
          "L alone names no weekday in the field day-of-week. Write the day before it, such as 5L for the last Friday.",
          field: CronField.dayOfWeek.name)
      } else if term.hasSuffix("l") {
        try requireExtensions(term, .dayOfWeek)
        days.lastWeekdays.insert(try number(term.dropLast(), .dayOfWeek) % 7)
      } else if let sign = term.firstIndex(of: "#") {
        try requireExtensions(term, .dayOfWeek)
        let count = term[term.index(after: sign)...]
        guard count.utf8.count == 1, let nth = Int(count), (1...5).contains(nth) else {
          throw .schedule(
            "After # stands the week, 1 to 5, as in MON#2; “\(JobError.excerpt(term))” has another.",
            field: CronField.dayOfWeek.name)
        }
        days.nthWeekdays.insert((nth - 1) * 7 + (try number(term[..<sign], .dayOfWeek)) % 7)
      } else {
        let numbers = try numbers(term: term, .dayOfWeek)
        days.weekdays |= (numbers | numbers >> 7) & DayRule.allWeekdays
      }
    }
  }

  private func requireExtensions(_ term: Substring, _ field: CronField) throws(JobError) {
    guard takesExtensions else {
      throw .schedule(
        "“\(JobError.excerpt(term.uppercased()))” is not supported by Cloud Scheduler: L, W and # are extensions. "
          + "Write numbers, lists, ranges and steps only, or English such as 1st monday of month 09:00.",
        field: field.name)
    }
  }

  // MARK: Terms

  /// Parses the numbers of `*`, `a` or `a-b`, each with an optional step.
  private func numbers(term: Substring, _ field: CronField) throws(JobError) -> UInt64 {
    let parts = term.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    let base = parts[0]
    var bounds: ClosedRange<Int>
    if base == "*" {
      bounds = field.range
    } else if let dash = base.firstIndex(of: "-") {
      let low = try number(base[..<dash], field)
      let high = try number(base[base.index(after: dash)...], field)
      guard low <= high else {
        throw .schedule(
          "The range “\(JobError.excerpt(base.uppercased()))” of the field \(field.name) runs backwards. Write its two "
            + "halves as a list, such as FRI-SAT,SUN-MON or 22-23,0-2.", field: field.name)
      }
      bounds = low...high
    } else {
      let value = try number(base, field)
      bounds = value...(parts.count == 2 ? field.range.upperBound : value)
    }
    guard parts.count == 2 else { return UInt64(bits: bounds) }
    guard (1...4).contains(parts[1].utf8.count), let step = CivilDate.number(Array(parts[1].utf8)[...]), step > 0 else {
      throw .schedule(
        "The step “/\(JobError.excerpt(parts[1]))” of the field \(field.name) is not a whole number of at least 1. "
          + "Write */5 or 0-30/10.", field: field.name)
    }
    var set = UInt64(0)
    for value in stride(from: bounds.lowerBound, through: bounds.upperBound, by: step) { set.insert(value) }
    return set
  }

  private func number(_ text: Substring, _ field: CronField) throws(JobError) -> Int {
    if let index = field.names.firstIndex(where: { $0 == text }) {
      return index + (field == .month ? 1 : 0)
    }
    let shown = text.isEmpty ? "An empty term" : "“\(JobError.excerpt(text.uppercased()))”"
    guard (1...4).contains(text.utf8.count), let value = CivilDate.number(Array(text.utf8)[...]) else {
      let remedy = text == "?" ? " Write * instead of ?." : ""
      throw .schedule(
        "\(shown) is not a value of the field \(field.name), which accepts \(field.expectation), *, lists, ranges and "
          + "steps.\(remedy)", field: field.name)
    }
    guard field.range.contains(value) else {
      throw .schedule(
        "\(shown) is out of range in the field \(field.name), which accepts \(field.expectation).", field: field.name)
    }
    return value
  }
}

/// A field of a cron expression.
enum CronField: String, Hashable, Sendable, CaseIterable {
  case second
  case minute
  case hour
  case dayOfMonth = "day-of-month"
  case month
  case dayOfWeek = "day-of-week"

  /// The field's name in messages.
  var name: String { rawValue }

  /// The valid range; in the field day-of-week, 0 and 7 are both Sunday.
  var range: ClosedRange<Int> {
    switch self {
    case .second, .minute: 0...59
    case .hour: 0...23
    case .dayOfMonth: 1...31
    case .month: 1...12
    case .dayOfWeek: 0...7
    }
  }

  /// Three-letter names, starting at the range's lower bound.
  var names: [String] {
    switch self {
    case .month: CalendarWords.months.map { String($0.prefix(3)) }
    case .dayOfWeek: CalendarWords.weekdays.map { String($0.prefix(3)) }
    default: []
    }
  }

  /// A description of the valid values.
  var expectation: String {
    switch self {
    case .month: "1 to 12 or JAN to DEC"
    case .dayOfWeek: "0 to 7 (0 and 7 are Sunday) or SUN to SAT"
    default: "\(range.lowerBound) to \(range.upperBound)"
    }
  }
}
