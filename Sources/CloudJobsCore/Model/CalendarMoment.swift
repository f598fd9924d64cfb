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
    case .instant(let time): zone.day(at: time)
    }
  }
}

extension Zone {
  /// The calendar day on which a time falls in this zone.
  public func day(at time: Timestamp) -> CivilDate {
    let local = time.seconds + Int64(offset(at: time))
    return CivilDate(daysSinceEpoch: Int(local.flooringDivision(by: 86_400).quotient))
  }
}
