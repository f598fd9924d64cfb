/// Everything that an explanation depends on, as read from the store.
public struct ExplanationInput: Sendable {
  /// A decision of the pass journal about the job.
  public struct Decision: Hashable, Sendable {
    /// The time of the decision.
    public var time: Timestamp
    /// The name of the instance that made it.
    public var owner: String
    /// The decision.
    public var line: PassJournalEntry.Line

    /// Creates a decision.
    public init(time: Timestamp, owner: String, line: PassJournalEntry.Line) {
      self.time = time
      self.owner = owner
      self.line = line
    }
  }

  /// A limit of the job with its account.
  public struct LimitReading: Hashable, Sendable {
    /// The limit.
    public var limit: JobLimit
    /// The account, without what has expired.
    public var ledger: LimitLedger

    /// Creates a reading.
    public init(limit: JobLimit, ledger: LimitLedger) {
      self.limit = limit
      self.ledger = ledger
    }
  }

  /// The id of the job.
  public var id: JobID
  /// The job under its document, or the fault of the document.
  public var job: Result<ResolvedJob, JobError>
  /// Whether the job's code is in the program that answers.
  public var isRegistered: Bool
  /// The job's state.
  public var state: JobState
  /// The time that is asked about; nil for the present.
  public var time: Timestamp?
  /// The run that is asked about; nil to ask about a time.
  public var runID: RunID?
  /// The runs that matter, as far as they exist: that of the time, the latest one, those that it waits for.
  public var runs: [RunID: Run]
  /// The job's latest runs that were created until the time that is asked about, latest first, for a job without a
  /// schedule.
  public var earlierRuns: [Run] = []
  /// The job's runs that have not ended, latest first, as far as they are read for the present.
  public var openRuns: [Run] = []
  /// The decisions about the job around the time, oldest first.
  public var decisions: [Decision]
  /// The status of each dependency's last occurrence.
  public var dependencies: [JobID: JobStatus]
  /// The limits of the job.
  public var limits: [LimitReading]
  /// The number of workers that are alive; nil if the store's runs are not for workers.
  public var workers: Int?
  /// The settings of the runtime.
  public var settings: PlanSettings
  /// The retention of the pass journal.
  public var journalRetention: Duration
  /// The source of time zones.
  public var zones: ZoneCatalog
  /// The store's time.
  public var now: Timestamp

  /// Creates an input without runs, decisions and limits.
  public init(
    _ id: JobID, job: Result<ResolvedJob, JobError>, isRegistered: Bool, state: JobState, time: Timestamp?,
    settings: PlanSettings, journalRetention: Duration, zones: ZoneCatalog, now: Timestamp
  ) {
    self.id = id
    self.job = job
    self.isRegistered = isRegistered
    self.state = state
    self.time = time
    runs = [:]
    decisions = []
    dependencies = [:]
    limits = []
    self.settings = settings
    self.journalRetention = journalRetention
    self.zones = zones
    self.now = now
  }
}

extension ExplanationInput {
  /// The job, if its document is valid.
  package var resolved: ResolvedJob? { try? job.get() }

  /// The time that is asked about.
  package var askedAbout: Timestamp { time ?? now }

  /// Whether runs follow from requests alone, because the job has no schedule, or ignores the one that it has.
  package var isRequested: Bool { resolved.map { $0.kind == .endpoint || $0.schedule == nil } ?? false }

  /// The run that the present is explained by: one that executes, or else one that waits for something other than its
  /// start; of a job without a schedule, also one that starts later.
  var presentRun: Run? {
    openRuns.first { $0.status == .running } ?? openRuns.first { $0.notBefore <= now || $0.reason != nil }
      ?? (isRequested ? openRuns.min { ($0.notBefore, $0.id) < ($1.notBefore, $1.id) } : nil)
  }

  /// The run that a time is explained by, for a job without a schedule: one that was under way then, or else one that
  /// was asked for then and waited.
  var requestedRun: Run? {
    let asked = askedAbout
    func isOpen(_ run: Run) -> Bool { run.finishedAt.map { asked <= $0 } ?? true }
    return earlierRuns.first { run in run.startedAt.map { $0 < endOfSecond } ?? false && isOpen(run) }
      ?? earlierRuns.first { run in isOpen(run) && run.notBefore <= endOfSecond }
      ?? earlierRuns.first { run in isOpen(run) && asked <= run.createdAt }
  }

  /// The end of the second that is asked about: people name times to the second.
  package var endOfSecond: Timestamp { Timestamp(seconds: askedAbout.seconds) + .seconds(1) }

  /// Returns the decision whose plan was in effect at a time; nil if none is on record.
  func lastPlan(at time: Timestamp) -> Decision? {
    decisions.last { $0.time <= time && $0.line.plan != nil }
  }

  /// Whether the job's document was removed, and the program that answers does not have its code.
  var isRemoved: Bool {
    !isRegistered && lastPlan(at: now)?.line.verdict == PassJournalEntry.Verdict.removed.rawValue
  }

  /// Returns the schedule by which the job was planned at a time, and the time since which it was: an edit after the
  /// time does not count.
  func plan(at time: Timestamp) -> (schedule: Schedule?, since: Timestamp?) {
    // What is to come follows the document as it is.
    if time > now { return (resolved?.schedule, nil) }
    let plans = decisions.filter { $0.line.plan?.schedule != nil }
    guard let index = plans.lastIndex(where: { $0.time <= time }) else {
      // The first change that is on record tells what it replaced.
      let replaced = decisions.first { $0.line.plan != nil }?.line.plan?.replaced
      return (replaced.map(schedule(of:)) ?? resolved?.schedule, nil)
    }
    let key = plans[index].line.plan?.schedule
    var first = index
    while first > 0, plans[first - 1].line.plan?.schedule == key { first -= 1 }
    return (key.flatMap(schedule(of:)), plans[first].time)
  }

  private func schedule(of key: String) -> Schedule? {
    key == resolved?.planKey ? resolved?.schedule : try? PlanKey(key)?.resolve(in: zones)
  }

  /// The time of the schedule that is asked about: the time itself if it is one, the one before it in the past, and the
  /// one after it in the future; nil without a schedule.
  package var occurrence: (time: Timestamp, isExact: Bool)? {
    let asked = askedAbout
    // A time that was served or skipped was one, whatever the schedule says now.
    let isDecided = decisions.contains { decision in
      decision.line.scheduledFor == asked && (decision.line.plan == nil || decision.time >= asked)
    }
    if time != nil, isDecided || runs[RunID(job: id, occurrence: .scheduledFor(asked))] != nil { return (asked, true) }
    if asked > now {
      guard let next = plan(at: asked).schedule?.next(after: asked - .microseconds(1)) else { return nil }
      return (next, next == asked)
    }
    var (end, oldest) = (asked, Timestamp?.none)
    // A time before the edit that introduced a schedule is not one of it.
    for _ in 0..<decisions.count + 1 {
      let plan = plan(at: end)
      guard let latest = plan.schedule?.previous(before: end + .microseconds(1)) else { break }
      oldest = latest
      guard let since = plan.since, latest < since,
        decisions.contains(where: { $0.time < since && $0.line.plan != nil })
      else { break }
      end = since - .microseconds(1)
    }
    return oldest.map { ($0, $0 == asked) }
  }
}
