#if Server
import CloudJobs
import CloudJobsCore
import CloudJobsPages

/// What the first page is made from.
struct OverviewReading: Sendable {
  /// The health of the instance.
  var health: JobHealth
  /// All jobs.
  var jobs: [JobListing]
  /// Endpoint jobs with their latest runs.
  var endpoints: [EndpointReading]
  /// The numbers of runs.
  var tally: RunTally
  /// The number of overdue runs, and whether there are more.
  var overdue: (count: Int, isCut: Bool)
  /// The number of dead letters that were not repeated with success.
  var deadLetters: Int
  /// The latest of them.
  var failures: [Run]
  /// Whether there are more dead letters.
  var hasMoreDeadLetters: Bool
  /// The name of the store's type.
  var store: String
}

/// The values of the first page.
struct OverviewView: Sendable {
  /// A number with what it counts.
  struct Figure: Sendable {
    /// The id of its element.
    var figureID: String
    /// The number.
    var number: String
    /// What it counts.
    var label: String
    /// The path of the list; nil for none.
    var href: String?
    /// The class of its colour.
    var look: String
  }

  /// A problem of the instance.
  struct Problem: Sendable {
    /// The problem and what to do.
    var text: String
    /// The time since which it is known.
    var since: PageTime?
  }

  /// A job that is due soon.
  struct Next: Sendable {
    /// The id of the job.
    var nextJob: String
    /// The path of its page.
    var nextHref: String
    /// The time.
    var nextTime: PageTime
    /// The schedule in words.
    var nextWords: String
  }

  /// A job that needs attention.
  struct Attention: Sendable {
    /// The id of the job.
    var attentionJob: String
    /// The path of its page; nil for a document that is no job's.
    var attentionHref: String?
    /// Its health.
    var attentionState: StateWord
    /// The reasons.
    var attentionText: String
  }

  /// The maximum number of jobs in a list.
  static let listLimit = 10
  /// The maximum number of latest failures.
  static let failureLimit = 6

  var figures: [Figure]
  var health: StateWord
  var healthText: String
  /// The time since the last pass; nil before the first.
  var lastPass: String?
  var activityText: String
  var problems: [Problem]
  var timeline: PageTimeline
  var throughput: String
  var sampleNote: String?
  var next: [Next]
  var endpoints: [EndpointRow]
  var hasEndpoints: Bool
  var moreEndpoints: String?
  var endpointsHref: String
  var failures: [RunLine]
  var attention: [Attention]
  var moreAttention: String?
  var jobsHref: String
  var runsHref: String
  var calendarHref: String
  var deadLettersHref: String
  var hasJobs: Bool
  var hasNext: Bool

  /// Makes the page: pure.
  ///
  /// - Parameters:
  ///   - reading: what was read.
  ///   - context: the paths and the time of the page.
  init(_ reading: OverviewReading, _ context: DashboardContext) {
    let now = context.now
    health = Self.health(reading.health)
    healthText =
      "\(PageNumber.text(reading.health.registeredJobs, "job")) in this program, up for "
      + PageNumber.coarse(context.now - reading.health.startedAt)
    lastPass = reading.health.lastPass.map { context.time($0).relative }
    activityText =
      "\(PageNumber.text(reading.health.activeDeliveries, "delivery", "deliveries")) in process, \(reading.store)"
    problems = reading.health.problems.map { Problem(text: $0.message, since: context.time($0.since)) }
    figures = Self.figures(reading, context)
    let tally = reading.tally
    timeline = PageTimeline(
      "Runs by the hour of their creation, UTC",
      tally.hours.map { hour in
        let (good, bad) = (hour.counts[.succeeded] ?? 0, hour.counts[.failed] ?? 0)
        return PageTimeline.Span(start: hour.start, succeeded: good, failed: bad, other: hour.total - good - bad)
      })
    throughput = Self.throughput(tally)
    sampleNote =
      tally.isSample
      ? "The store does not count runs: these numbers are those of the latest \(PageNumber.text(RunTally.readLimit)) "
        + "runs of each kind, at most." : nil
    let due = reading.jobs.compactMap { listing in listing.nextRun(at: now).map { (listing, $0) } }
    next = due.sorted { ($0.1, $0.0.id) < ($1.1, $1.0.id) }.prefix(Self.listLimit).map { listing, time in
      Next(
        nextJob: listing.id, nextHref: context.link("jobs", listing.id).href, nextTime: context.time(time),
        nextWords: listing.scheduleWords)
    }
    endpoints = reading.endpoints.map { EndpointRow($0, context) }
    hasEndpoints = !endpoints.isEmpty
    let others = reading.jobs.count(where: EndpointReading.isListed) - endpoints.count
    moreEndpoints = others > 0 ? "\(PageNumber.text(others, "endpoint job")) more" : nil
    endpointsHref = context.link("jobs").with("kind", JobKind.endpoint.rawValue).href
    failures = reading.failures.map { RunLine($0, context) }
    let troubled = reading.jobs.compactMap { Self.attention($0, context) }
    attention = Array(troubled.prefix(Self.listLimit))
    moreAttention =
      troubled.count > Self.listLimit ? "\(PageNumber.text(troubled.count - Self.listLimit, "job")) more" : nil
    jobsHref = context.link("jobs").href
    runsHref = context.link("runs").href
    calendarHref = context.link("calendar").href
    deadLettersHref = context.link(DeadLetterPages.segment).href
    hasJobs = !reading.jobs.isEmpty
    hasNext = !next.isEmpty
  }

  private static func health(_ health: JobHealth) -> StateWord {
    switch health.status {
    case .ok: StateWord("healthy", "good")
    case .degraded: StateWord("needs attention", "bad")
    case .draining: StateWord("shutting down", "warn")
    }
  }

  private static func figures(_ reading: OverviewReading, _ context: DashboardContext) -> [Figure] {
    let tally = reading.tally
    let (good, bad) = (tally.count(.succeeded), tally.count(.failed))
    let runs = context.link("runs")
    func figure(_ id: String, _ number: String, _ label: String, _ status: String?, _ look: String = "") -> Figure {
      Figure(
        figureID: id, number: number, label: label, href: status.map { runs.with("status", $0).href }, look: look)
    }
    let limit = tally.isSample ? RunTally.readLimit : .max
    func waiting(_ status: RunStatus) -> String {
      let count = tally.waiting[status] ?? 0
      return PageNumber.text(count) + (count >= limit ? "+" : "")
    }
    let overdue = PageNumber.text(reading.overdue.count) + (reading.overdue.isCut ? "+" : "")
    let dead = PageNumber.text(reading.deadLetters) + (reading.hasMoreDeadLetters ? "+" : "")
    return [
      figure("succeeded", PageNumber.text(good), "succeeded in 24 h", "succeeded"),
      figure("failed", PageNumber.text(bad), "failed in 24 h", "failed", bad > 0 ? "bad" : ""),
      figure("rate", PageNumber.percent(good, of: good + bad), "success rate", nil),
      figure("pending", waiting(.pending), "due", "pending"),
      figure("scheduled", waiting(.scheduled), "scheduled for later", "scheduled"),
      figure("running", waiting(.running), "running", "running"),
      figure("overdue", overdue, "overdue", nil, reading.overdue.count > 0 ? "warn" : ""),
      Figure(
        figureID: "dead", number: dead, label: "dead letters", href: context.link(DeadLetterPages.segment).href,
        look: reading.deadLetters == 0 ? "" : "bad"),
    ]
  }

  private static func throughput(_ tally: RunTally) -> String {
    let total = tally.hours.reduce(0) { $0 + $1.total }
    guard total > 0, let top = tally.hours.max(by: { $0.total < $1.total }) else {
      return "No run was created in the last 24 hours."
    }
    let clock = PageTime.exact(top.start).split(separator: " ").dropFirst().first.map { $0.prefix(5) } ?? ""
    let mean = (total + RunTally.hourCount / 2) / RunTally.hourCount
    return
      "\(PageNumber.text(total, "run")) in 24 hours, \(PageNumber.text(mean)) an hour on average; the most, "
      + "\(PageNumber.text(top.total)), from \(clock) UTC."
  }

  private static func attention(_ listing: JobListing, _ context: DashboardContext) -> Attention? {
    let href = listing.jobID == nil ? nil : context.link("jobs", listing.id).href
    if let fault = listing.fault {
      return Attention(
        attentionJob: BoundedText.cut(listing.id, to: 128), attentionHref: href,
        attentionState: StateWord("set aside", "bad"), attentionText: BoundedText.cut(fault))
    }
    guard let report = listing.report, report.health != .healthy else { return nil }
    return Attention(
      attentionJob: listing.id, attentionHref: href, attentionState: StateWord(report.health),
      attentionText: BoundedText.sentence(report.reasons.joined(separator: " ")))
  }
}
#endif
