#if Server
import CloudJobs
import CloudJobsCore
import CloudJobsPages

/// The changes of one run.
enum RunAction: String, CaseIterable, Sendable {
  case cancel
  case retry
  case redrive
  case reschedule
  case purge

  /// Returns the actions that make sense for a run.
  static func all(for run: Run) -> [RunAction] {
    switch run.status {
    case .scheduled: [.retry, .reschedule, .cancel]
    case .pending: [.reschedule, .cancel]
    case .running: run.cancellation == nil ? [.cancel] : []
    case .failed, .cancelled: [.redrive, .purge]
    case .succeeded: [.purge]
    }
  }

  /// Returns the label of the button.
  func label(for run: Run) -> String {
    switch self {
    case .cancel: run.status == .running ? "Ask it to stop…" : "Cancel…"
    case .retry: run.attempt == 0 ? "Start now" : "Retry now"
    case .redrive: run.checkpoint == nil ? "Redrive" : "Redrive from its checkpoint"
    case .reschedule: "Reschedule…"
    case .purge: "Delete…"
    }
  }

  /// Whether it is asked for on a page of its own.
  var asks: Bool { self == .cancel || self == .reschedule || self == .purge }
  /// Whether it can't be undone.
  var isDangerous: Bool { self == .cancel || self == .purge }
}

/// The pages that change one run: a question where the change needs a value or can't be undone, and the change.
struct RunActionPages: Sendable {
  private let context: DashboardContext
  private var runtime: JobRuntime { context.runtime }

  init(_ context: DashboardContext) { self.context = context }

  /// Answers a request; nil if there is no such action.
  ///
  /// - Parameters:
  ///   - request: the request.
  ///   - name: the name of the action.
  ///   - id: the id of the run.
  /// - Returns: the page; nil if there is none.
  /// - Throws: ``/CloudJobsCore/JobError`` of the change.
  func respond(to request: PageRequest, _ name: String, _ id: RunID) async throws(JobError) -> Dashboard.Reply? {
    guard let action = RunAction(rawValue: name) else { return nil }
    if request.isReading { return action.asks ? try await ask(action, id) : nil }
    return try await perform(action, id, request.form)
  }

  private func ask(_ action: RunAction, _ id: RunID) async throws(JobError) -> Dashboard.Reply {
    guard context.mayChange else {
      throw JobError(.permissionDenied, "You may look at the dashboard, and not change anything.")
    }
    guard let run = try await runtime.run(withID: id) else { throw .noRun(id) }
    let view = RunActionView(action, runtime.redacted(run), context)
    return context.page(view, "run_action", title: view.title, segment: RunPages.segment, isLive: false)
  }

  private func perform(_ action: RunAction, _ id: RunID, _ form: PageFields) async throws(JobError) -> Dashboard.Reply {
    guard let run = try await runtime.run(withID: id) else { throw .noRun(id) }
    let page = context.link(RunPages.segment, id.rawValue)
    switch action {
    case .cancel:
      if run.status.isTerminal { throw .ended(run) }
      let because = String((form["because"] ?? "It was cancelled on the dashboard.").prefix(BulkProgress.maximumReason))
      let changed = try await runtime.cancel(run: id, because: because)
      await context.record("Cancelled the run: \(because)", job: run.job, run: id)
      return context.redirect(to: page, after: changed.status == .cancelled ? .cancelled : .asked)
    case .retry:
      try await runtime.reschedule(run: id, to: .distantPast)
      await context.record("Made the run due.", job: run.job, run: id)
      return context.redirect(to: page, after: .madeDue)
    case .reschedule:
      guard let time = try RunQuery.time(form["time"], "time") else {
        throw JobError(.invalidField, "Give the time of the next attempt, in UTC.", field: "time")
      }
      try await runtime.reschedule(run: id, to: time)
      await context.record("Rescheduled the run to \(PageTime.exact(time)).", job: run.job, run: id)
      return context.redirect(to: page, after: .rescheduled)
    case .redrive:
      let new = try await runtime.redrive(runs: [id])[0]
      if new.isNew { await context.record("Redrove the run as \(new.id).", job: run.job, run: id) }
      return context.redirect(
        to: context.link(RunPages.segment, new.id.rawValue), after: new.isNew ? .redriven : .redrivenBefore)
    case .purge:
      try await runtime.purge(run: id)
      await context.record("Deleted the run's record.", job: run.job, run: id)
      return context.redirect(to: context.link(RunPages.segment).with("job", run.job.rawValue), after: .deleted)
    }
  }
}

extension JobError {
  fileprivate static func ended(_ run: Run) -> JobError {
    JobError(
      .busy, "The run has ended as \(run.status.rawValue), and can't be cancelled any more.", field: "id")
  }
}

/// The question before a change of one run.
struct RunActionView: Sendable {
  var title: String
  var question: String
  var row: RunRow
  var becauseValue: String?
  var timeValue: String?
  var buttonLabel: String
  var isDangerous: Bool
  var formLink: String
  var backLink: String

  /// Creates the question.
  init(_ action: RunAction, _ run: Run, _ context: DashboardContext) {
    let page = context.link(RunPages.segment, run.id.rawValue)
    row = RunRow(run, context)
    (formLink, backLink, isDangerous) = (page.appending(action.rawValue).href, page.href, action.isDangerous)
    switch action {
    case .cancel where run.status == .running:
      (title, buttonLabel) = ("Ask the run to stop", "Ask it to stop")
      question =
        "The attempt's task is cancelled, and the run ends as cancelled unless its handler succeeds all the same."
    case .cancel:
      (title, buttonLabel) = ("Cancel the run", "Cancel the run")
      question = "The run never starts. It can be redriven later."
    case .reschedule:
      (title, buttonLabel) = ("Reschedule the run", "Reschedule")
      question = "The next attempt starts at this time, in UTC. A time in the past starts it at once."
    case .purge:
      (title, buttonLabel) = ("Delete the run's record", "Delete it")
      question = "The record is deleted with its input, output and error. This can't be undone."
    case .retry, .redrive:
      (title, buttonLabel, question) = (action.label(for: run), action.label(for: run), "")
    }
    becauseValue = action == .cancel ? "It was cancelled on the dashboard." : nil
    timeValue = action == .reschedule ? RunListView.input(max(run.notBefore, context.now)) : nil
  }
}
#endif
