/// A day after 1970, found by counting years and months off one by one.
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
