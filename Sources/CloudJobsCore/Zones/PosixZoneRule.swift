/// The rule at the end of a TZif file, which applies after the last listed transition.
///
/// Source: RFC 9636 section 3.3 (<https://www.rfc-editor.org/rfc/rfc9636#section-3.3>).
struct PosixZoneRule: Hashable, Sendable {
  /// The yearly change to daylight saving time and back.
  struct Saving: Hashable, Sendable {
    var offset: Int64
    var start: ZoneYearDay
    var end: ZoneYearDay
  }

  /// The seconds to add to UTC in standard time.
  var offset: Int64
  /// Daylight saving time, if the zone has it.
  var saving: Saving?

  /// Returns the span of constant offset around a second, computed from the year, so no table grows with the future.
  func span(at second: Int64) -> ZoneSpan {
    guard let saving else {
      return ZoneSpan(start: -ZoneSpan.edge, end: ZoneSpan.edge, offset: offset, previousOffset: offset)
    }
    let bounded = min(max(second, -ZoneSpan.edge / 2), ZoneSpan.edge / 2)
    let day = (bounded + offset).flooringDivision(by: 86_400).quotient
    let year = CivilDate(daysSinceEpoch: Int(day)).year
    let span = ordinarySpan(at: second, in: year, saving)
    return span.start <= second && second < span.end ? span : widestSpan(at: second, around: year, saving)
  }

  /// Returns the span if both changes of a year lie within it, as for all real zones.
  private func ordinarySpan(at second: Int64, in year: Int, _ saving: Saving) -> ZoneSpan {
    let start = self.start(in: year, saving)
    let end = self.end(in: year, saving)
    let isSaving = start < end ? start <= second && second < end : !(end <= second && second < start)
    if isSaving {
      return ZoneSpan(
        start: second < start ? self.start(in: year - 1, saving) : start,
        end: second < end ? end : self.end(in: year + 1, saving), offset: saving.offset, previousOffset: offset)
    }
    return ZoneSpan(
      start: second < end ? self.end(in: year - 1, saving) : end,
      end: second < start ? start : self.start(in: year + 1, saving), offset: offset, previousOffset: saving.offset)
  }

  /// Returns the span between the changes next to a second, in whatever order an unusual rule lists them.
  private func widestSpan(at second: Int64, around year: Int, _ saving: Saving) -> ZoneSpan {
    var span = ZoneSpan(start: -ZoneSpan.edge, end: ZoneSpan.edge, offset: offset, previousOffset: offset)
    for year in (year - 1)...(year + 1) {
      consider(end(in: year, saving), offset, after: saving.offset, second, &span)
      consider(start(in: year, saving), saving.offset, after: offset, second, &span)
    }
    return span
  }

  private func start(in year: Int, _ saving: Saving) -> Int64 {
    saving.start.localSecond(in: year) - offset
  }

  private func end(in year: Int, _ saving: Saving) -> Int64 {
    saving.end.localSecond(in: year) - saving.offset
  }

  /// Narrows a span to the nearest change before or after a second.
  private func consider(
    _ change: Int64, _ newOffset: Int64, after oldOffset: Int64, _ second: Int64, _ span: inout ZoneSpan
  ) {
    if change > second {
      span.end = min(span.end, change)
    } else if change >= span.start {
      span.start = change
      span.offset = newOffset
      span.previousOffset = oldOffset
    }
  }

  /// Whether daylight saving time ends only when the next one begins, so that it applies all year.
  var savesAllYear: Bool {
    guard let saving else { return false }
    return (2_000...2_004).allSatisfy { year in
      end(in: year, saving) >= start(in: year + 1, saving)
    }
  }
}

extension PosixZoneRule {
  /// Parses a POSIX `TZ` text such as `CET-1CEST,M3.5.0,M10.5.0/3`; nil for other text.
  init?(_ text: ArraySlice<UInt8>) {
    var reader = Reader(bytes: text)
    guard reader.skipName(), let west = reader.time(maximumHours: 24) else { return nil }
    self.init(offset: -west, saving: nil)
    guard !reader.isAtEnd else { return }
    guard reader.skipName() else { return nil }
    var savingOffset = offset + 3_600
    if !reader.isAtEnd, !reader.isAt(",") {
      guard let west = reader.time(maximumHours: 24) else { return nil }
      savingOffset = -west
    }
    let usualTime: Int64 = 7_200
    var start = ZoneYearDay(day: .weekday(month: 3, week: 2, weekday: 0), time: usualTime)
    var end = ZoneYearDay(day: .weekday(month: 11, week: 1, weekday: 0), time: usualTime)
    if !reader.isAtEnd {
      guard reader.take(","), let first = reader.yearDay(), reader.take(","), let second = reader.yearDay(),
        reader.isAtEnd
      else { return nil }
      (start, end) = (first, second)
    }
    saving = Saving(offset: savingOffset, start: start, end: end)
    if savesAllYear { self.init(offset: savingOffset, saving: nil) }
  }

  /// A parser for the parts of a `TZ` text.
  private struct Reader {
    var bytes: ArraySlice<UInt8>

    var isAtEnd: Bool { bytes.isEmpty }

    func isAt(_ character: Unicode.Scalar) -> Bool {
      bytes.first == UInt8(ascii: character)
    }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard isAt(character) else { return false }
      bytes.removeFirst()
      return true
    }

    mutating func skipName() -> Bool {
      if take("<") {
        guard let close = bytes.firstIndex(of: UInt8(ascii: ">")), close - bytes.startIndex >= 3 else { return false }
        bytes = bytes[(close + 1)...]
        return true
      }
      let rest = bytes.drop { byte in (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) }
      let isLongEnough = bytes.count - rest.count >= 3
      bytes = rest
      return isLongEnough
    }

    mutating func number(maximum: Int) -> Int? {
      let rest = bytes.drop { byte in (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
      guard bytes.count - rest.count <= 3, let value = CivilDate.number(bytes[..<rest.startIndex]), value <= maximum
      else { return nil }
      bytes = rest
      return value
    }

    /// Parses `[+-]hh[:mm[:ss]]`, in seconds.
    mutating func time(maximumHours: Int) -> Int64? {
      let isNegative = isAt("-")
      if isNegative || isAt("+") { bytes.removeFirst() }
      guard let hours = number(maximum: maximumHours) else { return nil }
      var seconds = hours * 3_600
      if take(":") {
        guard let minutes = number(maximum: 59) else { return nil }
        seconds += minutes * 60
        if take(":") {
          guard let rest = number(maximum: 59) else { return nil }
          seconds += rest
        }
      }
      return Int64(isNegative ? -seconds : seconds)
    }

    mutating func yearDay() -> ZoneYearDay? {
      guard let day = day() else { return nil }
      guard take("/") else { return ZoneYearDay(day: day, time: 7_200) }
      guard let time = time(maximumHours: 167) else { return nil }
      return ZoneYearDay(day: day, time: time)
    }

    private mutating func day() -> ZoneYearDay.Day? {
      if take("J") {
        guard let day = number(maximum: 365), day >= 1 else { return nil }
        return .julian(day)
      }
      guard take("M") else { return number(maximum: 365).map { .ordinal($0) } }
      guard let month = number(maximum: 12), month >= 1, take("."), let week = number(maximum: 5), week >= 1,
        take("."), let weekday = number(maximum: 6)
      else { return nil }
      return .weekday(month: month, week: week, weekday: weekday)
    }
  }
}

/// The second of a year at which a POSIX rule changes the clock: a day, and a time of day before the change.
///
/// Source: POSIX, "TZ" (<https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap08.html>), with times from
/// −167 to 167 hours as RFC 9636 section 3.3.1 extends them (<https://www.rfc-editor.org/rfc/rfc9636#section-3.3.1>).
struct ZoneYearDay: Hashable, Sendable {
  /// The form in which the day is given.
  enum Day: Hashable, Sendable {
    /// `Jn`: day 1 to 365, where 29 February is never counted.
    case julian(Int)
    /// `n`: day 0 to 365, where 29 February is counted.
    case ordinal(Int)
    /// `Mm.w.d`: the w-th weekday d of month m; week 5 is the last.
    case weekday(month: Int, week: Int, weekday: Int)
  }

  var day: Day
  /// Seconds from midnight by the clock before the change.
  var time: Int64

  /// Returns the time of the change in a year, in local seconds since 1970 before the change.
  func localSecond(in year: Int) -> Int64 {
    Int64(dayNumber(in: year)) * 86_400 + time
  }

  private func dayNumber(in year: Int) -> Int {
    switch day {
    case .julian(let number):
      let january = CivilDate(year: year, month: 1, day: 1).daysSinceEpoch
      return january + number - 1 + (CivilDate.isLeap(year) && number >= 60 ? 1 : 0)
    case .ordinal(let number):
      return CivilDate(year: year, month: 1, day: 1).daysSinceEpoch + number
    case .weekday(let month, let week, let weekday):
      let first = CivilDate(year: year, month: month, day: 1)
      let toWeekday = (weekday - first.weekday + 7) % 7
      let length = CivilDate.daysInMonth(month, of: year)
      var day = toWeekday + (week - 1) * 7
      if day >= length { day -= 7 }
      return first.daysSinceEpoch + day
    }
  }
}
