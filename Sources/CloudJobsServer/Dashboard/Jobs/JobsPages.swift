#if Server
import CloudJobs
import CloudJobsCore
import CloudJobsPages
import HTTPTypes

/// The pages about jobs: the list, each job, its forms and its explanations.
struct JobsPages: DashboardPages {
  /// The segment of the paths.
  static let segment = "jobs"
  /// The number of runs whose statistics are shown, and that where the store is paid by what it reads.
  private static let (statisticsLimit, billedStatisticsLimit) = (500, 100)
  /// The number of entries of the pass journal that are read.
  private static let journalLimit = 20

  private let context: DashboardContext
  private var runtime: JobRuntime { context.runtime }
  private var inventory: JobInventory { JobInventory(runtime) }

  init(_ context: DashboardContext) { self.context = context }

  func respond(to request: PageRequest) async throws(JobError) -> Dashboard.Reply? {
    let path = request.path.dropFirst()
    guard let id = path.first else {
      let change = AllJobsChange(request.isReading ? request.query["all"] : request.form["all"])
      if let change { return try await respond(to: request, changingAll: change) }
      return request.isReading ? try await list(request) : nil
    }
    guard path.count <= 2 else { return nil }
    let job = try JobID(id)
    let page = path.dropFirst().first
    if request.isReading {
      switch page {
      case nil: return try await show(job, context.message(of: request))
      case "edit", "enqueue":
        guard context.mayChange else {
          throw JobError(.permissionDenied, "You may look at the dashboard, and not change anything.")
        }
        return page == "edit" ? try await edit(job) : try await enqueue(job, isNow: request.query["mode"] == "now")
      case "remove": return try await remove(job)
      case "why": return try await WhyPage(context).respond(to: request, of: job)
      default: return nil
      }
    }
    let actions = JobActions(context)
    switch page {
    case "edit": return try await save(job, request.form)
    case "enqueue": return try await enqueue(job, request.form)
    case "run": return try await run(job)
    case "remove": return try await actions.remove(job)
    default: return try await page.flatMap { JobActions.Switch(rawValue: $0) }.map(job, actions)
    }
  }

  // MARK: Reading

  private func list(_ request: PageRequest) async throws(JobError) -> Dashboard.Reply {
    let all = try await inventory.listings().jobs
    let filter = JobFilter(request.query)
    let last = request.query["after"]
    let (shown, count) = JobListView.shown(all, filter, after: last)
    var history: [JobID: [Run]]?
    if runtime.readsRunsCheaply {
      var runs: [JobID: [Run]] = [:]
      for job in shown.prefix(JobListView.pageLimit).compactMap(\.jobID) {
        runs[job] = try await runtime.runs(matching: RunFilter(job: job), limit: JobListView.historyLimit).runs
      }
      history = runs
    }
    let groups = Set(all.compactMap(\.group)).sorted().prefix(200)
    let view = JobListView(
      shown, of: count, groups: Array(groups), filter, isFirst: last == nil, history: history, context)
    return context.page(view, "jobs", title: "Jobs", segment: Self.segment, message: context.message(of: request))
  }

  private func show(_ job: JobID, _ message: PageShell.Message?) async throws(JobError) -> Dashboard.Reply {
    let listing = try await inventory.listing(of: job).job
    let limit = runtime.readsRunsCheaply ? Self.statisticsLimit : Self.billedStatisticsLimit
    var page = try await runtime.runs(matching: RunFilter(job: job), limit: limit)
    // Only those whose texts are shown.
    for index in page.runs.indices.prefix(JobPageView.runLimit) {
      page.runs[index] = runtime.redacted(page.runs[index])
    }
    let journal = try await runtime.passJournal(of: job, limit: Self.journalLimit)
    let view = JobPageView(
      JobReading(listing: listing, runs: page.runs, hasMoreRuns: page.next != nil, journal: journal), context)
    return context.page(view, "job", title: job.rawValue, segment: Self.segment, message: message)
  }

  private func edit(_ job: JobID) async throws(JobError) -> Dashboard.Reply {
    let listing = try await inventory.listing(of: job).job
    if listing.isStored, listing.configuration == nil {
      throw JobError(
        .invalidField,
        "The document of \(job) is invalid, and can't be changed here: \(listing.fault ?? "") Correct it in the store.")
    }
    return form(listing, JobDraft(listing.configuration ?? JobConfiguration(), hidesInput: hidesInput(of: listing)))
  }

  private func hidesInput(of listing: JobListing) -> Bool { isHidden(listing.configuration?.input) }

  private func isHidden(_ input: JSONValue?) -> Bool {
    switch runtime.disclosure(of: input.map { JSONText($0) }) {
    case .none, .whole: false
    case .confidential, .encrypted: true
    }
  }

  private func form(_ listing: JobListing, _ draft: JobDraft, refusal: JobError? = nil) -> Dashboard.Reply {
    let view = JobEditView(
      listing, draft, hidesInput: hidesInput(of: listing), hidesCodeInput: isHidden(listing.definition?.policy.input),
      refusal: refusal, context)
    return context.page(
      view, "job_edit", title: "Edit \(listing.id)", segment: Self.segment, isLive: false,
      status: refusal == nil ? .ok : .unprocessableContent)
  }

  private func enqueue(_ job: JobID, isNow: Bool) async throws(JobError) -> Dashboard.Reply {
    let listing = try await inventory.listing(of: job).job
    let latest = try await latestRun(of: job)
    let (draft, note) = JobEnqueueView.first(latest.map { runtime.disclosure(of: $0.input) })
    return form(listing, draft, isNow: isNow, note: note)
  }

  private func latestRun(of job: JobID) async throws(JobError) -> Run? {
    try await runtime.runs(matching: RunFilter(job: job), limit: 1).runs.first
  }

  private func form(
    _ listing: JobListing, _ draft: EnqueueDraft, isNow: Bool, note: String? = nil, refusal: JobError? = nil
  ) -> Dashboard.Reply {
    context.page(
      JobEnqueueView(listing, draft, isNow: isNow, note: note, refusal: refusal, context), "job_enqueue",
      title: isNow ? "Run \(listing.id) now" : "Enqueue \(listing.id)", segment: Self.segment, isLive: false,
      status: refusal == nil ? .ok : .unprocessableContent)
  }

  private func remove(_ job: JobID) async throws(JobError) -> Dashboard.Reply {
    let listing = try await inventory.listing(of: job).job
    let base = context.link("jobs", job.rawValue)
    var view = JobConfirmView(
      question: "Remove the document of \(job)?", button: "Remove the document", look: "danger",
      action: base.appending("remove").href, back: base.href)
    view.points = [
      "Its settings and its state are deleted; its runs stay.",
      listing.isRegistered
        ? "The code is in this program: a new document without settings is made at its next start."
        : "The code is in another program, which makes a new document at its next start.",
    ]
    return context.page(view, "job_confirm", title: "Remove \(job)", segment: Self.segment, isLive: false)
  }

  // MARK: Changing

  private func save(_ job: JobID, _ form: PageFields) async throws(JobError) -> Dashboard.Reply {
    let listing = try await inventory.listing(of: job).job
    var draft = JobDraft(form)
    let configuration = listing.configuration ?? JobConfiguration()
    let version = JobDraft.version(of: configuration)
    guard draft.version == version else {
      draft.version = version
      return self.form(
        listing, draft,
        refusal: JobError(
          .busy,
          "The document was changed since this form was opened. Compare your values with the job's page, and save "
            + "again to replace what differs."))
    }
    do throws(JobError) {
      let patch = try draft.patch(of: configuration, hidesInput: hidesInput(of: listing))
      if let input = patch["input"], runtime.hasReplacedValue(input) { throw .replacedValue("input") }
      if !patch.isEmpty {
        try await inventory.configure(job, merging: .object(patch))
        await context.record("Changed \(patch.keys.sorted().joined(separator: ", ")).", job: job)
      }
    } catch {
      guard error.isRefusal else { throw error }
      return self.form(listing, draft, refusal: error)
    }
    return context.redirect(to: context.link("jobs", job.rawValue), after: .saved)
  }

  private func enqueue(_ job: JobID, _ form: PageFields) async throws(JobError) -> Dashboard.Reply {
    let listing = try await inventory.listing(of: job).job
    let draft = EnqueueDraft(form)
    let isNow = form["mode"] == "now"
    do throws(JobError) {
      let (request, input) = try draft.request(for: job, in: listing.job?.zone ?? .utc)
      if let input, runtime.hasReplacedValue(input) { throw .replacedValue("payload") }
      return try await JobActions(context).enqueue(request, listing, isManual: isNow)
    } catch {
      guard error.isRefusal else { throw error }
      return self.form(listing, draft, isNow: isNow, refusal: error)
    }
  }

  /// Runs a job without an input, or leads to the form that takes the input that it needs.
  private func run(_ job: JobID) async throws(JobError) -> Dashboard.Reply {
    let listing = try await inventory.listing(of: job).job
    let form = context.link("jobs", job.rawValue, "enqueue").with("mode", "now")
    // The code that would refuse a run without an input is in another program: its latest run tells.
    if !listing.isRegistered, listing.configuration?.input == nil, try await latestRun(of: job)?.input != nil {
      return .page(PageResponse(redirectTo: form.href))
    }
    do throws(JobError) {
      return try await JobActions(context).enqueue(EnqueueRequest(job), listing, isManual: true)
    } catch {
      if error.code == .invalidInput { return .page(PageResponse(redirectTo: form.href)) }
      guard error.isRefusal else { throw error }
      return self.form(listing, EnqueueDraft(), isNow: true, refusal: error)
    }
  }

  // MARK: All jobs

  private func respond(
    to request: PageRequest, changingAll change: AllJobsChange
  ) async throws(JobError) -> Dashboard.Reply {
    let all = try await inventory.listings().jobs
    let changed = all.filter { change.concerns($0) }
    let list = context.link("jobs")
    var view = JobConfirmView(
      question: "\(change.verb) \(PageNumber.text(changed.count, "job"))?", button: change.button,
      look: change == .pause ? "danger" : "primary", action: list.href, back: list.href)
    view.hidden = [JobConfirmView.Hidden(hiddenName: "all", hiddenValue: change.rawValue)]
    view.points = [change.effect]
    if !request.isReading {
      let failures = await JobActions(context).change(changed, change)
      if failures.isEmpty { return context.redirect(to: list, after: change == .pause ? .pausedAll : .resumedAll) }
      let reasons = failures.prefix(5).joined(separator: " ")
      view.failed = "\(failures.count) of \(changed.count) could not be changed: \(reasons)"
    }
    return context.page(
      view, "job_confirm", title: change.button, segment: Self.segment, isLive: false,
      status: request.isReading ? .ok : .unprocessableContent)
  }
}

extension JobError {
  /// Whether the error is about what a visitor typed, or about the state of the job, so that the form is shown again.
  fileprivate var isRefusal: Bool {
    let codes: [Code] = [
      .invalidField, .invalidInput, .invalidSchedule, .invalidTimeZone, .malformedJSON, .tooLarge, .busy,
      .payloadKeyUnavailable,
    ]
    return codes.contains(code)
  }

  /// The error for a payload with the text that stands for a confidential value.
  fileprivate static func replacedValue(_ field: String) -> JobError {
    JobError(
      .invalidField, "A confidential field has the text [redacted] in place of its value. Write the value.",
      field: field)
  }
}

extension JobActions.Switch? {
  /// Applies the switch to a job; nil without one.
  fileprivate func map(_ job: JobID, _ actions: JobActions) async throws(JobError) -> Dashboard.Reply? {
    guard let self else { return nil }
    return try await actions.apply(self, to: job)
  }
}

/// The values of a page that asks before a dangerous change.
struct JobConfirmView: Sendable {
  /// A hidden field of the form.
  struct Hidden: Sendable {
    /// The name.
    var hiddenName: String
    /// The value.
    var hiddenValue: String
  }

  var question: String
  var points: [String] = []
  var failed: String?
  var hidden: [Hidden] = []
  var button: String
  var look: String
  var action: String
  var back: String

  /// Creates the page.
  init(question: String, button: String, look: String, action: String, back: String) {
    (self.question, self.button, self.look, self.action, self.back) = (question, button, look, action, back)
  }
}
#endif
