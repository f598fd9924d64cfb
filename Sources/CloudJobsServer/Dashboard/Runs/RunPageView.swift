#if Server
import CloudJobs
import CloudJobsCore
import CloudJobsPages

/// The page of a run.
struct RunPageView: Sendable {
  /// The maximum number of other runs that are read for links.
  static let maximumRelatives = 100
  /// The maximum number of links of a kind.
  static let maximumLinks = 20
  /// The maximum length of a text from outside, in Unicode scalars.
  static let maximumText = 2_000

  /// A fact with its name: a text, which may be a link, or a time.
  struct Fact: Sendable {
    var factLabel: String
    var factText: String?
    var factLink: String?
    var factTime: PageTime?
    /// The explanation of the label; nil for none.
    var factWord: PageShell.Word?

    /// Returns the fact with the explanation of its label.
    fileprivate func explained(_ context: DashboardContext) -> Fact {
      var fact = self
      fact.factWord = context.word(labelled: factLabel)
      return fact
    }
  }

  /// Another run.
  struct Relative: Sendable {
    var relativeLabel: String
    /// The explanation of the label; nil for none.
    var relativeWord: PageShell.Word?
    var relativeID: String
    var relativeLink: String
    var relativeState: String?
  }

  /// A button.
  struct Button: Sendable {
    var buttonLabel: String
    var buttonLink: String
    var isQuestion: Bool
    var isDanger: Bool
  }

  /// The progress that the handler reported.
  struct Progress: Sendable {
    /// The part that is done, as the bar shows it.
    var percentValue: String?
    var percentText: String?
    var progressText: String?
    var countText: String?
  }

  /// The latest failure.
  struct Failure: Sendable {
    var failureKind: String?
    var failureText: String
    /// How often it failed, and what follows.
    var failureHistory: String
  }

  var stateName: String
  var runID: String
  var reasonText: String?
  var isEnded: Bool
  var facts: [Fact]
  var details: [Fact]
  var relatives: [Relative]
  var hasRelatives: Bool
  var buttons: [Button]
  var progress: Progress?
  var failure: Failure?
  var timeline: AttemptTimeline
  var payloads: [PayloadView]
  var logLines: [LogLineView]
  var hasLines: Bool
  var earlierLink: String?
  /// The path of the stream of further lines; nil once the run has ended.
  var streamLink: String?
  var whyLink: String
  var jobLink: String
  var jobName: String

  /// Creates the page.
  ///
  /// - Parameters:
  ///   - run: the run as it is shown, with confidential values replaced.
  ///   - log: the end of its log.
  ///   - relatives: the other runs that exist.
  ///   - context: the context of the page.
  init(_ run: Run, log: LogWindow, relatives: [RunID: Run], context: DashboardContext) {
    let page = context.link(RunPages.segment, run.id.rawValue)
    stateName = run.status.rawValue
    runID = run.id.rawValue
    isEnded = run.status.isTerminal
    jobName = run.job.rawValue
    jobLink = context.link("jobs", run.job.rawValue).href
    whyLink = page.appending("why").href
    reasonText = (run.cancellation ?? run.reason).map { BoundedText.sentence($0, to: Self.maximumText) }
    facts = Self.facts(run, context)
    details = Self.details(run, context)
    self.relatives = Self.relatives(run, relatives, context)
    hasRelatives = !self.relatives.isEmpty
    buttons = RunAction.all(for: run).map { action in
      Button(
        buttonLabel: action.label(for: run), buttonLink: page.appending(action.rawValue).href, isQuestion: action.asks,
        isDanger: action.isDangerous)
    }
    progress = Self.progress(run)
    failure = Self.failure(run)
    timeline = AttemptTimeline(run, at: context.now)
    payloads = [
      PayloadView("Input", run.input, id: "input"), PayloadView("Output", run.output, id: "output"),
      PayloadView("Checkpoint", run.checkpoint, id: "checkpoint"),
    ].compactMap { $0 }
    logLines = log.lines.map { LogLineView($0.line) }
    hasLines = !log.lines.isEmpty
    earlierLink = RunLogView.earlierLink(log, page)
    streamLink = isEnded ? nil : page.appending("log").with("after", log.end.text).href
  }

  private static func facts(_ run: Run, _ context: DashboardContext) -> [Fact] {
    func time(_ label: String, _ time: Timestamp?) -> Fact? {
      time.map { Fact(factLabel: label, factTime: context.time($0)) }
    }
    func text(_ label: String, _ text: String?) -> Fact? {
      text.map { Fact(factLabel: label, factText: BoundedText.cut($0, to: maximumText)) }
    }
    let wait = run.startedAt.map { max(.zero, $0 - max(run.createdAt, run.scheduledFor ?? run.createdAt)) }
    let took = run.startedAt.map { max(.zero, (run.finishedAt ?? context.now) - $0) }
    let attempts =
      "\(run.attempt), of which \(run.failures) failed; the limit is \(PageNumber.text(run.maxAttempts, "failure"))"
    return [
      Fact(
        factLabel: "Job", factText: run.job.rawValue, factLink: context.link("jobs", run.job.rawValue).href),
      text("Trigger", run.trigger.rawValue), time("Scheduled for", run.scheduledFor), time("Created", run.createdAt),
      time("First start", run.startedAt), run.status.isTerminal ? nil : time("Next start", nextStart(of: run)),
      time("Finished", run.finishedAt), text("Waited", wait.map { PageNumber.text($0) }),
      text(run.finishedAt == nil ? "Running for" : "Took", took.map { PageNumber.text($0) }),
      text("Attempts", attempts),
    ].compactMap { $0?.explained(context) }
  }

  /// Returns the earliest start of the next attempt; nil if one is under way.
  private static func nextStart(of run: Run) -> Timestamp? { run.status == .running ? nil : run.notBefore }

  private static func details(_ run: Run, _ context: DashboardContext) -> [Fact] {
    func text(_ label: String, _ text: String?) -> Fact? {
      text.map { Fact(factLabel: label, factText: BoundedText.cut($0, to: maximumText)) }
    }
    let correlation = run.correlationID.map { id in
      Fact(
        factLabel: "Correlation id", factText: BoundedText.cut(id, to: 200),
        factLink: context.link(RunPages.segment).with("correlation", id).href)
    }
    let metadata = run.metadata.sorted { $0.key < $1.key }.prefix(20).map { key, value in
      Fact(
        factLabel: BoundedText.cut(key, to: 80),
        factText: BoundedText.cut(value.string ?? value.text, to: maximumText))
    }
    return [
      Fact(factLabel: "Queue", factText: run.queue ?? "the default queue"),
      run.priority == 0 ? nil : text("Priority", "\(run.priority)"), text("Unique key", run.uniqueKey), correlation,
      text("Time limit of an attempt", run.timeout.map { PageNumber.text($0) }),
      text("Leased by", run.lease?.owner),
      run.lease.map { Fact(factLabel: "Lease expires", factTime: context.time($0.expiresAt)) },
      run.lease == nil ? nil : text("Fencing token", "\(run.fence)"),
      run.losses == 0 ? nil : text("Lost attempts", "\(run.losses)"),
      run.continuations == 0 ? nil : text("Continuations", "\(run.continuations)"),
      run.reenqueues == 0 ? nil : text("Enqueued again", PageNumber.text(run.reenqueues, "time")),
      text("Waits for the limit", run.waitsFor?.rawValue),
      text("Trace", run.trace.map { "\($0)" }),
      run.expireAt.map { Fact(factLabel: "Record kept until", factTime: context.time($0)) },
    ].compactMap { $0?.explained(context) } + metadata
  }

  private static func relatives(
    _ run: Run, _ others: [RunID: Run], _ context: DashboardContext
  ) -> [Relative] {
    func relative(_ label: String, _ id: RunID) -> Relative {
      Relative(
        relativeLabel: label, relativeWord: context.word(labelled: label), relativeID: String(id.rawValue.prefix(8)),
        relativeLink: context.link(RunPages.segment, id.rawValue).href, relativeState: others[id]?.status.rawValue)
    }
    var list: [Relative] = []
    if let parent = run.parent {
      let isRepetition = others[parent].map { $0.redriveID == run.id } ?? false
      list.append(relative(isRepetition ? "Repeats" : "Requested by", parent))
    }
    if run.status.isTerminal, others[run.redriveID] != nil { list.append(relative("Repeated as", run.redriveID)) }
    list += run.prerequisites.prefix(maximumLinks).map { relative("After", $0) }
    list += run.dependents.prefix(maximumLinks).map { relative("Before", $0) }
    return list
  }

  private static func progress(_ run: Run) -> Progress? {
    guard let progress = run.progress else { return nil }
    var count: String?
    if progress.processed > 0 {
      count = "\(PageNumber.text(progress.processed)) processed"
      if progress.succeeded > 0 { count? += ", \(PageNumber.text(progress.succeeded)) succeeded" }
      if progress.failed > 0 { count? += ", \(PageNumber.text(progress.failed)) failed" }
    }
    return Progress(
      percentValue: progress.percent.map { "\($0)" }, percentText: progress.percent.map { PageNumber.percent($0) },
      progressText: progress.message.map { BoundedText.cut($0, to: maximumText) },
      countText: count)
  }

  private static func failure(_ run: Run) -> Failure? {
    guard let failure = run.failure else { return nil }
    let times = "\(PageNumber.text(run.failures, "attempt")) of \(run.attempt) failed"
    let next =
      switch run.status {
      case .failed: "and no further one follows."
      case .scheduled, .pending: "and the next one follows."
      case .running: "and another one is under way."
      case .succeeded: "before the run succeeded."
      case .cancelled: "before the run was cancelled."
      }
    return Failure(
      failureKind: failure.message.hasPrefix(failure.kind) ? nil : BoundedText.cut(failure.kind, to: 200),
      failureText: BoundedText.cut(failure.message, to: maximumText),
      failureHistory: "\(times), \(next)")
  }
}

/// A payload as the page of a run shows it.
struct PayloadView: Sendable {
  var payloadName: String
  var payloadID: String
  var payloadText: String
  var payloadSize: String
  /// A sentence about what is not shown; nil if it is whole.
  var payloadNote: String?

  /// Creates the view of a payload; nil if there is none.
  ///
  /// - Parameters:
  ///   - name: the name.
  ///   - payload: the payload, with confidential values replaced.
  ///   - id: the id of its element.
  init?(_ name: String, _ payload: JSONText?, id: String) {
    guard let payload else { return nil }
    (payloadName, payloadID) = (name, id)
    payloadSize = PageNumber.text(payload.bytes.count, "byte")
    if JobRuntime.isEncrypted(payload) {
      payloadText = ""
      payloadNote = "It is encrypted, and is not decrypted for the dashboard."
      return
    }
    let (text, isWhole) = PrettyJSON.bounded(payload.value)
    payloadText = text
    if !isWhole { payloadNote = "Only the first \(PrettyJSON.maximumBytes >> 10) kB are shown." }
  }
}
#endif
