/// What fires the schedules of scheduled jobs in a deployment.
public enum ScheduleOwner: String, Hashable, Sendable, CaseIterable {
  /// Cloud Scheduler, or its emulator, which holds one job for each scheduled job that it can express.
  case cloudScheduler
  /// The master pass: there is no Cloud Scheduler, as on a machine with a store of its own.
  case masterPass
}

/// What fires one job's schedule: the one rule that runtime, sync and simulation share.
///
/// | kind | owner | `trigger` of the job | schedule | route |
/// | --- | --- | --- | --- | --- |
/// | endpoint | any | any | any | ``none`` |
/// | periodic | any | any | any | ``masterPass(reason:)`` |
/// | scheduled | master pass | any | any | ``masterPass(reason:)`` |
/// | scheduled | Cloud Scheduler | `masterPass` | any | ``masterPass(reason:)`` |
/// | scheduled | Cloud Scheduler | `cloudScheduler` | what Cloud Scheduler can't express | ``masterPass(reason:)`` |
/// | scheduled | Cloud Scheduler | `cloudScheduler` | any other | ``cloudScheduler(_:)`` |
public enum ScheduleRoute: Hashable, Sendable {
  /// Nothing: the job has no schedule, or is an endpoint.
  case none
  /// A job of Cloud Scheduler.
  case cloudScheduler(CloudSchedulerEntry)
  /// The master pass, and why.
  case masterPass(reason: String)
}

/// A job of Cloud Scheduler, as far as the schedule of a job of ours determines it.
public struct CloudSchedulerEntry: Hashable, Sendable {
  /// The schedule in a form that Cloud Scheduler takes.
  public var schedule: String
  /// The IANA name of the zone.
  public var timeZone: String
  /// How long Cloud Scheduler waits for an answer.
  public var attemptDeadline: Duration

  /// An entry.
  public init(schedule: String, timeZone: String, attemptDeadline: Duration) {
    self.schedule = schedule
    self.timeZone = timeZone
    self.attemptDeadline = attemptDeadline
  }

  /// The deadlines that Cloud Scheduler and Cloud Tasks take for an HTTP target
  /// (<https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs#Job>).
  public static let deadlines = Duration.seconds(15)...Duration.minutes(30)

  /// A deadline within ``deadlines``.
  ///
  /// - Parameter span: how long an attempt may take, margin included.
  /// - Returns: the nearest deadline that the services take.
  public static func deadline(for span: Duration) -> Duration {
    min(max(span, deadlines.lowerBound), deadlines.upperBound)
  }
}

extension ResolvedJob {
  /// What fires the job's schedule.
  ///
  /// - Parameters:
  ///   - owner: what fires the schedules of scheduled jobs in this deployment.
  ///   - deadlineMargin: how much longer than an attempt's time limit Cloud Scheduler waits for the answer.
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

  /// Why the job runs less often than its schedule says, where the master pass runs once a minute; nil otherwise.
  ///
  /// - Parameter time: the time from which the schedule is looked at.
  /// - Returns: a sentence.
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
  /// The name in the letters that Cloud Scheduler takes for a job; no two names become one.
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
