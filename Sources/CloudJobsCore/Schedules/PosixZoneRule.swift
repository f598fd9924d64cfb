/// The rule at the end of a TZif file, which holds after the last transition that the file lists.
///
/// Source: RFC 9636 section 3.3 (<https://www.rfc-editor.org/rfc/rfc9636#section-3.3>).
struct PosixZoneRule: Hashable, Sendable {
  /// The yearly change to daylight saving time and back.
  struct Saving: Hashable, Sendable {
    var offset: Int64
    var start: ZoneYearDay
    var end: ZoneYearDay
  }

  /// Seconds to add to UTC in standard time.
  var offset: Int64
  /// Daylight saving time, where the zone has it.
  var saving: Saving?

  /// The stretch of constant offset around a second, by arithmetic on the year: no table grows with the future.
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

  /// The stretch where both changes of a year lie within it, as those of all real zones do.
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

  /// The stretch between the changes next to a second, in whatever order a strange rule puts them.
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

  /// Narrows a span to the change that is nearest before a second, or nearest after it.
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

  /// Whether daylight saving time ends only when the next one begins, so that it holds all year.
  var savesAllYear: Bool {
    guard let saving else { return false }
    return (2_000...2_004).allSatisfy { year in
      end(in: year, saving) >= start(in: year + 1, saving)
    }
  }
}
