/// The description of a calendar schedule in plain English.
enum ScheduleSummary {
  /// Returns the times, days and zone of a rule.
  static func text(of rule: CalendarRule, in zone: Zone) -> String {
    let times = TimeSummary.text(of: rule.times)
    guard !(times.isSameInEveryZone && rule.days.isEveryDay) else { return times.text }
    let days = DaySummary.text(of: rule.days)
    return times.text + (days.isEmpty ? "" : " \(days)") + ", \(zone.name)"
  }

  /// Returns `1 hour` in the form used after `every`: `hour`.
  static func singular(_ words: String) -> String {
    words.hasPrefix("1 ") && !words.dropFirst(2).contains(" ") ? String(words.dropFirst(2)) : words
  }

  /// Returns items separated by commas with a conjunction before the last: `a, b and c`.
  static func list(_ items: [String], _ conjunction: String = "and") -> String {
    guard let last = items.last, items.count > 1 else { return items.first ?? "" }
    return items.dropLast().joined(separator: ", ") + " \(conjunction) \(last)"
  }

  /// Returns numbers as a list in which three or more consecutive numbers become a range: `1 to 5 and 9`.
  static func ranges(_ numbers: [Int], _ name: (Int) -> String) -> String {
    var items: [String] = []
    var index = 0
    while index < numbers.count {
      var end = index
      while end + 1 < numbers.count, numbers[end + 1] == numbers[end] + 1 { end += 1 }
      if end - index >= 2 {
        items.append("\(name(numbers[index])) to \(name(numbers[end]))")
      } else {
        items += numbers[index...end].map(name)
      }
      index = end + 1
    }
    return list(items)
  }

  /// Returns an ordinal number: `1st`.
  static func ordinal(_ number: Int) -> String {
    switch (number % 10, number % 100) {
    case (_, 11...13): "\(number)th"
    case (1, _): "\(number)st"
    case (2, _): "\(number)nd"
    case (3, _): "\(number)rd"
    default: "\(number)th"
    }
  }
}

/// The description of a schedule's days in plain English.
enum DaySummary {
  /// Returns the days and months of a rule; empty for every day.
  static func text(of rule: DayRule) -> String {
    let months = months(rule)
    let byMonth = daysOfMonth(rule)
    let byWeek = weekdays(rule)
    let days: String
    switch (byMonth, byWeek) {
    case (nil, nil):
      days = ""
    case (nil, .some(let week)):
      days = rule.requiresBoth ? "on \(week)" : ""
    case (.some(let month), nil):
      days = rule.requiresBoth ? "on \(month)" : ""
    case (.some(let month), .some(let week)):
      days = rule.requiresBoth ? "on \(month) where it is also \(week)" : "on \(month) or on \(week)"
    }
    return [days, months].filter { !$0.isEmpty }.joined(separator: " ")
  }

  private static func months(_ rule: DayRule) -> String {
    guard rule.months != DayRule.allMonths else { return "" }
    return "in "
      + ScheduleSummary.ranges(rule.months.members) { CalendarWords.capitalized(CalendarWords.months[$0 - 1]) }
  }

  private static func daysOfMonth(_ rule: DayRule) -> String? {
    guard !rule.acceptsAnyDayOfMonth else { return nil }
    var items: [String] = []
    let days = rule.daysOfMonth.members
    if !days.isEmpty {
      items.append("\(days.count == 1 ? "day" : "days") \(ScheduleSummary.ranges(days) { "\($0)" }) of the month")
    }
    for day in rule.nearestWorkdays.members { items.append("the weekday nearest day \(day) of the month") }
    if rule.includesLastDay { items.append("the last day of the month") }
    if rule.includesLastWorkday { items.append("the last weekday of the month") }
    return ScheduleSummary.list(items)
  }

  private static func weekdays(_ rule: DayRule) -> String? {
    guard !rule.acceptsAnyWeekday else { return nil }
    var items: [String] = []
    // The week starts on Monday, so that Sunday comes last.
    let days = rule.weekdays.members.map { $0 == 0 ? 7 : $0 }.sorted()
    if !days.isEmpty { items.append(ScheduleSummary.ranges(days, name)) }
    for nth in 1...5 {
      let days = (rule.nthWeekdays >> UInt64(7 * (nth - 1)) & DayRule.allWeekdays).members
      for day in days { items.append("the \(ScheduleSummary.ordinal(nth)) \(name(day)) of the month") }
    }
    for day in rule.lastWeekdays.members { items.append("the last \(name(day)) of the month") }
    return ScheduleSummary.list(items)
  }

  private static func name(_ weekday: Int) -> String {
    CalendarWords.capitalized(CalendarWords.weekdays[weekday % 7])
  }
}

/// The description of a schedule's times of day in plain English.
enum TimeSummary {
  /// Returns the text, and whether it has the same meaning in every time zone.
  static func text(of times: TimeOfDayRule) -> (text: String, isSameInEveryZone: Bool) {
    switch times {
    case .steps(let steps):
      let interval = every(steps.step)
      if steps.start == 0, steps.end == 86_399 { return ("\(interval), counted from midnight", false) }
      return ("\(interval) from \(clock(steps.start)) to \(clock(steps.end))", false)
    case .fields(let fields):
      return text(of: fields)
    }
  }

  private static let allHours = UInt64(bits: 0...23)
  private static let allMinutes = UInt64(bits: 0...59)

  private static func text(of fields: ClockFields) -> (text: String, isSameInEveryZone: Bool) {
    let hours = fields.hours.members
    let minutes = fields.minutes.members
    let seconds = fields.seconds.members
    if fields.seconds == 1 {
      if let step = cycle(minutes, of: 60), fields.hours == allHours, step < 60 { return (every(step * 60), true) }
      if minutes == [0], let step = cycle(hours, of: 24), step < 24 { return (every(step * 3_600), false) }
      if let window = window(hours, minutes) { return (window, false) }
    } else if let step = cycle(seconds, of: 60), fields.minutes == allMinutes, fields.hours == allHours, step < 60 {
      return (every(step), true)
    }
    if hours.count * minutes.count * seconds.count <= 6 {
      let times = hours.flatMap { hour in
        minutes.flatMap { minute in seconds.map { hour * 3_600 + minute * 60 + $0 } }
      }
      return ("at \(ScheduleSummary.list(times.map(clock)))", false)
    }
    return (general(fields, hours, minutes, seconds), false)
  }

  /// Returns equal steps of minutes over consecutive hours: `every 15 minutes from 09:00 to 17:45`.
  private static func window(_ hours: [Int], _ minutes: [Int]) -> String? {
    guard let first = hours.first, let last = hours.last, hours.count == last - first + 1, hours.count < 24,
      let step = cycle(minutes, of: 60), let lastMinute = minutes.last, hours.count > 1 || minutes.count > 1
    else { return nil }
    return "\(every(step * 60)) from \(clock(first * 3_600)) to \(clock(last * 3_600 + lastMinute * 60))"
  }

  private static func general(_ fields: ClockFields, _ hours: [Int], _ minutes: [Int], _ seconds: [Int]) -> String {
    var parts: [String] = []
    if fields.seconds == allMinutes {
      parts.append("every second")
    } else if fields.seconds != 1 {
      parts.append("at \(noun("second", seconds))")
    }
    if fields.minutes == allMinutes {
      parts.append(parts.isEmpty ? "every minute" : "of every minute")
    } else {
      parts.append(parts.isEmpty ? "at \(noun("minute", minutes))" : "of \(noun("minute", minutes))")
    }
    parts.append(fields.hours == allHours ? "of every hour" : "of \(noun("hour", hours))")
    return parts.joined(separator: " ")
  }

  private static func noun(_ name: String, _ numbers: [Int]) -> String {
    "\(name)\(numbers.count == 1 ? "" : "s") \(ScheduleSummary.ranges(numbers) { "\($0)" })"
  }

  /// Returns the step of numbers that divide a whole into equal parts from 0 on, or nil.
  private static func cycle(_ numbers: [Int], of whole: Int) -> Int? {
    guard whole % numbers.count == 0 else { return nil }
    let step = whole / numbers.count
    return numbers.enumerated().allSatisfy { $0.element == $0.offset * step } ? step : nil
  }

  private static func every(_ seconds: Int) -> String {
    "every \(ScheduleSummary.singular(IntervalText.words(microseconds: Int64(seconds) * 1_000_000)))"
  }

  /// Returns `09:00`, or `09:00:30` if there are seconds.
  private static func clock(_ second: Int) -> String {
    var text: [UInt8] = []
    Timestamp.appendDigits(second / 3_600, width: 2, to: &text)
    text.append(UInt8(ascii: ":"))
    Timestamp.appendDigits(second / 60 % 60, width: 2, to: &text)
    if second % 60 != 0 {
      text.append(UInt8(ascii: ":"))
      Timestamp.appendDigits(second % 60, width: 2, to: &text)
    }
    return String(decoding: text, as: UTF8.self)
  }
}

/// The names of months and weekdays, in lower case.
enum CalendarWords {
  static let months = [
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
  ]

  static let weekdays = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]

  /// Returns the number of a month, 1 to 12, from its full name or first three letters.
  static func month(_ word: String) -> Int? {
    index(of: word, in: months).map { $0 + 1 }
  }

  /// Returns the number of a weekday, 0 (Sunday) to 6, from its full name or first three letters.
  static func weekday(_ word: String) -> Int? {
    index(of: word, in: weekdays)
  }

  private static func index(of word: String, in names: [String]) -> Int? {
    names.firstIndex { $0 == word || (word.utf8.count == 3 && $0.hasPrefix(word)) }
  }

  /// Returns a capitalized name.
  static func capitalized(_ name: String) -> String {
    name.prefix(1).uppercased() + name.dropFirst()
  }
}
