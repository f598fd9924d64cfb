#if Server
import CloudJobs
import CloudJobsCore
import CloudJobsPages

/// A run as lists show it.
struct RunRow: Sendable {
  /// The maximum length of a reason, in Unicode scalars.
  static let maximumReason = 140

  var runID: String
  var shortID: String
  var runLink: String
  var jobName: String
  var jobLink: String
  var stateName: String
  /// What became of a dead letter; nil for another run, and where it is not read.
  var repeated: RepeatView?
  var created: PageTime
  /// The time that the attempts took, or the time until the start; empty for neither.
  var tookText: String
  var attemptText: String
  var reasonText: String

  /// Creates the row of a run.
  ///
  /// - Parameters:
  ///   - run: the run as it is shown, with confidential values replaced.
  ///   - repeated: what became of a dead letter; nil for another run, and where it is not read.
  ///   - context: the context of the page.
  init(_ run: Run, repeated: RepeatState? = nil, _ context: DashboardContext) {
    runID = run.id.rawValue
    shortID = String(run.id.rawValue.prefix(8))
    runLink = context.link(RunPages.segment, run.id.rawValue).href
    jobName = run.job.rawValue
    jobLink = context.link("jobs", run.job.rawValue).href
    stateName = run.status.rawValue
    self.repeated = repeated.map { RepeatView($0, context) }
    created = context.time(run.createdAt)
    attemptText =
      run.attempt == 0 ? "" : run.maxAttempts > 1 ? "\(run.attempt) of \(run.maxAttempts)" : "\(run.attempt)"
    let reason =
      run.failure.flatMap { run.status == .succeeded ? nil : BoundedText.failure($0) } ?? run.reason ?? ""
    reasonText = PageTime.readable(BoundedText.line(reason, to: Self.maximumReason))
    switch run.status {
    case .scheduled where run.notBefore > context.now: tookText = context.time(run.notBefore).relative
    case .running: tookText = run.startedAt.map { PageNumber.text(max(.zero, context.now - $0)) } ?? ""
    case .succeeded, .failed, .cancelled:
      tookText = run.finishedAt.flatMap { end in run.startedAt.map { PageNumber.text(max(.zero, end - $0)) } } ?? ""
    default: tookText = ""
    }
  }
}

/// The list of runs.
struct RunListView: Sendable {
  /// A tab that shows runs of one status.
  struct Tab: Sendable {
    var tabLabel: String
    var tabLink: String
    var isSelected: Bool
  }

  /// A field of the query that a form keeps.
  struct Hidden: Sendable {
    var hiddenName: String
    var hiddenValue: String
  }

  /// What a search has looked at.
  struct Search: Sendable {
    /// A sentence that tells how far back it looked.
    var searchText: String
    /// A sentence about encrypted payloads; nil if there were none.
    var encryptedText: String?
    /// The link that looks further back; nil at the end.
    var furtherLink: String?
  }

  var tabs: [Tab]
  var rows: [RunRow]
  var hasRows: Bool
  /// What to do if there are no runs.
  var emptyText: String
  var pager: PagePager?
  var search: Search?
  /// The values of the filter's inputs.
  var jobValue: String
  var fromValue: String
  var beforeValue: String
  var correlationValue: String
  var idValue: String
  var searchValue: String
  var statusValue: String?
  var groupValue: String?
  var repeatChoices: [PageChoice]
  var jobIDs: [String]
  var isFiltered: Bool
  /// Whether the filter's second line is open.
  var isDetailed: Bool
  var listLink: String
  var bulkLink: String
  var bulkFields: [Hidden]
  /// Whether everything that matches can be changed at once.
  var hasBulkScope: Bool

  /// Creates the list.
  ///
  /// - Parameters:
  ///   - step: the runs, as they are stored.
  ///   - query: the query.
  ///   - isFirst: whether it is the first page.
  ///   - repeats: the runs that repeat those of the page.
  ///   - context: the context of the page.
  init(_ step: RunScan.Step, _ query: RunQuery, isFirst: Bool, repeats: RunRepeats, _ context: DashboardContext) {
    let list = context.link(RunPages.segment)
    rows = step.runs.map { RunRow(context.runtime.redacted($0), repeated: repeats.state(of: $0), context) }
    hasRows = !rows.isEmpty
    listLink = list.href
    bulkLink = context.link(RunPages.segment, BulkPages.segment).href
    tabs = Self.tabs(query, list)
    jobIDs = context.runtime.jobIDs.prefix(500).map(\.rawValue)
    jobValue = query.filter.job?.rawValue ?? ""
    fromValue = Self.input(query.filter.createdFrom)
    beforeValue = Self.input(query.filter.createdBefore)
    correlationValue = query.filter.correlationID ?? ""
    idValue = query.prefix ?? ""
    searchValue = query.search ?? ""
    statusValue = query.filter.statuses?.first?.rawValue
    groupValue = query.group
    repeatChoices = RepeatFilter.allCases.map { PageChoice($0.rawValue, $0.label, isChosen: $0 == query.repeats) }
    isFiltered = !query.isEmpty
    isDetailed = !(fromValue + beforeValue + correlationValue).isEmpty || query.repeats != nil
    bulkFields = query.fields.filter { $0.name != "id" }.map { Hidden(hiddenName: $0.name, hiddenValue: $0.value) }
    hasBulkScope = query.prefix == nil
    let next = step.next.map { query.link(list).with("cursor", $0.text).href }
    let first = isFirst ? nil : query.link(list).href
    if query.isSearch {
      search = Self.search(step, query, next: next)
    } else if next != nil || first != nil {
      pager = PagePager(shown: PageNumber.text(rows.count, "run"), next: next, first: first)
    }
    emptyText =
      isFirst && query.isEmpty
      ? "No runs yet. A run is made when a job comes due, or when a program enqueues one."
      : query.isSearch && step.next != nil
        ? "Nothing found so far. Search further, or narrow the search by a job or a time."
        : "No run matches. Change the filter, or remove it."
  }

  private static func search(_ step: RunScan.Step, _ query: RunQuery, next: String?) -> Search {
    let looked = PageNumber.text(step.reads, "run")
    let back = step.oldest.map { ", back to \(PageTime.exact($0))" } ?? ""
    let end = next == nil ? "There are no earlier ones." : "Earlier ones were not looked at yet."
    let encrypted = query.search != nil && step.encrypted > 0
    return Search(
      searchText: "Looked at \(looked)\(back), and found \(PageNumber.text(step.runs.count)). \(end)",
      encryptedText: encrypted
        ? "\(PageNumber.text(step.encrypted, "run has", "runs have")) an encrypted payload, which is not searched."
        : nil,
      furtherLink: next)
  }

  private static func tabs(_ query: RunQuery, _ list: PageLink) -> [Tab] {
    let selected = query.filter.statuses?.first
    let choices: [RunStatus?] = [nil, .running, .pending, .scheduled, .succeeded, .failed, .cancelled]
    return choices.map { status in
      var other = query
      other.filter.statuses = status.map { [$0] }
      let label = status.map { $0.rawValue.prefix(1).uppercased() + $0.rawValue.dropFirst() } ?? "All"
      return Tab(tabLabel: label, tabLink: other.link(list).href, isSelected: status == selected)
    }
  }

  /// Returns a time as an input of a form has it, in UTC; its fraction is dropped.
  static func input(_ time: Timestamp?) -> String {
    time.map { String("\($0)".prefix(19)) } ?? ""
  }
}
#endif
