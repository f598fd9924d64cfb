#if Server
import CloudJobs
import CloudJobsCore
import CloudJobsPages

/// The page of failed runs, by job and error.
struct DeadLetterPages: DashboardPages {
  /// The segment of its path.
  static let segment = "dead-letters"
  /// The number of the latest failed runs that are grouped.
  static let runLimit = 500

  private let context: DashboardContext

  init(_ context: DashboardContext) { self.context = context }

  func respond(to request: PageRequest) async throws(JobError) -> Dashboard.Reply? {
    guard request.isReading, request.path.count == 1 else { return nil }
    let job = try RunQuery(request.query).filter.job
    let page = try await context.runtime.runs(
      matching: RunFilter(job: job, statuses: [.failed]), limit: Self.runLimit)
    let reading = DeadLetterReading(
      runs: page.runs.map { context.runtime.redacted($0) }, isCut: page.next != nil,
      repeats: try await RunRepeats(of: page.runs, in: context.runtime), job: job,
      showsAll: request.query["show"] == "all")
    // It reads many runs, so it is not refreshed by itself.
    return context.page(
      DeadLetterView(reading, context), "dead_letters", title: "Dead letters", segment: Self.segment,
      message: context.message(of: request), isLive: false)
  }
}

/// What the page of failed runs is made from.
struct DeadLetterReading: Sendable {
  /// The failed runs as they are shown, latest first.
  var runs: [Run]
  /// Whether there are earlier ones.
  var isCut: Bool
  /// The runs that repeat them.
  var repeats: RunRepeats
  /// The job whose runs they are; nil for all.
  var job: JobID?
  /// Whether those are listed too that were repeated with success.
  var showsAll: Bool
}

/// The page of failed runs.
struct DeadLetterView: Sendable {
  /// A group with its links.
  struct Row: Sendable {
    var rowJob: String
    var rowJobLink: String
    var rowKind: String
    var rowError: String
    var rowCount: String
    /// What became of the runs.
    var rowRepeats: [RepeatView]
    var latestTime: PageTime
    var firstTime: PageTime
    var latestLink: String
    var listLink: String
    var redriveLink: String
    var purgeLink: String
  }

  /// The maximum number of groups.
  static let groupLimit = 100

  var tabs: [RunListView.Tab]
  var groups: [Row]
  var hasGroups: Bool
  /// How many failed runs the groups have.
  var shownText: String
  /// What it means that there are none.
  var emptyText: String
  /// The job whose dead letters are shown; nil for all.
  var onlyJob: String?
  var everyJobLink: String

  /// Makes the page: pure.
  ///
  /// - Parameters:
  ///   - reading: what was read.
  ///   - context: the paths and the time of the page.
  init(_ reading: DeadLetterReading, _ context: DashboardContext) {
    let open = reading.runs.filter { reading.repeats.isOpen($0) }
    let runs = reading.showsAll ? reading.runs : open
    let repeated = reading.runs.count - open.count
    let all = DeadLetterGroup.groups(of: runs, reading.repeats)
    groups = all.prefix(Self.groupLimit).map { Row($0, showsAll: reading.showsAll, context) }
    hasGroups = !groups.isEmpty
    let count = "\(PageNumber.text(runs.count, "failed run")), in \(PageNumber.text(all.count, "group"))"
    shownText =
      reading.isCut
      ? "The latest \(count); there are earlier ones. A change of a group concerns all of its runs, also the earlier "
        + "ones."
      : "\(count)."
    emptyText =
      repeated == 0
      ? "No dead letters. A run whose attempts are used up is kept here until its retention is over."
      : "Nothing is left to be done: \(PageNumber.text(repeated, "failed run was", "failed runs were")) repeated with "
        + "success."
    let page = context.link(DeadLetterPages.segment).with("job", reading.job?.rawValue)
    let end = reading.isCut ? "+" : ""
    tabs = [
      RunListView.Tab(
        tabLabel: "Open \(PageNumber.text(open.count))\(end)", tabLink: page.href, isSelected: !reading.showsAll),
      RunListView.Tab(
        tabLabel: "All \(PageNumber.text(reading.runs.count))\(end)", tabLink: page.with("show", "all").href,
        isSelected: reading.showsAll),
    ]
    onlyJob = reading.job?.rawValue
    everyJobLink = context.link(DeadLetterPages.segment).with("show", reading.showsAll ? "all" : nil).href
  }
}

extension DeadLetterView.Row {
  /// Creates the row of a group.
  fileprivate init(_ group: DeadLetterGroup, showsAll: Bool, _ context: DashboardContext) {
    func link(_ link: PageLink, _ filter: RepeatFilter?) -> PageLink {
      link.with("job", group.groupJob).with("status", RunStatus.failed.rawValue).with("group", group.groupKey)
        .with("repeat", filter?.rawValue)
    }
    let list = context.link(RunPages.segment)
    let bulk = context.link(RunPages.segment, BulkPages.segment).with("scope", "filter")
    let shown: RepeatFilter? = showsAll ? nil : .open
    rowJob = group.groupJob
    rowJobLink = context.link("jobs", group.groupJob).href
    rowKind = BoundedText.cut(group.groupKind, to: 120)
    rowError = group.groupError
    rowCount = PageNumber.text(group.groupCount)
    rowRepeats = RepeatState.Kind.allCases.compactMap { kind in
      guard let repeats = group.groupRepeats[kind] else { return nil }
      // One repeat is shown itself, several as the list of what they repeat.
      let several = link(list, RepeatFilter(rawValue: kind.rawValue)).href
      let one = repeats.run.map { context.link(RunPages.segment, $0.rawValue).href }
      let href = repeats.count == 1 ? one : repeats.count < group.groupCount || kind != .notRepeated ? several : nil
      return RepeatView(group.groupCount == 1 ? kind.words : kind.words(of: repeats.count), href: href)
    }
    latestTime = context.time(group.latest)
    firstTime = context.time(group.first)
    latestLink = context.link(RunPages.segment, group.latestRun.rawValue).href
    listLink = link(list, shown).href
    redriveLink = link(bulk.with("action", "redrive"), shown).href
    purgeLink = link(bulk.with("action", "purge"), shown).href
  }
}
#endif
