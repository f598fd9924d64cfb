import CloudJobsCore
import Logging
import Synchronization

/// A kind of call to a store.
///
/// A store may answer one kind and fail the other: a file that is locked for writing answers reads.
enum StoreCall: String, Hashable, Sendable {
  case read
  case write
}

/// The observations behind a health report: pure bookkeeping.
struct HealthState: Sendable {
  /// The time by which the store's clock may be ahead of the local clock before it counts as a problem.
  static let clockTolerance = Duration.seconds(3)
  /// The minimum time between two counts of overdue work.
  static let checkInterval = Duration.seconds(5)
  /// The maximum number of names in one list.
  static let nameLimit = 1_000

  /// The time at which the runtime was created.
  let startedAt: Timestamp
  /// The expectations of the runtime.
  var expectations: HealthExpectations
  private(set) var lastPass: Timestamp?
  private var storeFailures: [StoreCall: StoreFailure] = [:]
  private var clockLag: (since: Timestamp, span: Duration)?
  private var overdue: Overdue?
  private var lastCheck: Timestamp?
  private var setAside: [String: Timestamp] = [:]
  private var unreadableRuns: Set<RunID> = []

  init(startedAt: Timestamp, expectations: HealthExpectations) {
    self.startedAt = startedAt
    self.expectations = expectations
  }

  /// Notes that a pass, or a worker's poll of the store, succeeded.
  mutating func passEnded(at now: Timestamp) {
    lastPass = now
  }

  /// Notes that the store answered a call.
  mutating func storeAnswered(_ call: StoreCall) {
    storeFailures[call] = nil
  }

  /// Notes that the store did not answer a call, or refused it.
  mutating func storeFailed(_ call: StoreCall, _ message: String, at now: Timestamp) {
    storeFailures[call] = StoreFailure(since: storeFailures[call]?.since ?? now, message: message)
  }

  /// Whether the store answered the last read.
  var isStoreReadable: Bool { storeFailures[.read] == nil }

  /// Notes the store's time.
  mutating func observe(storeTime: Timestamp, at now: Timestamp) {
    let span = storeTime - now
    clockLag = span > Self.clockTolerance ? (clockLag?.since ?? now, span) : nil
  }

  /// Returns whether overdue work should be counted now, at most once in ``checkInterval``.
  mutating func startsCheck(at now: Timestamp) -> Bool {
    if let lastCheck, now - lastCheck < Self.checkInterval, now >= lastCheck { return false }
    lastCheck = now
    return true
  }

  /// Notes the overdue work that was found.
  mutating func observe(_ overdue: Overdue?) {
    self.overdue = overdue
  }

  /// Notes that a job's document is invalid, or valid again.
  mutating func setAside(_ document: String, _ isSetAside: Bool, at now: Timestamp) {
    if !isSetAside {
      setAside[document] = nil
    } else if setAside[document] == nil, setAside.count < Self.nameLimit {
      setAside[document] = now
    }
  }

  /// Notes that a run is invalid.
  ///
  /// - Returns: whether it was not noted before.
  mutating func runIsUnreadable(_ run: RunID) -> Bool {
    unreadableRuns.count < Self.nameLimit && unreadableRuns.insert(run).inserted
  }

  /// Returns the problems, in the order of ``JobHealth/Problem/Code``.
  func problems(at now: Timestamp) -> [JobHealth.Problem] {
    var problems = [JobHealth.Problem]()
    if let storeFailure = storeFailures.values.min(by: { $0.since < $1.since }) {
      problems.append(
        .init(
          code: .storeUnavailable, message: "The store is unavailable: \(storeFailure.message)",
          since: storeFailure.since))
    }
    if let clockLag {
      problems.append(
        .init(
          code: .clockBehind,
          message: "The store's time is \(clockLag.span.seconds) s ahead of this machine's clock, which was set back "
            + "or is wrong. Nothing new comes due until it has caught up. Set the clock.",
          since: clockLag.since))
    }
    problems += (overdue?.problems ?? []).map { problem in
      var problem = problem
      if let hint = missingPass(at: now) { problem.message += " \(hint)" }
      return problem
    }
    if let unregistered = overdue?.unregistered { problems.append(unregistered) }
    if let since = setAside.values.min() {
      problems.append(
        .init(
          code: .documentsSetAside,
          message: (setAside.count == 1
            ? "A job document is invalid, so that its job does not run by its schedule. "
            : "\(setAside.count) job documents are invalid, so that their jobs do not run by their schedules. ")
            + "The log names each field; GET jobs?setAside=true lists them.",
          since: since))
    }
    if !unreadableRuns.isEmpty {
      problems.append(
        .init(
          code: .unreadableRuns,
          message: "\(unreadableRuns.count) stored runs can't be read and are left alone. The log names them.",
          since: nil))
    }
    return problems
  }

  /// Returns the hint that due work waits because no pass runs on this instance, if so.
  private func missingPass(at now: Timestamp) -> String? {
    let last = lastPass ?? startedAt
    guard now - last > HealthExpectations.passLimit else { return nil }
    let text =
      lastPass == nil
      ? "No master pass has run on this instance since its start, \((now - last).seconds) s ago."
      : "The last master pass on this instance ran \((now - last).seconds) s ago."
    return "\(text) \(expectations.passRemedy)"
  }
}

/// A series of failed calls to the store.
private struct StoreFailure: Sendable {
  /// The time of the first failure.
  var since: Timestamp
  /// The message of the last failure.
  var message: String
}

/// The counts of overdue work.
struct Overdue: Hashable, Sendable {
  /// The number of jobs; at most the limit of a page.
  var jobs = 0
  /// The number of runs; at most the limit of a page.
  var runs = 0
  /// The number of runs whose jobs are not registered; at most the limit of a page.
  var unregisteredRuns = 0
  /// The earliest overdue time.
  var oldest: Timestamp?
  /// Whether the counts are lower bounds.
  var isCut = false

  /// The problems of overdue jobs and runs, which a missing pass may explain.
  var problems: [JobHealth.Problem] {
    [(JobHealth.Problem.Code.overdueJobs, jobs, "job"), (.overdueRuns, runs, "run")].compactMap { code, count, noun in
      guard count > 0 else { return nil }
      return .init(
        code: code,
        message: "\(phrase(count, noun)) overdue. The route GET \(noun)s?overdue=true of a server lists them.",
        since: oldest)
    }
  }

  /// The problem of runs whose jobs are not registered, if there are any.
  var unregistered: JobHealth.Problem? {
    guard unregisteredRuns > 0 else { return nil }
    return .init(
      code: .unregisteredJobs,
      message: "\(phrase(unregisteredRuns, "run")) overdue whose jobs are not registered here. Register the jobs, or "
        + "start the service that has them. The route GET runs?overdue=true of a server lists the runs.", since: nil)
  }

  private func phrase(_ count: Int, _ noun: String) -> String {
    (isCut ? "At least " : "") + (count == 1 ? "1 \(noun) is" : "\(count) \(noun)s are")
  }
}

/// The punctuality that a runtime's configuration promises.
struct HealthExpectations: Hashable, Sendable {
  /// The time without a master pass after which it explains overdue work.
  static let passLimit = Duration.seconds(150)
  /// The lateness from which on a run of an unregistered job counts as overdue: another service may have the job.
  static let othersLimit = Duration.minutes(2)
  /// The remedy if no pass runs.
  var passRemedy: String
  /// The lateness from which on a job counts as overdue.
  var jobsOverdueAfter: Duration
  /// The lateness from which on a run counts as overdue.
  var runsOverdueAfter: Duration
}

extension Duration {
  /// The whole seconds of the duration.
  fileprivate var seconds: Int64 { components.seconds }
}

/// The shared state of health: it collects observations, and logs each problem when it begins and when it is over.
final class HealthMonitor: Sendable {
  private struct State: Sendable {
    var health: HealthState
    var logged: Set<JobHealth.Problem.Code> = []
  }

  private let state: Mutex<State>
  private let logger: Logger

  init(_ health: HealthState, logger: Logger) {
    state = Mutex(State(health: health))
    self.logger = logger
  }

  /// Changes or reads the state.
  func note<Result: Sendable>(_ change: (inout HealthState) -> sending Result) -> Result {
    state.withLock { change(&$0.health) }
  }

  /// Returns the problems.
  func problems(at now: Timestamp) -> [JobHealth.Problem] {
    state.withLock { $0.health.problems(at: now) }
  }

  /// Logs problems that are new, and those that are over.
  func log(at now: Timestamp) {
    let (begun, ended) = state.withLock { state in
      let problems = state.health.problems(at: now)
      let begun = problems.filter { !state.logged.contains($0.code) }
      let codes = Set(problems.map(\.code))
      let ended = state.logged.filter { !codes.contains($0) }.sorted { $0.rawValue < $1.rawValue }
      state.logged = codes
      return (begun, ended)
    }
    for problem in begun { logger.warning("\(problem.message)", metadata: ["problem": "\(problem.code.rawValue)"]) }
    for code in ended { logger.notice("A problem is over.", metadata: ["problem": "\(code.rawValue)"]) }
  }
}
