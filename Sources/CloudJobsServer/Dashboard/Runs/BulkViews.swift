#if Server
import CloudJobs
import CloudJobsCore
import CloudJobsPages

/// The question before a change of many runs.
struct BulkQuestionView: Sendable {
  var title: String
  var question: String
  var effect: String
  var sample: [RunRow]
  /// What the sample leaves out; empty if it is whole.
  var restText: String
  var hasRuns: Bool
  var isDangerous: Bool
  /// The reason of a cancellation, to be edited; nil if there is none.
  var becauseValue: String?
  var buttonLabel: String
  var formFields: [RunListView.Hidden]
  var formLink: String
  var backLink: String

  /// Creates the question.
  ///
  /// - Parameters:
  ///   - progress: the change, with the number of its runs.
  ///   - sample: the latest runs.
  ///   - context: the context of the page.
  init(_ progress: BulkProgress, sample: [RunRow], _ context: DashboardContext) {
    let count = PageNumber.text(progress.total, "run")
    let number = progress.isMore ? "at least \(count)" : count
    let change = progress.change
    title = "\(change.label) runs"
    hasRuns = progress.total > 0 || progress.isMore
    let verb = change == .retry ? "start" : change.label.lowercased()
    let end = change == .retry ? " now" : ""
    question =
      progress.selection != nil
      ? "Do you want to \(verb) \(PageNumber.text(progress.total, "selected run"))\(end)?"
      : "Do you want to \(verb) \(progress.subject)\(end)? There are \(number)."
    if !hasRuns {
      question =
        progress.selection == nil
        ? "There is no run to \(verb)\(end) among \(progress.subject)." : "No run is selected. Go back, and check some."
    }
    effect = change.effect
    self.sample = sample
    let rest = progress.total - sample.count
    restText =
      sample.isEmpty || rest <= 0 ? "" : "and \(PageNumber.text(rest)) more\(progress.isMore ? " at least" : "")"
    isDangerous = change.isDangerous
    becauseValue = change.takesReason ? progress.because : nil
    buttonLabel = "\(change.label) \(number)"
    formFields = progress.fields.filter { !(change.takesReason && $0.name == "because") }.map {
      RunListView.Hidden(hiddenName: $0.name, hiddenValue: $0.value)
    }
    formLink = context.link(RunPages.segment, BulkPages.segment).href
    backLink = progress.query.link(context.link(RunPages.segment)).href
  }
}

/// A step of a change of many runs, or its end.
struct BulkProgressView: Sendable {
  /// A number with its meaning.
  struct Figure: Sendable {
    var figureText: String
    var figureLabel: String
    var isBad: Bool
  }

  /// A reason with its count.
  struct Line: Sendable {
    var lineText: String
    var lineCount: String
  }

  /// The progress out of a known number.
  struct Bar: Sendable {
    var barValue: Int
    var barTotal: Int
  }

  var title: String
  var isOver: Bool
  var statusText: String
  /// The progress; nil if the number of runs is not known.
  var bar: Bar?
  var figures: [Figure]
  var lines: [Line]
  var hasLines: Bool
  /// Why the last step failed; nil if it did not.
  var faultText: String?
  var nextFields: [RunListView.Hidden]
  var nextLink: String
  /// Whether the next step is made without being asked for.
  var isAutomatic: Bool
  var backLink: String

  /// Creates the page.
  ///
  /// - Parameters:
  ///   - progress: the progress.
  ///   - isOver: whether there are no more runs.
  ///   - fault: the failure of the last step; nil if it did not fail.
  ///   - context: the context of the page.
  init(_ progress: BulkProgress, isOver: Bool, fault: JobError?, _ context: DashboardContext) {
    let change = progress.change
    title = isOver ? progress.failed == 0 ? "Done" : "Done, with failures" : "\(change.label) runs: under way"
    self.isOver = isOver
    let treated = progress.treated
    let total = max(progress.total, treated)
    statusText =
      isOver
      ? progress.summary
      : "\(PageNumber.text(treated)) of \(progress.isMore ? "at least " : "")\(PageNumber.text(total, "run"))"
    bar = isOver || progress.isMore ? nil : Bar(barValue: treated, barTotal: max(1, total))
    figures = [
      Figure(figureText: PageNumber.text(progress.done), figureLabel: change.past.lowercased(), isBad: false)
    ]
    if change == .cancel {
      figures.append(
        Figure(figureText: PageNumber.text(progress.requested), figureLabel: "asked to stop", isBad: false))
    }
    figures += [
      Figure(figureText: PageNumber.text(progress.skipped), figureLabel: "left as they were", isBad: false),
      Figure(figureText: PageNumber.text(progress.failed), figureLabel: "failed", isBad: progress.failed > 0),
    ]
    lines = progress.reasons.map { Line(lineText: $0.text, lineCount: PageNumber.text($0.count)) }
    hasLines = !lines.isEmpty
    faultText = fault.map { "\($0.message) Continue when the cause is gone; what was done stays done." }
    nextFields = progress.fields.map { RunListView.Hidden(hiddenName: $0.name, hiddenValue: $0.value) }
    nextLink = context.link(RunPages.segment, BulkPages.segment).href
    isAutomatic = fault == nil
    var query = progress.query
    // The list shows new runs again.
    query.filter.createdBefore = nil
    backLink = query.link(context.link(RunPages.segment)).href
  }
}
#endif
