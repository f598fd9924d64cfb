import TestSupport

/// A random cron expression with its meaning as plain tables, independent of the code under test.
struct RandomExpression {
  var text = ""
  var seconds = [Bool](repeating: false, count: 60)
  var minutes = [Bool](repeating: false, count: 60)
  var hours = [Bool](repeating: false, count: 24)
  var days = [Bool](repeating: false, count: 32)
  var months = [Bool](repeating: false, count: 13)
  var weekdays = [Bool](repeating: false, count: 8)
  var hasLastDay = false
  var hasLastWorkday = false
  var nearestWorkday: Int?
  var nthWeekday: (weekday: Int, nth: Int)?
  var lastWeekday: Int?
  var needsBothDays = false
  var isWildcard = false

  static let monthNames = ["JAN", "Feb", "mar", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
  static let weekdayNames = ["SUN", "Mon", "tue", "WED", "THU", "FRI", "SAT"]

  init(hasSeconds: Bool = false, using random: inout SeededGenerator) {
    seconds[0] = true
    var fields: [String] = []
    if hasSeconds {
      seconds[0] = false
      fields.append(Self.field(&seconds, 0, 59, [], &random))
    }
    let minute = Self.field(&minutes, 0, 59, [], &random)
    let hour = Self.field(&hours, 0, 23, [], &random)
    let day = dayField(&random)
    let month = Int.random(in: 0..<3, using: &random) == 0 ? Self.field(&months, 1, 12, Self.monthNames, &random) : "*"
    if month == "*" { for number in 1...12 { months[number] = true } }
    let weekday = weekdayField(&random)
    if weekdays[7] { weekdays[0] = true }
    fields += [minute, hour, day, month, weekday]
    text = fields.joined(separator: " ")
    needsBothDays = day.first == "*" || weekday.first == "*"
    isWildcard = minute.first == "*" || hour.first == "*"
  }

  private mutating func dayField(_ random: inout SeededGenerator) -> String {
    switch Int.random(in: 0..<12, using: &random) {
    case 0:
      hasLastDay = true
      return "L"
    case 1:
      hasLastWorkday = true
      return "LW"
    case 2:
      let day = Int.random(in: 1...31, using: &random)
      nearestWorkday = day
      return "\(day)W"
    default:
      return Self.field(&days, 1, 31, [], &random)
    }
  }

  private mutating func weekdayField(_ random: inout SeededGenerator) -> String {
    let weekday = Int.random(in: 0...6, using: &random)
    switch Int.random(in: 0..<12, using: &random) {
    case 0:
      let nth = Int.random(in: 1...5, using: &random)
      nthWeekday = (weekday, nth)
      return "\(Self.weekdayNames[weekday])#\(nth)"
    case 1:
      lastWeekday = weekday
      return "\(weekday)L"
    default:
      return Self.field(&weekdays, 0, 7, Self.weekdayNames, &random)
    }
  }

  private static func field(
    _ set: inout [Bool], _ low: Int, _ high: Int, _ names: [String], _ random: inout SeededGenerator
  ) -> String {
    let kind = Int.random(in: 0..<20, using: &random)
    if kind < 7 {
      for value in low...high { set[value] = true }
      return "*"
    }
    if kind < 9 {
      let step = Int.random(in: 1...high, using: &random)
      for value in stride(from: low, through: high, by: step) { set[value] = true }
      return "*/\(step)"
    }
    let count = [1, 1, 1, 2, 4].randomElement(using: &random) ?? 1
    let terms = (0..<count).map { _ in
      let first = Int.random(in: low...high, using: &random)
      let last = Int.random(in: first...high, using: &random)
      let step = Int.random(in: 1...10, using: &random)
      switch Int.random(in: 0..<10, using: &random) {
      case 0, 1:
        for value in first...last { set[value] = true }
        return "\(first)-\(last)"
      case 2:
        for value in stride(from: first, through: last, by: step) { set[value] = true }
        return "\(first)-\(last)/\(step)"
      case 3:
        for value in stride(from: first, through: high, by: step) { set[value] = true }
        return "\(first)/\(step)"
      default:
        set[first] = true
        return first - low < names.count && step > 5 ? names[first - low] : "\(first)"
      }
    }
    return terms.joined(separator: ",")
  }

  /// Returns whether a calendar day matches the expression.
  func fits(_ date: PlainDate) -> Bool {
    guard months[date.month] else { return false }
    let length = date.monthLength
    var byMonth = days[date.day] || (hasLastDay && date.day == length)
    if hasLastWorkday { byMonth = byMonth || date.day == date.workday(nearest: length) }
    if let nearestWorkday, nearestWorkday <= length {
      byMonth = byMonth || date.day == date.workday(nearest: nearestWorkday)
    }
    var byWeek = weekdays[date.weekday]
    if let nthWeekday {
      byWeek = byWeek || (date.weekday == nthWeekday.weekday && (date.day - 1) / 7 + 1 == nthWeekday.nth)
    }
    if let lastWeekday { byWeek = byWeek || (date.weekday == lastWeekday && date.day + 7 > length) }
    return needsBothDays ? byMonth && byWeek : byMonth || byWeek
  }
}

/// A day after 1970, found by counting years and months.
struct PlainDate {
  var year = 1970
  var month = 1
  var day = 1
  var weekday: Int

  init(daysSince1970: Int) {
    weekday = (daysSince1970 + 4) % 7
    var rest = daysSince1970
    while rest >= (Self.isLeap(year) ? 366 : 365) {
      rest -= Self.isLeap(year) ? 366 : 365
      year += 1
    }
    while rest >= monthLength {
      rest -= monthLength
      month += 1
    }
    day = rest + 1
  }

  static func isLeap(_ year: Int) -> Bool {
    year % 400 == 0 || (year % 4 == 0 && year % 100 != 0)
  }

  var monthLength: Int {
    [31, Self.isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
  }

  /// The day from Monday to Friday that is nearest to a day of this month, within the month.
  func workday(nearest target: Int) -> Int {
    let isWorkday = { (candidate: Int) in
      (1...monthLength).contains(candidate) && (1...5).contains((weekday + candidate - day + 35) % 7)
    }
    for distance in 0...2 {
      if isWorkday(target - distance) { return target - distance }
      if isWorkday(target + distance) { return target + distance }
    }
    return 0
  }
}
