/// Puts a calendar schedule into plain English.
enum ScheduleSummary {
  /// The times, the days and the zone of a rule.
  static func text(of rule: CalendarRule, in zone: Zone) -> String {
    let times = TimeSummary.text(of: rule.times)
    guard !(times.isSameInEveryZone && rule.days.isEveryDay) else { return times.text }
    let days = DaySummary.text(of: rule.days)
    return times.text + (days.isEmpty ? "" : " \(days)") + ", \(zone.name)"
  }

  /// `1 hour` as it stands after `every`: `hour`.
  static func singular(_ words: String) -> String {
    words.hasPrefix("1 ") && !words.dropFirst(2).contains(" ") ? String(words.dropFirst(2)) : words
  }

  /// Items with commas, and a word before the last: `a, b and c`.
  static func list(_ items: [String], _ conjunction: String = "and") -> String {
    guard let last = items.last, items.count > 1 else { return items.first ?? "" }
    return items.dropLast().joined(separator: ", ") + " \(conjunction) \(last)"
  }

  /// Numbers as a list in which three or more in a row become a range: `1 to 5 and 9`.
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

  /// A number with its ending: `1st`.
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
