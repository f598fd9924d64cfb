/// A day or an instant, as people write dates into job documents.
///
/// A bare day means that day in the job's own zone; an instant names the day on which it falls there.
public enum CalendarMoment: Hashable, Sendable {
  /// A calendar day, wherever the job lives.
  case day(CivilDate)
  /// A point in time.
  case instant(Timestamp)

  /// The calendar day in a zone.
  public func day(in zone: Zone) -> CivilDate {
    switch self {
    case .day(let date): date
    case .instant(let time): zone.date(at: time)
    }
  }
}
