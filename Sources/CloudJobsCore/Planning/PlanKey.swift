/// Schedule, zone and start of a job as one text, for which its next time was computed: when it changes, the next time
/// must be computed again.
public struct PlanKey: Hashable, Sendable, CustomStringConvertible {
  /// The schedule's text.
  public let schedule: String
  /// The IANA name of the time zone.
  public let timeZone: String
  private let start: String?

  private static let zoneMark = " @ "
  private static let startMark = " from "

  /// Creates the key of a job; nil without a schedule.
  init?(_ job: ResolvedJob) {
    guard let schedule = job.schedule else { return nil }
    (self.schedule, timeZone) = (schedule.text, job.zone.name)
    start =
      switch job.policy.startAt {
      case .day(let date)?: "\(date)"
      case .instant(let time)?: "\(time)"
      case nil: nil
      }
  }

  /// Parses the text of a key; nil for another text.
  public init?(_ text: String) {
    guard let mark = text.ranges(of: Self.zoneMark).last else { return nil }
    schedule = String(text[..<mark.lowerBound])
    let rest = text[mark.upperBound...]
    if let from = rest.firstRange(of: Self.startMark) {
      (timeZone, start) = (String(rest[..<from.lowerBound]), String(rest[from.upperBound...]))
    } else {
      (timeZone, start) = (String(rest), nil)
    }
  }

  /// The text, such as `0 9 * * * @ Europe/Berlin from 2026-01-31`.
  public var description: String {
    schedule + Self.zoneMark + timeZone + (start.map { Self.startMark + $0 } ?? "")
  }

  /// Returns the schedule that the key stands for.
  ///
  /// - Parameter zones: the source of time zones.
  /// - Returns: the schedule.
  /// - Throws: ``JobError`` `invalidSchedule` or `invalidTimeZone`.
  public func resolve(in zones: ZoneCatalog) throws(JobError) -> Schedule {
    let anchor = start.flatMap { $0.contains("T") ? Timestamp(rfc3339: $0) : nil } ?? .epoch
    return try Schedule(parsing: schedule, in: try zones.zone(named: timeZone), anchor: anchor)
  }
}
