extension PosixZoneRule {
  /// Reads a POSIX `TZ` text such as `CET-1CEST,M3.5.0,M10.5.0/3`, or nil where it is not one.
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

  /// Reads the parts of a `TZ` text one after the other.
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

    /// Reads `[+-]hh[:mm[:ss]]`, in seconds.
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
