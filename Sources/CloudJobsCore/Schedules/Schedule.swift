/// The times at which a job is due: a cron expression, an interval, a single time, or Cloud Scheduler's English form.
///
/// A schedule is a value without a clock: it returns the times after or before a given time. All times are in the years
/// 1 to 9999.
public struct Schedule: Hashable, Sendable {
  /// The parsed text without surrounding blanks; ``init(parsing:in:anchor:)`` accepts it again.
  public let text: String
  let form: Form

  enum Form: Hashable, Sendable {
    case calendar(ZonedRule)
    case interval(IntervalGrid)
    case once(Timestamp)
  }

  init(text: String, form: Form) {
    self.text = text
    self.form = form
  }

  /// The maximum length of a schedule's text, in bytes.
  public static let maximumLength = 256

  /// Returns the first due time strictly after a given time.
  ///
  /// - Returns: the time, or nil if there is none: a single time has passed, or the year 10000 would be reached.
  public func next(after time: Timestamp) -> Timestamp? {
    switch form {
    case .calendar(let zoned):
      return zoned.next(after: time)
    case .interval(let grid):
      return grid.next(after: time)
    case .once(let due):
      return due > time ? due : nil
    }
  }

  /// Returns the last due time strictly before a given time.
  ///
  /// - Returns: the time, or nil if there is none: a single time is in the future, or the year 1 is reached.
  public func previous(before time: Timestamp) -> Timestamp? {
    switch form {
    case .calendar(let zoned):
      return zoned.previous(before: time)
    case .interval(let grid):
      return grid.previous(before: time)
    case .once(let due):
      return due < time ? due : nil
    }
  }

  /// Returns the number of due times in a span, by arithmetic, which takes no longer for a time each second than for
  /// one a day.
  ///
  /// - Parameters:
  ///   - start: the earliest time that counts.
  ///   - end: the time before which the times are.
  /// - Returns: the number.
  package func count(from start: Timestamp, before end: Timestamp) -> Int {
    guard start < end else { return 0 }
    switch form {
    case .calendar(let zoned):
      return zoned.count(from: start, before: end)
    case .interval(let grid):
      return grid.count(from: start, before: end)
    case .once(let due):
      return due >= start && due < end ? 1 : 0
    }
  }

  /// A description in plain English: `every 5 minutes`, `at 09:00 on Monday to Friday, Europe/Berlin`.
  public var summary: String {
    switch form {
    case .calendar(let zoned): ScheduleSummary.text(of: zoned.rule, in: zoned.zone)
    case .interval(let grid): "every \(ScheduleSummary.singular(IntervalText.words(microseconds: grid.step)))"
    case .once(let due): "once, at \(due)"
    }
  }

  /// The time zone of the schedule; nil if it has none, as for an interval.
  public var zone: Zone? {
    if case .calendar(let zoned) = form { zoned.zone } else { nil }
  }

  /// Returns a note for people about a run that is affected by a clock change.
  ///
  /// Such a run compensates for a skipped time, or takes place in an hour that repeats.
  ///
  /// - Parameter time: the time of a run.
  /// - Returns: a sentence, or nil if no clock change affects the run or no run is due at that time.
  public func note(at time: Timestamp) -> String? {
    if case .calendar(let zoned) = form { zoned.note(at: time) } else { nil }
  }
}

extension Schedule: CustomStringConvertible {
  /// The parsed text.
  public var description: String { text }
}

extension Schedule {
  /// Returns the schedule of a cron expression.
  ///
  /// It has five fields (minute, hour, day of month, month, day of week), or six with the seconds first. Macros are
  /// `@yearly`, `@annually`, `@monthly`, `@weekly`, `@daily`, `@midnight` and `@hourly`; extensions are `L`, `LW`,
  /// `15W`, `MON#2` and `5L`. Both day fields must match if one of them begins with `*`, otherwise either. Clock
  /// changes are handled as in Debian's cron (<https://manpages.debian.org/bookworm/cron/cron.8.en.html>), also with
  /// six fields.
  ///
  /// - Parameters:
  ///   - text: the expression, at most ``maximumLength`` bytes.
  ///   - zone: the time zone of the expression.
  /// - Returns: the schedule.
  /// - Throws: ``JobError`` `invalidSchedule` with the invalid cron field, also if the expression can never fire.
  public static func cron(_ text: String, in zone: Zone) throws(JobError) -> Schedule {
    let text = try trimmed(text)
    return Schedule(text: text, form: .calendar(ZonedRule(try CronParser().rule(text), in: zone)))
  }

  /// Returns a schedule with a fixed interval.
  ///
  /// Its times lie on a grid through the anchor, in both directions, so runs do not drift.
  ///
  /// - Parameters:
  ///   - interval: the interval: whole milliseconds, at most 400 years.
  ///   - anchor: a time of the grid.
  /// - Returns: the schedule.
  /// - Throws: ``JobError`` `invalidSchedule` if the interval is out of range.
  public static func every(_ interval: Duration, anchor: Timestamp = .epoch) throws(JobError) -> Schedule {
    let grid = try grid(interval, anchor: anchor)
    return Schedule(text: IntervalText.text(microseconds: grid.step), form: .interval(grid))
  }

  /// Returns a schedule with a fixed interval from text: `30s`, `5m`, `1h`, `1d`, `1h30m`, `@every 5m`.
  ///
  /// - Parameters:
  ///   - text: numbers with the units w, d, h, m, s and ms, longest first.
  ///   - anchor: a time of the grid.
  /// - Returns: the schedule.
  /// - Throws: ``JobError`` `invalidSchedule` if the text is invalid or the interval is out of range.
  public static func interval(_ text: String, anchor: Timestamp = .epoch) throws(JobError) -> Schedule {
    let text = try trimmed(text)
    var interval = text[...]
    if text.lowercased().hasPrefix("@every ") { interval = text.dropFirst(7).drop { $0 == " " } }
    return Schedule(
      text: text, form: .interval(try grid(try IntervalText.duration(String(interval)), anchor: anchor)))
  }

  /// Returns a schedule that is due once.
  public static func at(_ time: Timestamp) -> Schedule {
    Schedule(text: "at \(time)", form: .once(time))
  }

  /// Returns a schedule in the English form of App Engine's cron and Cloud Scheduler.
  ///
  /// `every 5 minutes` alone is a grid through the anchor, like ``every(_:anchor:)``. With `from 09:00 to 17:00` it
  /// restarts each day at the first time and ends with the second, both inclusive; `synchronized` restarts at midnight.
  /// These two follow local time like a wildcard cron job. `every monday 09:00`, `2nd,third mon,wed of march 17:00`,
  /// `1,3 of jan 09:00` and `1st monday of quarter 09:00` are fixed-time jobs.
  ///
  /// Source: <https://cloud.google.com/appengine/docs/standard/scheduling-jobs-with-cron-yaml#schedule_format>.
  ///
  /// - Parameters:
  ///   - text: the schedule; case does not matter.
  ///   - zone: the time zone of the schedule.
  ///   - anchor: a time of the grid, for an interval without times.
  /// - Returns: the schedule.
  /// - Throws: ``JobError`` `invalidSchedule` with the supported forms.
  public static func english(
    _ text: String, in zone: Zone, anchor: Timestamp = .epoch
  ) throws(JobError) -> Schedule {
    try english(text, in: zone, anchor: anchor, isStrict: false)
  }

  /// Returns a schedule in Cloud Scheduler's syntax: exactly five cron fields without extensions, or the English form.
  ///
  /// Source: <https://cloud.google.com/scheduler/docs/configuring/cron-job-schedules>.
  ///
  /// - Parameters:
  ///   - text: the schedule.
  ///   - zone: the time zone of the schedule.
  ///   - anchor: a time of the grid, for an English interval without times.
  /// - Returns: the schedule.
  /// - Throws: ``JobError`` `invalidSchedule`.
  public static func unixCron(
    _ text: String, in zone: Zone, anchor: Timestamp = .epoch
  ) throws(JobError) -> Schedule {
    let text = try trimmed(text)
    if EnglishParser.resembles(text) { return try english(text, in: zone, anchor: anchor, isStrict: true) }
    return Schedule(text: text, form: .calendar(ZonedRule(try CronParser(takesExtensions: false).rule(text), in: zone)))
  }

  /// Creates a schedule from text in any supported form.
  ///
  /// - Parameters:
  ///   - text: a cron expression or macro, an interval (`5m`, `@every 5m`), the English form, or an RFC 3339 time with
  ///     an optional `at` before it; a time without an offset is in UTC.
  ///   - zone: the time zone for cron and English forms.
  ///   - anchor: a time of the grid, for intervals.
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
      throw .schedule("Expected an RFC 3339 time after at, such as 2026-11-21T02:54:00Z.", field: "at")
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

  /// Returns text without surrounding blanks, after checking its length.
  private static func trimmed(_ text: String) throws(JobError) -> String {
    guard text.utf8.count <= maximumLength else {
      throw .schedule("The schedule has \(text.utf8.count) bytes; at most \(maximumLength) are allowed.")
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
