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

  /// Returns the schedule by which the job was planned at a time: an edit since then does not count.
  func schedule(at time: Timestamp) -> Schedule? {
    let planned = decisions.last { $0.time <= time && $0.line.plan?.schedule != nil }?.line.plan?.schedule
    guard let planned, planned != resolved?.planKey else { return resolved?.schedule }
    return try? PlanKey(planned)?.resolve(in: zones)
  }

  /// The time of the schedule that is asked about: the time itself if it is one, the one before it in the past, and the
  /// one after it in the future; nil without a schedule.
  package var occurrence: (time: Timestamp, isExact: Bool)? {
    let asked = askedAbout
    // A time that was served or skipped was one, whatever the schedule says now.
    let isDecided = decisions.contains { $0.line.scheduledFor == asked && $0.line.plan == nil }
    if time != nil, isDecided || runs[RunID(job: id, occurrence: .scheduledFor(asked))] != nil { return (asked, true) }
    guard let schedule = schedule(at: asked) else { return nil }
    if asked > now {
      guard let next = schedule.next(after: asked - .microseconds(1)) else { return nil }
      return (next, next == asked)
    }
    guard let latest = schedule.previous(before: asked + .microseconds(1)) else { return nil }
    return (latest, latest == asked)
  }
}
