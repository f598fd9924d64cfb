#if Server
import CloudJobs
import CloudJobsCore
import CloudJobsPages

/// The filter of the list of jobs.
struct JobFilter: Hashable, Sendable {
  /// The states by which jobs are filtered.
  static let states = ["enabled", "disabled", "paused", "breaker open", "breaker half-open", "set aside"]

  /// A part of the id, the group or the schedule's words.
  var text: String?
  /// The kind.
  var kind: JobKind?
  /// The state, one of ``states``.
  var state: String?
  /// The group.
  var group: String?
  /// Whether only jobs that need attention are listed.
  var needsAttention = false

  /// Reads the parameters of a query; unknown values count as none.
  init(_ query: PageFields) {
    text = query["q"].map { BoundedText.cut($0, to: 128).lowercased() }
    kind = query["kind"].flatMap { JobKind(rawValue: $0) }
    state = query["state"].flatMap { Self.states.contains($0) ? $0 : nil }
    group = query["group"].map { String($0.prefix(256)) }
    needsAttention = query["health"] == "attention"
  }

  /// Returns whether a job is listed.
  func matches(_ listing: JobListing) -> Bool {
    if let text {
      let searched = [listing.id, listing.group ?? "", listing.scheduleWords, listing.job?.schedule?.text ?? ""]
      guard searched.contains(where: { $0.lowercased().contains(text) }) else { return false }
    }
    if let kind, listing.kind != kind { return false }
    if let state, StateWord(of: listing).word != state { return false }
    if let group, listing.group != group { return false }
    return !needsAttention || listing.fault != nil || (listing.report?.health ?? .healthy) != .healthy
  }

  /// Adds the filter to a link.
  func added(to link: PageLink) -> PageLink {
    link.with("q", text).with("kind", kind?.rawValue).with("state", state).with("group", group)
      .with("health", needsAttention ? "attention" : nil)
  }

  /// Whether every job is listed.
  var isEmpty: Bool { text == nil && kind == nil && state == nil && group == nil && !needsAttention }
}

/// A choice of a selection.
struct PageChoice: Sendable {
  /// The value that is sent.
  var choice: String
  /// The text.
  var choiceText: String
  /// Whether it is chosen.
  var isChosen: Bool

  /// Creates a choice, whose value is its text unless another text is given.
  init(_ choice: String, _ text: String? = nil, isChosen: Bool) {
    (self.choice, choiceText, self.isChosen) = (choice, text ?? choice, isChosen)
  }
}

/// The values of the list of jobs.
struct JobListView: Sendable {
  /// A job of the list.
  struct Row: Sendable {
    /// The id of the job.
    var job: String
    /// The path of its page; nil for a document that is no job's.
    var jobHref: String?
    /// The kind.
    var kind: String
    /// The group; nil for none.
    var group: String?
    /// The schedule in words.
    var words: String
    /// The schedule as text; nil without one.
    var scheduleText: String?
    /// What keeps it from running.
    var state: StateWord
    /// The health; nil if it can't be told.
    var health: StateWord?
    /// The reasons of the health.
    var reasons: String?
    /// Whether the code is in another program.
    var isElsewhere: Bool
    /// The result of the last occurrence; nil if there was none.
    var last: StateWord?
    /// The start of the latest run.
    var lastTime: PageTime?
    /// The path of the latest run.
    var lastHref: String?
    /// The duration of the latest attempt.
    var lastDuration: String?
    /// The next time.
    var nextTime: PageTime?
    /// The latest runs; nil if they are not read.
    var history: RunSquares?
  }

  /// The number of jobs of a page.
  static let pageLimit = 50
  /// The number of runs in the history of a job.
  static let historyLimit = 10

  var rows: [Row]
  var hasRows: Bool
  var hasHistory: Bool
  var count: String
  var search: String
  var kinds: [PageChoice]
  var states: [PageChoice]
  var groups: [PageChoice]
  var hasGroups: Bool
  var isFiltered: Bool
  var needsAttention: Bool
  var action: String
  var pauseHref: String
  var resumeHref: String
  var pager: PagePager?

  /// The jobs that a page shows: those of a filter after an id.
  ///
  /// - Parameters:
  ///   - all: all jobs, in the order of their ids.
  ///   - filter: the filter.
  ///   - last: the id of the last job of the page before; nil for the first page.
  /// - Returns: the jobs, and the number of all jobs of the filter.
  static func shown(_ all: [JobListing], _ filter: JobFilter, after last: String?) -> (jobs: [JobListing], count: Int) {
    let found = all.filter { filter.matches($0) }
    let rest = last.map { last in Array(found.drop { $0.id <= last }) } ?? found
    return (Array(rest.prefix(pageLimit + 1)), found.count)
  }

  /// Makes the page: pure.
  ///
  /// - Parameters:
  ///   - shown: the jobs of the page, and one more if there is a further page.
  ///   - count: the number of jobs of the filter.
  ///   - groups: the names of all groups.
  ///   - filter: the filter.
  ///   - isFirst: whether it is the first page.
  ///   - history: the latest runs by job; nil if they are not read.
  ///   - context: the paths and the time of the page.
  init(
    _ shown: [JobListing], of count: Int, groups: [String], _ filter: JobFilter, isFirst: Bool,
    history: [JobID: [Run]]?, _ context: DashboardContext
  ) {
    let jobs = shown.prefix(Self.pageLimit)
    rows = jobs.map { Row($0, $0.jobID.flatMap { history?[$0] } ?? [], context) }
    hasRows = !rows.isEmpty
    hasHistory = history != nil
    self.count = PageNumber.text(count, "job")
    search = filter.text ?? ""
    kinds = JobKind.allCases.map { PageChoice($0.rawValue, isChosen: $0 == filter.kind) }
    states = JobFilter.states.map { PageChoice($0, isChosen: $0 == filter.state) }
    self.groups = groups.map { PageChoice($0, BoundedText.cut($0, to: 60), isChosen: $0 == filter.group) }
    hasGroups = !groups.isEmpty
    isFiltered = !filter.isEmpty
    needsAttention = filter.needsAttention
    let base = context.link("jobs")
    action = base.href
    pauseHref = base.with("all", "pause").href
    resumeHref = base.with("all", "resume").href
    let next = shown.count > Self.pageLimit ? jobs.last?.id : nil
    let isWhole = isFirst && next == nil
    pager =
      isWhole
      ? nil
      : PagePager(
        shown: "\(rows.count) of \(PageNumber.text(count, "job"))",
        next: next.map { filter.added(to: base).with("after", $0).href },
        first: isFirst ? nil : filter.added(to: base).href)
  }
}

extension JobListView.Row {
  fileprivate init(_ listing: JobListing, _ runs: [Run], _ context: DashboardContext) {
    job = BoundedText.cut(listing.id, to: 128)
    jobHref = listing.jobID == nil ? nil : context.link("jobs", listing.id).href
    kind = listing.kind?.rawValue ?? "unknown"
    group = listing.group.map { BoundedText.cut($0, to: 60) }
    words = listing.scheduleWords
    scheduleText = listing.job?.kind == .endpoint ? nil : listing.job?.schedule?.text
    state = StateWord(of: listing)
    health = listing.report.map { StateWord($0.health) }
    let reasons = listing.fault ?? listing.report?.reasons.joined(separator: " ") ?? ""
    self.reasons = reasons.isEmpty ? nil : BoundedText.sentence(reasons, to: 200)
    isElsewhere = !listing.isRegistered
    last = listing.state.status.map { StateWord($0) }
    // The job's document tells the time of a schedule's runs alone.
    lastTime = context.time(listing.state.lastRun ?? runs.first { $0.finishedAt != nil }?.startedAt)
    let latest = runs.first { $0.finishedAt != nil }
    lastHref = (listing.state.lastRunID ?? latest?.id).map { context.link("runs", $0.rawValue).href }
    // The document has the duration of the last attempt, a run that of all.
    let whole = latest.flatMap { run in run.startedAt.flatMap { start in run.finishedAt.map { $0 - start } } }
    lastDuration = (whole ?? listing.state.lastDuration).map { PageNumber.text($0) }
    nextTime = context.time(listing.nextRun(at: context.now))
    history = RunSquares(runs, limit: JobListView.historyLimit)
  }
}
#endif
