#if Server
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsPages

/// The first page: figures, what waits and why, and the latest deliveries.
struct EmulatorOverviewPages: EmulatorPages {
  private let context: EmulatorPageContext

  init(_ context: EmulatorPageContext) { self.context = context }

  func respond(to request: DashboardRequest) async throws(PageFault) -> PageResponse? {
    guard request.isReading, request.path.isEmpty else { return nil }
    let emulator = context.api.emulator
    let documents = await context.api.firestore.run {
      emulator.withFirestore { firestore, _ in firestore.documentCount }
    }
    let view = emulator.withServices { state, now in
      EmulatorOverviewView(
        waiting: WaitingRow.rows(state, context.clock, limit: 20),
        figures: [
          .init(figureValue: state.tasks.queueCount, figureLabel: "queues", figureHref: context.link("queues").href),
          .init(figureValue: state.tasks.taskCount, figureLabel: "tasks", figureHref: context.link("queues").href),
          .init(
            figureValue: context.clock.inFlight, figureLabel: "in flight",
            figureHref: context.link("deliveries").with("show", "flight").href),
          .init(
            figureValue: state.scheduler.jobCount, figureLabel: "scheduler jobs",
            figureHref: context.link("jobs").href),
          .init(figureValue: documents, figureLabel: "documents", figureHref: context.link("documents").href),
          .init(
            figureValue: context.clock.counts.started, figureLabel: "deliveries",
            figureHref: context.link("deliveries").href),
        ],
        isEmpty: state.tasks.queueCount == 0 && state.scheduler.jobCount == 0)
    }
    var shown = view
    shown.rows = DeliveryRow.rows(emulator.trace.newestFirst, limit: 12, now: context.now)
    shown.newQueuePath = context.link("queues", "new").href
    shown.newJobPath = context.link("jobs", "new").href
    shown.resetPath = context.link("clock", "reset").href
    return context.page(shown, "emulator", title: "Overview")
  }
}

/// The values of the first page.
struct EmulatorOverviewView: Sendable {
  /// A number with its name.
  struct Figure: Sendable {
    /// The number.
    var figureText: String
    /// The name.
    var figureLabel: String
    /// The path of the page with more about it.
    var figureHref: String

    /// Creates a figure.
    init(figureValue: Int, figureLabel: String, figureHref: String) {
      figureText = PageNumber.text(figureValue)
      (self.figureLabel, self.figureHref) = (figureLabel, figureHref)
    }
  }

  /// What waits.
  var waiting: [WaitingRow]
  /// The numbers.
  var figures: [Figure]
  /// Whether there is neither a queue nor a job.
  var isEmpty: Bool
  /// The latest deliveries.
  var rows: [DeliveryRow] = []
  /// The path of the form for a queue.
  var newQueuePath = ""
  /// The path of the form for a job.
  var newJobPath = ""
  /// The path of the question before a reset.
  var resetPath = ""
}

/// A task or job that waits, as a row of a table.
struct WaitingRow: Sendable {
  /// The short name.
  var waitingName: String
  /// The kind: `task` or `job`.
  var waitingKind: String
  /// The path of its page.
  var waitingHref: String
  /// The reason.
  var reason: ReasonView
  /// The time until which it waits; nil if more than time is needed.
  var due: PageTime?
  /// The path that a POST runs it under.
  var runPath: String

  /// Returns the tasks and jobs that wait, by the time of their next attempt.
  ///
  /// - Parameters:
  ///   - state: the services.
  ///   - clock: the emulator's clock.
  ///   - limit: the maximum number.
  /// - Returns: the rows.
  static func rows(_ state: EmulatorState, _ clock: ClockStatus, limit: Int) -> [WaitingRow] {
    var rows: [(isStopped: Bool, time: Timestamp, row: WaitingRow)] = []
    for report in state.tasks.nextTasks(limit: limit, at: clock.now) {
      let queue = state.tasks.queueReport(report.task.name.queue, at: clock.now)?.queue
      let row = WaitingRow(
        report.task.name.description, ReasonView(report, queue, clock), report.reason.end, clock.now)
      rows.append((report.reason == .paused, report.reason.end ?? report.task.scheduleTime, row))
    }
    for report in state.scheduler.nextJobs(limit: limit) {
      let end = report.reason.end
      let row = WaitingRow(report.job.name.text, ReasonView(report.reason, clock), end, clock.now)
      rows.append((end == nil, end ?? .distantFuture, row))
    }
    rows.sort { ($0.isStopped ? 1 : 0, $0.time) < ($1.isStopped ? 1 : 0, $1.time) }
    return rows.prefix(limit).map(\.row)
  }

  private init(_ name: String, _ reason: ReasonView, _ due: Timestamp?, _ now: Timestamp) {
    let link = ResourceLink(name)
    (waitingName, waitingKind, waitingHref) = (link.short, link.kind, link.href ?? EmulatorDashboard.path)
    self.reason = reason
    self.due = due.map { PageTime($0, now: now) }
    runPath = waitingHref + "/run"
  }
}
#endif
