extension Schedule {
  /// A schedule from a cron expression.
  ///
  /// Five fields (minute, hour, day of month, month, day of week) or six with the seconds first; the macros `@yearly`,
  /// `@annually`, `@monthly`, `@weekly`, `@daily`, `@midnight` and `@hourly`; the extensions `L`, `LW`, `15W`, `MON#2`
  /// and `5L`. Both day fields must fit where one of them begins with `*`, else either. Over changes of the clock it
  /// follows Debian's cron (<https://manpages.debian.org/bookworm/cron/cron.8.en.html>), with six fields too.
  ///
  /// - Parameters:
  ///   - text: the expression, at most ``maximumLength`` bytes.
  ///   - zone: the zone whose clock it speaks of.
  /// - Returns: the schedule.
  /// - Throws: ``JobError`` `invalidSchedule`, whose field is the cron field concerned; also where it can never fire.
  public static func cron(_ text: String, in zone: Zone) throws(JobError) -> Schedule {
    let text = try trimmed(text)
    return Schedule(text: text, form: .calendar(ZonedRule(try CronParser().rule(text), in: zone)))
  }

  /// A schedule that is due at a fixed distance.
  ///
  /// Its times lie on a grid through the anchor, in both directions, so that runs do not drift.
  ///
  /// - Parameters:
  ///   - interval: the distance: whole milliseconds, at most 400 years.
  ///   - anchor: a point of the grid.
  /// - Returns: the schedule.
  /// - Throws: ``JobError`` `invalidSchedule` where the interval is out of range.
  public static func every(_ interval: Duration, anchor: Timestamp = .epoch) throws(JobError) -> Schedule {
    let grid = try grid(interval, anchor: anchor)
    return Schedule(text: IntervalText.text(microseconds: grid.step), form: .interval(grid))
  }

  /// A schedule that is due at a fixed distance, from text: `30s`, `5m`, `1h`, `1d`, `1h30m`, `@every 5m`.
  ///
  /// - Parameters:
  ///   - text: numbers with the units w, d, h, m, s and ms, the longest first.
  ///   - anchor: a point of the grid.
  /// - Returns: the schedule.
  /// - Throws: ``JobError`` `invalidSchedule` where the text can't be read, or the interval is out of range.
  public static func interval(_ text: String, anchor: Timestamp = .epoch) throws(JobError) -> Schedule {
    let text = try trimmed(text)
    var interval = text[...]
    if text.lowercased().hasPrefix("@every ") { interval = text.dropFirst(7).drop { $0 == " " } }
    return Schedule(
      text: text, form: .interval(try grid(try IntervalText.duration(String(interval)), anchor: anchor)))
  }

  /// A schedule that is due once.
  public static func at(_ time: Timestamp) -> Schedule {
    Schedule(text: "at \(time)", form: .once(time))
  }

  /// A schedule in the English form of App Engine's cron and Cloud Scheduler.
  ///
  /// `every 5 minutes` alone is a grid through the anchor, as ``every(_:anchor:)`` is. With `from 09:00 to 17:00` it
  /// begins anew each day at the first time and ends with the second, both included; `synchronized` is the same from
  /// midnight on. These two follow the clock on the wall like a wildcard cron job; `every monday 09:00`,
  /// `2nd,third mon,wed of march 17:00`, `1,3 of jan 09:00` and `1st monday of quarter 09:00` are fixed-time jobs.
  ///
  /// Source: <https://cloud.google.com/appengine/docs/standard/scheduling-jobs-with-cron-yaml#schedule_format>.
  ///
  /// - Parameters:
  ///   - text: the schedule; the case of letters does not matter.
  ///   - zone: the zone whose clock it speaks of.
  ///   - anchor: a point of the grid, for a bare interval.
  /// - Returns: the schedule.
  /// - Throws: ``JobError`` `invalidSchedule`, which shows the forms that are taken.
  public static func english(
    _ text: String, in zone: Zone, anchor: Timestamp = .epoch
  ) throws(JobError) -> Schedule {
    try english(text, in: zone, anchor: anchor, isStrict: false)
  }

  /// A schedule as Cloud Scheduler takes it: exactly five cron fields without extensions, or the English form.
  ///
  /// Source: <https://cloud.google.com/scheduler/docs/configuring/cron-job-schedules>.
  ///
  /// - Parameters:
  ///   - text: the schedule.
  ///   - zone: the zone whose clock it speaks of.
  ///   - anchor: a point of the grid, for a bare English interval.
  /// - Returns: the schedule.
  /// - Throws: ``JobError`` `invalidSchedule`.
  public static func unixCron(
    _ text: String, in zone: Zone, anchor: Timestamp = .epoch
  ) throws(JobError) -> Schedule {
    let text = try trimmed(text)
    if EnglishParser.resembles(text) { return try english(text, in: zone, anchor: anchor, isStrict: true) }
    return Schedule(text: text, form: .calendar(ZonedRule(try CronParser(takesExtensions: false).rule(text), in: zone)))
  }

  /// A schedule from any of the texts, told apart by their form.
  ///
  /// - Parameters:
  ///   - text: a cron expression or macro, an interval (`5m`, `@every 5m`), the English form, or an RFC 3339 time, with
  ///     or without `at` before it; a time without an offset is in UTC.
  ///   - zone: the zone whose clock cron and English speak of.
  ///   - anchor: a point of the grid, for intervals.
  /// - Throws: ``JobError`` `invalidSchedule`.
  public init(parsing text: String, in zone: Zone, anchor: Timestamp = .epoch) throws(JobError) {
    let text = try Self.trimmed(text)
    let lowercased = text.lowercased()
    if IntervalText.resembles(text) || lowercased.hasPrefix("@every ") {
      self = try .interval(text, anchor: anchor)
    } else if lowercased.hasPrefix("at ") {
      self = try Self.once(text, time: text.dropFirst(3).drop { $0 == " " })
    } else if let time = Timestamp(rfc3339: text) {
      self.init(text: text, form: .once(time))
    } else if EnglishParser.resembles(text) {
      self = try .english(text, in: zone, anchor: anchor)
    } else {
      self = try .cron(text, in: zone)
    }
  }

  private static func english(
    _ text: String, in zone: Zone, anchor: Timestamp, isStrict: Bool
  ) throws(JobError) -> Schedule {
    let text = try trimmed(text)
    switch try EnglishParser.meaning(text, isStrict: isStrict) {
    case .interval(let seconds):
      return Schedule(text: text, form: .interval(try grid(.seconds(seconds), anchor: anchor)))
    case .calendar(let rule):
      return Schedule(text: text, form: .calendar(ZonedRule(rule, in: zone)))
    }
  }

  private static func once(_ text: String, time: Substring) throws(JobError) -> Schedule {
    guard let time = Timestamp(rfc3339: time) else {
      throw .schedule("After at stands an RFC 3339 time, such as 2026-11-21T02:54:00Z.", field: "at")
    }
    return Schedule(text: text, form: .once(time))
  }

  private static func grid(_ interval: Duration, anchor: Timestamp) throws(JobError) -> IntervalGrid {
    let step = interval.microseconds
    guard interval >= IntervalGrid.shortest, interval <= IntervalGrid.longest, .microseconds(step) == interval,
      step % 1_000 == 0
    else {
      throw .schedule(
        "The interval must be whole milliseconds, from 1 ms to 146,097 days (400 years).", field: "interval")
    }
    return IntervalGrid(step: step, anchor: anchor)
  }

  /// A text without blanks at its ends, within the limit.
  private static func trimmed(_ text: String) throws(JobError) -> String {
    guard text.utf8.count <= maximumLength else {
      throw .schedule("The schedule has \(text.utf8.count) bytes; at most \(maximumLength) are taken.")
    }
    let isBlank = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
    var bytes = text.utf8.drop(while: isBlank)
    while let last = bytes.last, isBlank(last) { bytes.removeLast() }
    guard !bytes.isEmpty else {
      throw .schedule("The schedule is empty. Write five cron fields such as 0 9 * * 1-5, or an interval such as 5m.")
    }
    return String(Substring(bytes))
  }
}
