/// The party that fires the schedules of scheduled jobs in a deployment.
public enum ScheduleOwner: String, Hashable, Sendable, CaseIterable {
  /// Cloud Scheduler, or its emulator, which holds one job for each scheduled job that it can express.
  case cloudScheduler
  /// The master pass: there is no Cloud Scheduler, as on a machine with its own store.
  case masterPass
}

/// The trigger of one job's schedule, by the one rule that runtime, sync and simulation share.
///
/// | kind | owner | `trigger` of the job | schedule | route |
/// | --- | --- | --- | --- | --- |
/// | endpoint | any | any | any | ``none`` |
/// | periodic | any | any | any | ``masterPass(reason:)`` |
/// | scheduled | master pass | any | any | ``masterPass(reason:)`` |
/// | scheduled | Cloud Scheduler | `masterPass` | any | ``masterPass(reason:)`` |
/// | scheduled | Cloud Scheduler | `cloudScheduler` | inexpressible there | ``masterPass(reason:)`` |
/// | scheduled | Cloud Scheduler | `cloudScheduler` | any other | ``cloudScheduler(_:)`` |
public enum ScheduleRoute: Hashable, Sendable {
  /// No trigger: the job has no schedule, or is an endpoint.
  case none
  /// A job in Cloud Scheduler.
  case cloudScheduler(CloudSchedulerEntry)
  /// The master pass, with the reason.
  case masterPass(reason: String)
}

/// The fields of a Cloud Scheduler job that the schedule of a job determines.
public struct CloudSchedulerEntry: Hashable, Sendable {
  /// The schedule in Cloud Scheduler's syntax.
  public var schedule: String
  /// The IANA name of the zone.
  public var timeZone: String
  /// The time for which Cloud Scheduler waits for a response.
  public var attemptDeadline: Duration

  /// Creates an entry.
  public init(schedule: String, timeZone: String, attemptDeadline: Duration) {
    self.schedule = schedule
    self.timeZone = timeZone
    self.attemptDeadline = attemptDeadline
  }

  /// The deadlines that Cloud Scheduler and Cloud Tasks accept for an HTTP target
  /// (<https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs#Job>).
  public static let deadlines = Duration.seconds(15)...Duration.minutes(30)

  /// Returns the accepted deadline nearest to a duration.
  ///
  /// - Parameter span: the longest duration of an attempt, margin included.
  /// - Returns: a deadline within ``deadlines``.
  public static func deadline(for span: Duration) -> Duration {
    min(max(span, deadlines.lowerBound), deadlines.upperBound)
  }
}

extension ResolvedJob {
  /// Returns the trigger of the job's schedule.
  ///
  /// - Parameters:
  ///   - owner: the party that fires the schedules of scheduled jobs in this deployment.
  ///   - deadlineMargin: the time by which Cloud Scheduler's deadline exceeds an attempt's time limit.
  /// - Returns: the route.
  public func route(under owner: ScheduleOwner, deadlineMargin: Duration = .seconds(15)) -> ScheduleRoute {
    guard kind != .endpoint, let schedule else { return .none }
    if kind == .periodic { return .masterPass(reason: "It is periodic.") }
    if owner == .masterPass { return .masterPass(reason: "There is no Cloud Scheduler.") }
    if policy.trigger == .masterPass { return .masterPass(reason: "Its trigger is masterPass.") }
    guard let schedulerText else {
      return .masterPass(reason: "Cloud Scheduler can't express \"\(schedule.text)\".")
    }
    return .cloudScheduler(
      CloudSchedulerEntry(
        schedule: schedulerText, timeZone: zone.name,
        attemptDeadline: CloudSchedulerEntry.deadline(for: policy.timeout + deadlineMargin)))
  }

  /// Returns a warning if the job is due more often than the master pass runs, which is once a minute.
  ///
  /// - Parameter time: the time from which the schedule is examined.
  /// - Returns: a sentence, or nil.
  public func minuteNote(after time: Timestamp) -> String? {
    guard let schedule, let first = schedule.next(after: time), let second = schedule.next(after: first),
      second - first < .minutes(1)
    else { return nil }
    return "The job \(id) is due more than once a minute, and runs at most once: the master pass comes once a minute."
  }

  /// Whether the master pass fires the job's schedule.
  public func isRunByPass(under owner: ScheduleOwner) -> Bool {
    if case .masterPass = route(under: owner) { true } else { false }
  }
}

extension JobID {
  /// The id in the characters that Cloud Scheduler accepts for a job's name; no two ids map to one name.
  package var schedulerName: String {
    rawValue.reduce(into: "") { text, character in
      switch character {
      case "-": text += "--"
      case ".": text += "-d"
      case ":": text += "-c"
      default: text.append(character)
      }
    }
  }
}
