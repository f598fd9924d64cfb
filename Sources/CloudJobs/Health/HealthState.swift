import CloudJobsCore

/// What a call asks of a store: a store may answer one and fail the other, as a file does that is locked for writing.
enum StoreCall: Hashable, Sendable {
  case read
  case write
}

/// What a runtime has noticed about itself and its store: the pure part of ``JobHealth``.
struct HealthState: Sendable {
  /// How much the store's time may be ahead of the local clock before it counts as a problem.
  static let clockTolerance = Duration.seconds(3)
  /// Shortest span between two counts of what is overdue.
  static let checkInterval = Duration.seconds(5)
  /// Largest number of names that are remembered in one list.
  static let nameLimit = 1_000

  /// When the runtime was made.
  let startedAt: Timestamp
  /// What is expected of the runtime.
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

  /// A pass, or a worker's look at the store, ended without a failure.
  mutating func passEnded(at now: Timestamp) {
    lastPass = now
  }

  /// The store answered a call.
  mutating func storeAnswered(_ call: StoreCall) {
    storeFailures[call] = nil
  }

  /// The store did not answer a call, or refused it.
  mutating func storeFailed(_ call: StoreCall, _ message: String, at now: Timestamp) {
    storeFailures[call] = StoreFailure(since: storeFailures[call]?.since ?? now, message: message)
  }

  /// The store told its time.
  mutating func observe(storeTime: Timestamp, at now: Timestamp) {
    let span = storeTime - now
    clockLag = span > Self.clockTolerance ? (clockLag?.since ?? now, span) : nil
  }

  /// Whether what is overdue is to be counted now: at most once in ``checkInterval``.
  mutating func startsCheck(at now: Timestamp) -> Bool {
    if let lastCheck, now - lastCheck < Self.checkInterval, now >= lastCheck { return false }
    lastCheck = now
    return true
  }

  /// What was found to be due for too long.
  mutating func observe(_ overdue: Overdue?) {
    self.overdue = overdue
  }

  /// A job's document was found invalid, or usable again.
  mutating func setAside(_ document: String, _ isSetAside: Bool, at now: Timestamp) {
    if !isSetAside {
      setAside[document] = nil
    } else if setAside[document] == nil, setAside.count < Self.nameLimit {
      setAside[document] = now
    }
  }

  /// A run was found unreadable.
  ///
  /// - Returns: whether it had not been noted before.
  mutating func runIsUnreadable(_ run: RunID) -> Bool {
    unreadableRuns.count < Self.nameLimit && unreadableRuns.insert(run).inserted
  }

  /// What needs attention, in the order of ``JobHealth/Problem/Code``.
  func problems(at now: Timestamp) -> [JobHealth.Problem] {
    var problems = [JobHealth.Problem]()
    if let storeFailure = storeFailures.values.min(by: { $0.since < $1.since }) {
      problems.append(
        .init(
          code: .storeUnavailable, message: "The store is not available: \(storeFailure.message)",
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
          message: "\(setAside.count) job documents are invalid, so that their jobs do not run by their schedules. "
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

  /// Why what is due may wait, where no pass runs on this instance.
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

/// Calls that a store fails.
private struct StoreFailure: Sendable {
  /// When the first of them failed.
  var since: Timestamp
  /// Why the last one did.
  var message: String
}

/// What is due for longer than it should be.
struct Overdue: Hashable, Sendable {
  /// The number of jobs; at most the limit of a page.
  var jobs = 0
  /// The number of runs; at most the limit of a page.
  var runs = 0
  /// The number of runs whose jobs are not registered; at most the limit of a page.
  var unregisteredRuns = 0
  /// The earliest time that has passed.
  var oldest: Timestamp?
  /// Whether there may be more than was counted.
  var isCut = false

  /// The problems that the passing of time brings, for which a pass may be missing.
  var problems: [JobHealth.Problem] {
    [(JobHealth.Problem.Code.overdueJobs, jobs, "jobs"), (.overdueRuns, runs, "runs")].compactMap { code, count, noun in
      guard count > 0 else { return nil }
      return .init(
        code: code, message: "\(number(count)) \(noun) are overdue. GET \(noun)?overdue=true lists them.",
        since: oldest)
    }
  }

  /// The problem of runs whose jobs are not registered; nil where there are none.
  var unregistered: JobHealth.Problem? {
    guard unregisteredRuns > 0 else { return nil }
    return .init(
      code: .unregisteredJobs,
      message: "\(number(unregisteredRuns)) overdue runs belong to jobs that are not registered here. Register "
        + "the jobs, or start the service that has them. GET runs?overdue=true lists the runs.", since: nil)
  }

  private func number(_ count: Int) -> String { isCut ? "At least \(count)" : "\(count)" }
}

/// What a runtime's configuration lets an operator expect.
struct HealthExpectations: Hashable, Sendable {
  /// The longest span without a master pass before what is overdue is put down to it.
  static let passLimit = Duration.seconds(150)
  /// How long a run of a job that is not registered here may be due before it counts: another service may have the job.
  static let othersLimit = Duration.minutes(2)
  /// What to do where no pass runs.
  var passRemedy: String
  /// How long a job may be due before it counts as overdue.
  var jobsOverdueAfter: Duration
  /// How long a run may be due before it counts as overdue.
  var runsOverdueAfter: Duration
}

extension Duration {
  /// The whole seconds of a span.
  fileprivate var seconds: Int64 { components.seconds }
}
