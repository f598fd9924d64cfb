#if Server
import CloudJobs
import CloudJobsCore
import CloudJobsPages

/// A state as pages show it: a word, and the class of its shape and colour.
struct StateWord: Hashable, Sendable {
  /// The word.
  var word: String
  /// The class of the element.
  var look: String

  /// Creates a state.
  init(_ word: String, _ look: String) { (self.word, self.look) = (word, look) }

  /// Creates the state of a run.
  init(_ status: RunStatus) { self.init(status.rawValue, status.rawValue) }

  /// Creates the health of a job.
  init(_ health: JobReport.Health) { self.init(health.rawValue, health.rawValue) }

  /// Creates the result of a job's last occurrence.
  init(_ status: JobStatus) {
    switch status {
    case .success: self.init("succeeded", "succeeded")
    case .failure: self.init("failed", "failed")
    case .skippedDisabled: self.init("skipped: disabled", "")
    case .skippedPaused: self.init("skipped: paused", "paused")
    case .skippedNotStarted: self.init("skipped: not begun", "")
    case .skippedEnded: self.init("skipped: ended", "")
    case .skippedDateExclusion: self.init("skipped: excluded day", "")
    case .skippedDependencyFailed: self.init("skipped: dependency", "warn")
    case .skippedBreakerOpen: self.init("skipped: breaker open", "warn")
    case .skippedOverlap: self.init("skipped: overlap", "warn")
    case .skippedMisfire: self.init("skipped: missed", "warn")
    }
  }

  /// Creates the state of a job: what keeps it from running, the gravest first.
  init(of listing: JobListing) {
    guard listing.fault == nil, let job = listing.job else {
      self.init("set aside", "bad")
      return
    }
    if !job.policy.enabled {
      self.init("disabled", "cancelled")
    } else if job.policy.paused {
      self.init("paused", "paused")
    } else if case .open? = listing.report?.breaker {
      self.init("breaker open", "bad")
    } else if listing.report?.breaker == .halfOpen {
      self.init("breaker half-open", "warn")
    } else {
      self.init("enabled", "good")
    }
  }
}

extension JobListing {
  /// The schedule in words.
  var scheduleWords: String {
    if let schedule = job?.schedule, job?.kind != .endpoint { return schedule.summary }
    if fault != nil { return "unknown: its document is invalid" }
    return isRegistered || configuration?.type == .endpoint ? "when it is enqueued" : "in the code of another program"
  }

  /// Returns the next time at which the job is due: as it is planned, or else by its schedule.
  ///
  /// - Parameter now: the time of the page.
  /// - Returns: the time; nil if the job is not active, has no schedule or is set aside.
  func nextRun(at now: Timestamp) -> Timestamp? {
    guard fault == nil, let job, job.policy.isActive, job.kind != .endpoint else { return nil }
    return state.nextRun ?? firstRun(of: job, after: now, under: .masterPass)
  }
}

/// The latest runs of a job as squares, oldest first.
struct RunSquares: Sendable {
  /// A run.
  struct Square: Sendable {
    /// The class of its shape and colour.
    var squareLook: String
    /// The status and the time.
    var squareTitle: String
  }

  /// The runs.
  var squares: [Square]
  /// The numbers, for readers who don't see the squares.
  var squaresLabel: String

  /// Creates the squares of some runs; nil without runs.
  ///
  /// - Parameters:
  ///   - runs: the runs, latest first.
  ///   - limit: the maximum number of squares.
  init?(_ runs: [Run], limit: Int) {
    let shown = runs.prefix(limit).reversed()
    if shown.isEmpty { return nil }
    squares = shown.map { run in
      Square(
        squareLook: run.status.rawValue, squareTitle: "\(run.status.rawValue), \(PageTime.exact(run.createdAt))")
    }
    let numbers = RunStatus.allCases.compactMap { status in
      let count = shown.count { $0.status == status }
      return count == 0 ? nil : "\(count) \(status.rawValue)"
    }
    squaresLabel = "Latest \(PageNumber.text(shown.count, "run")): " + numbers.joined(separator: ", ")
  }
}

/// A run in a short list.
struct RunLine: Sendable {
  /// The first digits of its id.
  var runID: String
  /// The path of its page.
  var runHref: String
  /// The id of its job.
  var runJob: String
  /// The path of its job's page.
  var runJobHref: String
  /// The status.
  var runState: StateWord
  /// The time of its start, or of its creation.
  var runTime: PageTime
  /// The time that it took; nil if it has not ended.
  var runDuration: String?
  /// What asked for it.
  var runTrigger: String
  /// The failure of its latest attempt, or the reason of its state.
  var runText: String?
  /// The number of the attempt and the maximum.
  var runAttempts: String

  /// Creates the line of a run.
  init(_ run: Run, _ context: DashboardContext) {
    runID = String(run.id.rawValue.prefix(8))
    runHref = context.link("runs", run.id.rawValue).href
    runJob = run.job.rawValue
    runJobHref = context.link("jobs", run.job.rawValue).href
    runState = StateWord(run.status)
    runTime = context.time(run.startedAt ?? run.createdAt)
    runDuration = run.startedAt.flatMap { start in run.finishedAt.map { PageNumber.text(max(.zero, $0 - start)) } }
    runTrigger = run.trigger.rawValue
    let failure = run.status == .succeeded ? nil : run.failure.map { BoundedText.failure($0) }
    runText = (failure ?? run.reason).map { BoundedText.sentence($0, to: 200) }
    runAttempts = "\(run.attempt) of \(run.maxAttempts)"
  }
}
#endif
