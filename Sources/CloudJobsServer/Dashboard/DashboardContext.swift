#if Server
import CloudJobs
import CloudJobsCore
import CloudJobsPages
import HTTPTypes
import Logging

/// What the pages of one request share.
struct DashboardContext: Sendable {
  /// The runtime.
  let runtime: JobRuntime
  /// The dashboard's options.
  let options: DashboardOptions
  /// Who looks.
  let visitor: DashboardVisitor
  /// The time of the request.
  let now: Timestamp
  /// The logs that are followed in this process.
  var streams = LogStreamBudget()
  /// What was measured for the forecasts of this dashboard.
  var measurements = SharedMeasurements()
  /// The id of the last event that a browser got of a stream that it opens again; nil for none.
  var lastEventID: String?

  /// Whether the visitor may change anything.
  var mayChange: Bool { visitor.role == .full }

  /// The name under which the visitor's actions are recorded.
  var actor: String { visitor.name ?? "a visitor on this machine" }

  /// Records what the visitor did: in the log, and in the store for the page of actions.
  ///
  /// Call it after the change. That it can't be stored is logged, and the change stays.
  ///
  /// - Parameters:
  ///   - action: the action as a sentence, such as `Cancelled the run.`
  ///   - job: the job that it was about; nil for none.
  ///   - run: the run that it was about; nil for none.
  func record(_ action: String, job: JobID? = nil, run: RunID? = nil) async {
    let logger = runtime.options.logger
    var metadata: Logger.Metadata = ["action": "\(action)", "actor": "\(actor)"]
    metadata["job"] = job.map { "\($0)" }
    metadata["run"] = run.map { "\($0)" }
    logger.notice("A visitor of the dashboard changed something.", metadata: metadata)
    do throws(JobError) {
      try await runtime.record(action, by: actor, job: job, run: run)
    } catch {
      metadata["error"] = "\(error)"
      logger.warning("What a visitor of the dashboard changed could not be recorded.", metadata: metadata)
    }
  }

  /// Returns a link within the dashboard.
  ///
  /// - Parameter segments: the segments of the path, not encoded.
  /// - Returns: the link.
  func link(_ segments: String...) -> PageLink {
    segments.reduce(PageLink(options.path)) { $0.appending($1) }
  }

  /// The page that explains the words.
  private var words: PageLink { link(WordPages.segment) }

  /// Returns the word that explains the label of a fact or a field; nil for none.
  func word(labelled label: String) -> PageShell.Word? { DashboardWords.word(labelled: label, on: words) }

  /// Returns a time as pages show it.
  func time(_ time: Timestamp) -> PageTime { PageTime(time, now: now) }

  /// Returns a time as pages show it; nil for none.
  func time(_ time: Timestamp?) -> PageTime? { time.map { PageTime($0, now: now) } }

  /// Returns a page.
  ///
  /// - Parameters:
  ///   - view: the values that the template knows as `page`.
  ///   - template: the name of the template.
  ///   - title: the title.
  ///   - segment: the segment of the group that the page belongs to.
  ///   - message: the message at the top; nil for none.
  ///   - isLive: whether its parts with `data-live` are refreshed.
  ///   - status: the status.
  /// - Returns: the page.
  func page(
    _ view: some Sendable, _ template: String, title: String, segment: String, message: PageShell.Message? = nil,
    isLive: Bool = true, status: PageResponse.Status = .ok
  ) -> Dashboard.Reply {
    .page(response(view, template, title: title, segment: segment, message: message, isLive: isLive, status: status))
  }

  /// Returns a response that leads to another page after a change, with a message there.
  ///
  /// - Parameters:
  ///   - link: the page.
  ///   - done: the change.
  /// - Returns: the response.
  func redirect(to link: PageLink, after done: DashboardMessage) -> Dashboard.Reply {
    .page(PageResponse(redirectTo: link.with("done", done.rawValue).href))
  }

  /// Returns the message about the change that led to a page; nil for none.
  func message(of request: PageRequest) -> PageShell.Message? {
    request.query["done"].flatMap { DashboardMessage(rawValue: $0) }.map { PageShell.Message($0.text) }
  }

  /// Returns the page of an error.
  func page(for error: JobError) -> PageResponse {
    struct ErrorView: Sendable {
      var text: String
      var field: String?
    }
    let status = HandlerResponse(error).head.status
    return response(
      ErrorView(text: error.message, field: error.field), "error", title: status.reasonPhrase, segment: nil,
      message: nil, isLive: false, status: status)
  }

  private func response(
    _ view: some Sendable, _ template: String, title: String, segment: String?, message: PageShell.Message?,
    isLive: Bool, status: PageResponse.Status
  ) -> PageResponse {
    let links = DashboardSections.navigation.map { section in
      PageShell.Link(
        section.label, href: section.segment.isEmpty ? options.path : link(section.segment).href, key: section.key,
        isCurrent: section.segment == segment)
    }
    var shell = PageShell(product: options.title, title: title, base: options.path, links: links, now: now)
    shell.user = visitor.name
    shell.mayChange = mayChange
    shell.refresh = isLive ? options.refreshInterval.map { max(1, Int($0.components.seconds)) } : nil
    shell.message = message
    shell.words = DashboardWords.shown(on: words)
    shell.wordsHref = words.href
    return PageResponse(page: DashboardTemplates.all.render(view, as: template, in: shell), status: status)
  }
}

/// The changes that a page reports after they were made.
///
/// A page shows only these texts, so that a link can't make it say anything else.
enum DashboardMessage: String, CaseIterable {
  case saved
  case enabled, disabled, paused, resumed, removed, triggered, enqueued, enqueuedBefore, pausedAll, resumedAll
  case cancelled
  case asked
  case madeDue
  case rescheduled
  case redriven
  case redrivenBefore
  case deleted

  /// The message.
  var text: String {
    switch self {
    case .saved: "The job was changed. A new schedule takes effect at once, in other instances with their next pass."
    case .enabled: "The job was enabled."
    case .disabled: "The job was disabled. Attempts under way go on."
    case .paused: "The job was paused: its schedule is skipped, and its enqueued runs wait."
    case .resumed: "The job was resumed."
    case .removed: "The document was removed."
    case .triggered: "The job runs now. Its run is among the latest ones."
    case .enqueued: "The run was enqueued."
    case .enqueuedBefore: "A run of this key was there before. No other was made."
    case .pausedAll: "All jobs were paused."
    case .resumedAll: "All jobs were resumed."
    case .cancelled: "The run was cancelled."
    case .asked: "The attempt was asked to stop."
    case .madeDue: "The next attempt is due now."
    case .rescheduled: "The next attempt was moved."
    case .redriven: "This is the new run that repeats the earlier one."
    case .redrivenBefore: "The earlier run had been repeated before, as this run."
    case .deleted: "The run's record was deleted."
    }
  }
}

/// The templates of the dashboard's pages.
enum DashboardTemplates {
  /// All templates, by the names of their files.
  static let all = PageTemplates([
    "error": PackageResources.error_mustache,
    "overview": PackageResources.overview_mustache,
    "jobs": PackageResources.jobs_mustache, "job": PackageResources.job_mustache,
    "job_edit": PackageResources.job_edit_mustache, "job_field": PackageResources.job_field_mustache,
    "job_enqueue": PackageResources.job_enqueue_mustache,
    "job_confirm": PackageResources.job_confirm_mustache, "squares": PackageResources.squares_mustache,
    "why": PackageResources.why_mustache, "job_why": PackageResources.job_why_mustache,
    "calendar": PackageResources.calendar_mustache, "heat": PackageResources.heat_mustache,
    "forecast": PackageResources.forecast_mustache,
    "runs": PackageResources.runs_mustache,
    "run": PackageResources.run_mustache,
    "run_action": PackageResources.run_action_mustache,
    "run_log": PackageResources.run_log_mustache,
    "run_row": PackageResources.run_row_mustache,
    "bulk_question": PackageResources.bulk_question_mustache,
    "bulk_progress": PackageResources.bulk_progress_mustache,
    "dead_letters": PackageResources.dead_letters_mustache,
    "workers": PackageResources.workers_mustache,
    "actions": PackageResources.actions_mustache,
    "words": PackageResources.words_mustache,
  ])
}
#endif
