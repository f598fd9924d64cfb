#if Server
import CloudJobs
import CloudJobsCore
import CloudJobsPages

/// The page of what visitors of the dashboard did.
struct ActionPages: DashboardPages {
  /// The segment of its path.
  static let segment = "actions"
  /// The number of actions on a page.
  static let pageSize = 100

  private let context: DashboardContext

  init(_ context: DashboardContext) { self.context = context }

  func respond(to request: PageRequest) async throws(JobError) -> Dashboard.Reply? {
    guard request.isReading, request.path.count == 1 else { return nil }
    let until = try RunQuery.time(request.query["until"], "until")
    let job = try request.query["job"].map { (text) throws(JobError) in try JobID(text) }
    let actions = try await context.runtime.operatorActions(on: job, until: until, limit: Self.pageSize)
    let view = ActionView(actions, job: job, isFirst: until == nil, context)
    return context.page(view, "actions", title: "Actions", segment: Self.segment)
  }
}

/// The list of actions.
struct ActionView: Sendable {
  /// An action.
  struct Row: Sendable {
    var actionTime: PageTime
    var actorName: String
    var actionText: String
    var actionJob: String?
    var actionJobLink: String?
    var actionRun: String?
    var actionRunLink: String?
  }

  var actions: [Row]
  var hasActions: Bool
  /// The job whose actions are shown; nil for all.
  var onlyJob: String?
  var allLink: String
  var pager: PagePager?
  /// How long actions are kept.
  var retentionText: String

  /// Creates the list.
  ///
  /// - Parameters:
  ///   - actions: the actions, latest first.
  ///   - job: the job whose actions are shown; nil for all.
  ///   - isFirst: whether it is the first page.
  ///   - context: the context of the page.
  init(_ actions: [OperatorAction], job: JobID?, isFirst: Bool, _ context: DashboardContext) {
    let list = context.link(ActionPages.segment)
    self.actions = actions.map { action in
      Row(
        actionTime: context.time(action.time), actorName: BoundedText.cut(action.actor, to: 120),
        actionText: action.text,
        actionJob: action.job.map { BoundedText.cut($0, to: 128) },
        actionJobLink: action.job.map { context.link("jobs", $0).href },
        actionRun: action.run.map { String($0.rawValue.prefix(8)) },
        actionRunLink: action.run.map { context.link(RunPages.segment, $0.rawValue).href })
    }
    hasActions = !actions.isEmpty
    onlyJob = job?.rawValue
    allLink = list.href
    let link = list.with("job", job?.rawValue)
    let isFull = actions.count == ActionPages.pageSize
    let next = isFull ? actions.last.map { link.with("until", "\($0.time - .microseconds(1))").href } : nil
    if next != nil || !isFirst {
      pager = PagePager(
        shown: PageNumber.text(actions.count, "action"), next: next, first: isFirst ? nil : link.href)
    }
    retentionText = PageNumber.text(context.runtime.options.journalRetention)
  }
}
#endif
