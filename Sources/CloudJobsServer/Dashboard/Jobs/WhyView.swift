#if Server
import CloudJobs
import CloudJobsCore
import CloudJobsPages
import HTTPTypes

/// An explanation as the partial template `why` shows it: why a job ran, did not run or will run, or why a run is in
/// its state.
struct WhyView: Sendable {
  /// A gate with its value and verdict.
  struct GateRow: Sendable {
    /// The name.
    var gateName: String
    /// The value.
    var gateValue: String
    /// Whether it was open.
    var gateState: StateWord
    /// Why it is closed; nil if it is not.
    var gateReason: String?
  }

  /// A fact that the answer rests on.
  struct FactRow: Sendable {
    /// The subject.
    var whyName: String
    /// The fact.
    var whyText: String
  }

  var verdict: StateWord
  var cause: String
  var summary: String
  var facts: [FactRow]
  var gates: [GateRow]
  var hasGates: Bool
  var remedies: [String]
  var whyRunHref: String?
  var whyRunID: String?
  var whyOccurrence: PageTime?
  var whyNext: PageTime?

  /// Makes the view: pure.
  ///
  /// - Parameters:
  ///   - explanation: the explanation.
  ///   - context: the paths and the time of the page.
  init(_ explanation: Explanation, _ context: DashboardContext) {
    verdict = Self.word(explanation.verdict)
    cause = BoundedText.words(explanation.cause.rawValue)
    summary = BoundedText.sentence(explanation.summary, to: 1_000)
    facts = [FactRow(whyName: "trigger", whyText: BoundedText.sentence(explanation.trigger))]
    facts += explanation.facts.map { FactRow(whyName: $0.name, whyText: BoundedText.sentence($0.text, to: 600)) }
    gates = explanation.gates.map { gate in
      GateRow(
        gateName: gate.name.rawValue, gateValue: BoundedText.sentence(gate.value, to: 200),
        gateState: gate.isOpen.map { $0 ? StateWord("open", "good") : StateWord("closed", "bad") }
          ?? StateWord("not reached", ""), gateReason: gate.reason.map { BoundedText.sentence($0) })
    }
    hasGates = !gates.isEmpty
    remedies = explanation.remedies.map { BoundedText.sentence($0) }
    whyRunHref = explanation.run.map { context.link("runs", $0.rawValue).href }
    whyRunID = explanation.run.map { String($0.rawValue.prefix(8)) }
    whyOccurrence = context.time(explanation.occurrence)
    whyNext = context.time(explanation.nextRun)
  }

  private static func word(_ verdict: Explanation.Verdict) -> StateWord {
    switch verdict {
    case .ran: StateWord("ran", "good")
    case .running: StateWord("running", "running")
    case .waiting: StateWord("waiting", "pending")
    case .failed: StateWord("failed", "bad")
    case .cancelled: StateWord("cancelled", "cancelled")
    case .didNotRun: StateWord("did not run", "warn")
    case .willRun: StateWord("will run", "scheduled")
    case .willNotRun: StateWord("will not run", "warn")
    case .unknown: StateWord("unknown", "")
    }
  }
}

/// The values of the page that explains a job or a run.
struct WhyPageView: Sendable {
  var subject: String
  var subjectHref: String
  var why: WhyView?
  var hasForm: Bool
  var action: String
  var at: String
  var zoneName: String
  var hasTime = false
  var atRefusal: String?
}

/// The pages that explain a job or a run.
struct WhyPage: Sendable {
  private let context: DashboardContext

  init(_ context: DashboardContext) { self.context = context }

  /// Answers a request for the explanation of a job at the time in its parameter `at`, or at present.
  ///
  /// - Throws: ``JobError`` `unknownJob` or `storeUnavailable`.
  func respond(to request: PageRequest, of job: JobID) async throws(JobError) -> Dashboard.Reply {
    let zone = (try? await JobInventory(context.runtime).listing(of: job).job.job?.zone) ?? .utc
    let text = request.query["at"].map { String($0.prefix(40)) } ?? ""
    let time = text.isEmpty ? nil : LocalTime.timestamp(text, in: zone)
    let isInvalid = !text.isEmpty && time == nil
    let base = context.link("jobs", job.rawValue)
    var view = WhyPageView(
      subject: job.rawValue, subjectHref: base.href, hasForm: true, action: base.appending("why").href,
      at: time.map { LocalTime.text($0, in: zone) } ?? text, zoneName: zone.name)
    view.hasTime = !text.isEmpty
    if isInvalid {
      view.atRefusal = "Expected a time such as 2026-12-01T09:00 in \(zone.name), or 2026-12-01T09:00:00Z."
    } else {
      view.why = WhyView(try await context.runtime.why(job, at: time), context)
    }
    return context.page(
      view, "job_why", title: "Why: \(job)", segment: JobsPages.segment, isLive: time == nil && !isInvalid,
      status: isInvalid ? .unprocessableContent : .ok)
  }

  /// Returns the page that explains a run.
  ///
  /// - Parameters:
  ///   - run: the id of the run.
  ///   - segment: the segment of the group that the page belongs to.
  /// - Returns: the page.
  /// - Throws: ``JobError`` `notFound`, `invalidField` if the stored run is invalid, or `storeUnavailable`.
  func explain(run: RunID, segment: String) async throws(JobError) -> Dashboard.Reply {
    let explanation = try await context.runtime.why(run: run)
    let link = context.link("runs", run.rawValue)
    let name = String(run.rawValue.prefix(8))
    return context.page(
      WhyPageView(
        subject: "run \(name) of \(explanation.job)", subjectHref: link.href, why: WhyView(explanation, context),
        hasForm: false, action: link.appending("why").href, at: "", zoneName: ""), "job_why", title: "Why: run \(name)",
      segment: segment)
  }
}
#endif
