#if Server
import CloudJobs
import CloudJobsCore
import CloudJobsPages

/// Failed runs of one job with the same error.
struct DeadLetterGroup: Sendable {
  /// The length of a key, in hexadecimal digits.
  static let keyLength = 16
  /// The maximum length of an error, in characters.
  static let maximumError = 300

  var groupJob: String
  var groupKind: String
  /// The error without its numbers.
  var groupError: String
  var groupCount: Int
  var groupKey: String
  var latest: Timestamp
  var first: Timestamp
  var latestRun: RunID

  /// Returns the key of a failed run's group: the hash of its job and its error.
  ///
  /// - Parameter run: the run as it is shown, with confidential values replaced.
  /// - Returns: hexadecimal digits.
  static func key(of run: Run) -> String {
    let text = [run.job.rawValue, run.failure?.kind ?? "", error(of: run)].joined(separator: "\u{0}")
    return String(SHA256.hexDigest(of: text.utf8).prefix(keyLength))
  }

  /// Returns the error of a run with `…` in place of numbers and ids, which differ from run to run.
  static func error(of run: Run) -> String {
    normalized(run.failure?.message ?? run.reason ?? "")
  }

  /// Returns the first line of a message with `…` in place of each word part that has a digit.
  static func normalized(_ message: String) -> String {
    let line = message.prefix(maximumError).prefix { !$0.isNewline }
    var result = ""
    var word = ""
    func flush() {
      result += word.contains { $0.isNumber } ? (result.hasSuffix("…") ? "" : "…") : word
      word = ""
    }
    for character in line {
      if character.isLetter || character.isNumber || character == "-" || character == "_" {
        word.append(character)
      } else {
        flush()
        result.append(character)
      }
    }
    flush()
    return result
  }

  /// Groups failed runs, the largest group first and then by the latest run.
  ///
  /// - Parameter runs: the runs as they are shown, latest first.
  /// - Returns: the groups.
  static func groups(of runs: [Run]) -> [DeadLetterGroup] {
    var groups: [String: DeadLetterGroup] = [:]
    for run in runs {
      let key = key(of: run)
      let time = run.finishedAt ?? run.createdAt
      if var group = groups[key] {
        group.groupCount += 1
        if time > group.latest { (group.latest, group.latestRun) = (time, run.id) }
        group.first = min(group.first, time)
        groups[key] = group
      } else {
        groups[key] = DeadLetterGroup(
          groupJob: run.job.rawValue, groupKind: run.failure?.kind ?? "", groupError: error(of: run), groupCount: 1,
          groupKey: key, latest: time, first: time, latestRun: run.id)
      }
    }
    return groups.values.sorted { ($1.groupCount, $1.latest, $0.groupKey) < ($0.groupCount, $0.latest, $1.groupKey) }
  }
}

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
    let query = try RunQuery(request.query)
    let page = try await context.runtime.runs(
      matching: RunFilter(job: query.filter.job, statuses: [.failed]), limit: Self.runLimit)
    let runs = page.runs.map { context.runtime.redacted($0) }
    let view = DeadLetterView(runs, isCut: page.next != nil, context)
    // It reads many runs, so it is not refreshed by itself.
    return context.page(
      view, "dead_letters", title: "Dead letters", segment: Self.segment, message: context.message(of: request),
      isLive: false)
  }
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
    var latestTime: PageTime
    var firstTime: PageTime
    var latestLink: String
    var listLink: String
    var redriveLink: String
    var purgeLink: String
  }

  var groups: [Row]
  var hasGroups: Bool
  /// How many failed runs the groups have.
  var shownText: String

  /// Creates the page.
  ///
  /// - Parameters:
  ///   - runs: the failed runs as they are shown, latest first.
  ///   - isCut: whether there are earlier ones.
  ///   - context: the context of the page.
  init(_ runs: [Run], isCut: Bool, _ context: DashboardContext) {
    groups = DeadLetterGroup.groups(of: runs).prefix(100).map { group in
      let list = context.link(RunPages.segment)
      func link(_ link: PageLink) -> PageLink {
        link.with("job", group.groupJob).with("status", RunStatus.failed.rawValue).with("group", group.groupKey)
      }
      let bulk = context.link(RunPages.segment, BulkPages.segment)
      return Row(
        rowJob: group.groupJob, rowJobLink: context.link("jobs", group.groupJob).href,
        rowKind: String(group.groupKind.prefix(120)), rowError: group.groupError,
        rowCount: PageNumber.text(group.groupCount), latestTime: context.time(group.latest),
        firstTime: context.time(group.first),
        latestLink: context.link(RunPages.segment, group.latestRun.rawValue).href, listLink: link(list).href,
        redriveLink: link(bulk.with("action", "redrive").with("scope", "filter")).href,
        purgeLink: link(bulk.with("action", "purge").with("scope", "filter")).href)
    }
    hasGroups = !groups.isEmpty
    let count = PageNumber.text(runs.count, "failed run")
    shownText =
      isCut
      ? "The latest \(count), in \(PageNumber.text(groups.count, "group")); there are earlier ones. A change of a "
        + "group concerns all of its runs, also the earlier ones."
      : "\(count), in \(PageNumber.text(groups.count, "group"))."
  }
}
#endif
