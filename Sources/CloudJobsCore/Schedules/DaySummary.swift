/// Puts the days of a schedule into plain English.
enum DaySummary {
  /// The days and months of a rule; empty where it is every day.
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
    // The week is read from Monday, so that Sunday stands at its end.
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
