#if Server
import CloudJobs
import CloudJobsCore
import CloudJobsPages

/// What the page of a job is made from.
struct JobReading: Sendable {
  /// The job.
  var listing: JobListing
  /// Its latest runs, latest first.
  var runs: [Run]
  /// Whether there are older runs.
  var hasMoreRuns: Bool
  /// The latest entries of the pass journal about it, latest first.
  var journal: [PassJournalEntry]
}

/// The values of the page of a job.
struct JobPageView: Sendable {
  /// A name with its value.
  struct Fact: Sendable {
    /// The name.
    var factName: String
    /// The explanation of the name; nil for none.
    var factWord: PageShell.Word?
    /// The value.
    var factText: String
    /// Whether the document says it, and not the code.
    var isFromDocument: Bool
  }

  /// A time of the schedule.
  struct Occurrence: Sendable {
    /// The time relative to now, and exactly in UTC.
    var dueTime: PageTime
    /// The time in the zone of the schedule.
    var dueText: String
    /// What a clock change does to it.
    var dueNote: String?
    /// The path of its explanation.
    var dueHref: String
  }

  /// A number of the statistics.
  struct Statistic: Sendable {
    /// What it counts.
    var statisticName: String
    /// The number.
    var statisticText: String
  }

  /// A decision of the pass journal.
  struct Decision: Sendable {
    /// The time.
    var decisionTime: PageTime
    /// The decision.
    var decisionWord: String
    /// The reason.
    var decisionText: String
    /// The path of the run; nil for none.
    var decisionRunHref: String?
    /// The path of the explanation of the time that was due; nil for none.
    var decisionWhyHref: String?
  }

  /// The number of next times.
  static let occurrenceLimit = 10
  /// The number of latest runs that are listed.
  static let runLimit = 10
  /// The number of latest runs as squares.
  static let squareLimit = 40
  /// The number of decisions.
  static let decisionLimit = 20

  var job: String
  var state: StateWord
  var health: StateWord?
  var reasons: [String]
  var fault: String?
  var unknownFields: [String]
  var facts: [Fact]
  var isElsewhere: Bool
  var words: String
  var hasSchedule: Bool
  var scheduleText: String?
  var zoneName: String
  var occurrences: [Occurrence]
  var changes: [String]
  var dueEmpty: String?
  var statistics: [Statistic]
  var statisticsNote: String
  var history: RunSquares?
  var runs: [RunLine]
  var hasRuns: Bool
  var runsHref: String
  var deadLettersHref: String
  var decisions: [Decision]
  var hasDecisions: Bool
  var whyHref: String
  var calendarHref: String
  var isEnabled: Bool
  var isPaused: Bool
  var isStored: Bool
  var canChange: Bool
  var action: String
  var editHref: String
  var enqueueHref: String
  var removeHref: String

  /// Makes the page: pure.
  ///
  /// - Parameters:
  ///   - reading: what was read.
  ///   - context: the paths and the time of the page.
  init(_ reading: JobReading, _ context: DashboardContext) {
    let listing = reading.listing
    job = listing.id
    state = StateWord(of: listing)
    health = listing.report.map { StateWord($0.health) }
    reasons = (listing.report?.reasons ?? []).map { BoundedText.sentence($0) }
    fault = listing.fault.map { BoundedText.cut($0) }
    unknownFields = listing.unknownFields.map { field in
      "The field \(BoundedText.cut(field.name, to: 64)) is not read."
        + (field.suggestion.map { " Did you mean \($0)?" } ?? "")
    }
    facts = Self.facts(listing, context)
    isElsewhere = !listing.isRegistered
    words = listing.scheduleWords
    let schedule = listing.job?.kind == .endpoint ? nil : listing.job?.schedule
    hasSchedule = schedule != nil
    scheduleText = schedule?.text
    zoneName = listing.job?.zone.name ?? "UTC"
    (occurrences, changes, dueEmpty) = Self.occurrences(listing, context)
    let numbers = JobStatistics(of: reading.runs)
    statistics = Self.statistics(numbers)
    statisticsNote =
      reading.runs.isEmpty
      ? "No run is stored."
      : reading.hasMoreRuns
        ? "Of the latest \(PageNumber.text(reading.runs.count, "run"))." : "Of all stored runs."
    history = RunSquares(reading.runs, limit: Self.squareLimit)
    runs = reading.runs.prefix(Self.runLimit).map { RunLine($0, context) }
    hasRuns = !runs.isEmpty
    let base = context.link("jobs", listing.id)
    runsHref = context.link("runs").with("job", listing.id).href
    deadLettersHref = context.link(DeadLetterPages.segment).with("job", listing.id).href
    decisions = Self.decisions(reading, context)
    hasDecisions = !decisions.isEmpty
    whyHref = base.appending("why").href
    calendarHref = context.link("calendar").with("job", listing.id).href
    isEnabled = listing.job?.policy.enabled ?? true
    isPaused = listing.job?.policy.paused ?? false
    isStored = listing.isStored
    canChange = listing.fault == nil || listing.configuration != nil
    action = base.href
    editHref = base.appending("edit").href
    enqueueHref = base.appending("enqueue").href
    removeHref = base.appending("remove").href
  }

  // MARK: Parts

  private static func facts(_ listing: JobListing, _ context: DashboardContext) -> [Fact] {
    var facts: [Fact] = []
    let document = listing.configuration?.fields.object ?? [:]
    func add(_ name: String, _ text: String?, _ fields: String...) {
      guard let text, !text.isEmpty else { return }
      let isOwn = fields.contains { document[$0] != nil }
      facts.append(
        Fact(
          factName: name, factWord: context.word(labelled: name), factText: BoundedText.cut(text), isFromDocument: isOwn
        ))
    }
    add("Kind", listing.kind?.rawValue ?? "unknown", "type")
    add("Group", listing.group, "group")
    guard let job = listing.job else { return facts }
    let policy = job.policy
    add("Fired by", job.kind == .scheduled ? trigger(policy.trigger) : nil, "trigger")
    add("From", moment(policy.startAt), "startAt")
    add("Until", moment(policy.endAt), "endAt")
    add("Not on", policy.skipDates.prefix(12).compactMap { moment($0) }.joined(separator: ", "), "skipDates")
    add("After", policy.dependencies.map(\.rawValue).joined(separator: ", "), "dependencies")
    add("Missed times", job.kind == .endpoint ? nil : policy.misfire.text, "misfire")
    add("Overlap", job.overlap.rawValue, "overlap")
    add("Time limit", PageNumber.text(policy.timeout), "timeout")
    add("Attempts", "\(policy.retry.maxAttempts) at most", "maxRetries", "retry")
    add("Priority", policy.priority == 0 ? nil : "\(policy.priority)", "priority")
    add("Queue", policy.queue, "queue")
    add("At once", policy.maxConcurrent.flatMap { $0 > 0 ? "\($0) at most" : nil }, "maxConcurrent")
    add(
      "At once in the group", policy.groupMaxConcurrent.flatMap { $0 > 0 ? "\($0) at most" : nil },
      "groupMaxConcurrent")
    add(
      "Starts", policy.rate.flatMap { $0.count > 0 ? "\($0.count) in \(PageNumber.text($0.period))" : nil }, "rate")
    add("Breaker", breaker(listing, context), "breaker")
    add("Weight", policy.effectiveDescriptor.weight.rawValue, "weight")
    add("Kept for", retention(policy.retention), "retention")
    add("Failures in a row", listing.state.consecutiveFailures.flatMap { $0 > 0 ? "\($0)" : nil })
    return facts
  }

  private static func trigger(_ trigger: ScheduleTrigger) -> String {
    switch trigger {
    case .cloudScheduler: "Cloud Scheduler"
    case .masterPass: "the master pass"
    }
  }

  private static func moment(_ moment: CalendarMoment?) -> String? {
    switch moment {
    case .day(let date)?: "\(date)"
    case .instant(let time)?: PageTime.exact(time)
    case nil: nil
    }
  }

  private static func breaker(_ listing: JobListing, _ context: DashboardContext) -> String? {
    guard let breaker = listing.job?.policy.breaker, breaker.threshold > 0 else { return nil }
    let rule =
      "opens after \(PageNumber.text(breaker.threshold, "failed run")) in a row, probes after "
      + PageNumber.text(breaker.cooldown)
    switch listing.report?.breaker {
    case .open(let until)?: return "open until \(PageTime.exact(until)); \(rule)"
    case .halfOpen?: return "half-open: the next run is a probe; \(rule)"
    case .closed?, .some(.none), nil: return "closed; \(rule)"
    }
  }

  private static func retention(_ retention: Retention) -> String {
    let (good, bad, cancelled) = (retention.succeeded, retention.failed, retention.cancelled)
    if good == bad, good == cancelled { return PageNumber.text(good) }
    return "succeeded \(PageNumber.text(good)), failed \(PageNumber.text(bad)), cancelled \(PageNumber.text(cancelled))"
  }

  private static func occurrences(
    _ listing: JobListing, _ context: DashboardContext
  ) -> (times: [Occurrence], changes: [String], empty: String?) {
    guard let job = listing.job, job.kind != .endpoint, let schedule = job.schedule else {
      let text = listing.fault == nil ? "It runs when something enqueues it." : "Its document is invalid."
      return ([], [], text)
    }
    guard job.policy.isActive else {
      return ([], [], job.policy.enabled ? "It is paused. Resume it." : "It is disabled. Enable it.")
    }
    let first = firstRun(of: job, after: context.now, under: .masterPass)
    guard let first else { return ([], [], "Its schedule has no time left.") }
    let explanation = ScheduleExplanation(
      of: schedule, after: first - .microseconds(1), count: Self.occurrenceLimit)
    let end = job.policy.endAt?.day(in: job.zone)
    let skipped = Set(job.policy.skipDates.map { $0.day(in: job.zone) })
    let times = explanation.occurrences.prefix { occurrence in
      end.map { job.zone.date(at: occurrence.time) <= $0 } ?? true
    }
    let shown = times.map { occurrence in
      let skip = skipped.contains(job.zone.date(at: occurrence.time)) ? "Skipped: the day is in skipDates." : nil
      return Occurrence(
        dueTime: context.time(occurrence.time), dueText: PageTime.exact(occurrence.time, in: job.zone),
        dueNote: skip ?? occurrence.note,
        dueHref: context.link("jobs", listing.id, "why").with("at", "\(occurrence.time)").href)
    }
    return (shown, Array(explanation.changes.prefix(6)), nil)
  }

  private static func statistics(_ numbers: JobStatistics) -> [Statistic] {
    if numbers.runs == 0 { return [] }
    func text(_ duration: Duration?) -> String { duration.map { PageNumber.text($0) } ?? "–" }
    let all: [(String, String)] = [
      ("Success rate", PageNumber.percent(numbers.succeeded, of: numbers.succeeded + numbers.failed)),
      ("Succeeded", PageNumber.text(numbers.succeeded)), ("Failed", PageNumber.text(numbers.failed)),
      ("Cancelled", PageNumber.text(numbers.cancelled)), ("Running", PageNumber.text(numbers.running)),
      ("Waiting", PageNumber.text(numbers.waiting)), ("Failed attempts", PageNumber.text(numbers.failedAttempts)),
      ("Median duration", text(numbers.medianDuration)), ("95th percentile", text(numbers.percentile95Duration)),
      ("99th percentile", text(numbers.percentile99Duration)), ("Mean duration", text(numbers.meanDuration)),
      ("Median wait", text(numbers.medianWait)),
    ]
    return all.map { Statistic(statisticName: $0, statisticText: $1) }
  }

  private static func decisions(_ reading: JobReading, _ context: DashboardContext) -> [Decision] {
    let id = reading.listing.id
    let lines = reading.journal.flatMap { entry in
      entry.lines.filter { $0.job == id }.map { (entry, $0) }
    }
    return lines.prefix(decisionLimit).map { entry, line in
      Decision(
        decisionTime: context.time(entry.time), decisionWord: BoundedText.words(line.verdict),
        decisionText: BoundedText.sentence(line.reason),
        decisionRunHref: line.run.map { context.link("runs", $0.rawValue).href },
        decisionWhyHref: line.scheduledFor.map { time in
          context.link("jobs", id, "why").with("at", "\(time)").href
        })
    }
  }
}
#endif
