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
    var span = ZoneSpan(start: -ZoneSpan.edge, end: ZoneSpan.edge, offset: offset, previousOffset: offset)
    guard let saving else { return span }
    let bounded = min(max(second, -ZoneSpan.edge / 2), ZoneSpan.edge / 2)
    let day = (bounded + offset).flooringDivision(by: 86_400).quotient
    let year = CivilDate(daysSinceEpoch: Int(day)).year
    for candidate in (year - 1)...(year + 1) {
      consider(saving.end.localSecond(in: candidate) - saving.offset, offset, after: saving.offset, second, &span)
      consider(saving.start.localSecond(in: candidate) - offset, saving.offset, after: offset, second, &span)
    }
    return span
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
      saving.end.localSecond(in: year) - saving.offset >= saving.start.localSecond(in: year + 1) - offset
    }
  }
}
