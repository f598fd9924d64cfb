#if Server
import CloudJobs
import CloudJobsCore
import CloudJobsPages

/// The pages about runs: the list, the changes of many, and those of one.
struct RunPages: DashboardPages {
  /// The segment of their paths.
  static let segment = "runs"
  /// The number of runs on a page of the list.
  static let pageSize = 50

  private let context: DashboardContext

  init(_ context: DashboardContext) { self.context = context }

  func respond(to request: PageRequest) async throws(JobError) -> Dashboard.Reply? {
    let path = request.path.dropFirst()
    guard let first = path.first else { return request.isReading ? try await list(request) : nil }
    if first == BulkPages.segment, path.count == 1 { return try await BulkPages(context).respond(to: request) }
    // A text that is no run's id is a page that does not exist.
    guard let id = try? RunID(first) else { return nil }
    switch (path.dropFirst().first, request.isReading) {
    case (nil, true): return try await show(id, request)
    case ("why", true) where path.count == 2: return try await why(id)
    case ("log", true) where path.count == 2: return try await RunLogPages(context).stream(of: id, request)
    case ("lines", true) where path.count == 2: return try await RunLogPages(context).page(of: id, request)
    case (let name?, _) where path.count == 2: return try await RunActionPages(context).respond(to: request, name, id)
    default: return nil
    }
  }

  // MARK: The list

  private func list(_ request: PageRequest) async throws(JobError) -> Dashboard.Reply {
    let query = try RunQuery(request.query)
    let cursor = try RunQuery.cursor(request.query["cursor"])
    let step: RunScan.Step
    if let prefix = query.prefix {
      let found = try await runs(withPrefix: prefix, query)
      // The id is all that was asked for, and only one run has it.
      if found.count == 1, query == RunQuery(prefix: prefix) {
        return .page(PageResponse(redirectTo: context.link(Self.segment, found[0].id.rawValue).href))
      }
      step = RunScan.Step(runs: found, reads: found.count)
    } else {
      step = try await RunScan(runtime: context.runtime, query: query).step(after: cursor, limit: Self.pageSize)
    }
    let view = RunListView(
      step, query, isFirst: cursor == nil, repeats: try await RunRepeats(of: step.runs, in: context.runtime),
      context)
    return context.page(
      view, "runs", title: "Runs", segment: Self.segment, message: context.message(of: request),
      isLive: !query.isSearch)
  }

  private func runs(withPrefix prefix: String, _ query: RunQuery) async throws(JobError) -> [Run] {
    let ids: [RunID]
    if prefix.utf8.count == 64 {
      ids = [try RunID(prefix)]
    } else {
      guard let found = try await context.runtime.runIDs(withPrefix: prefix, limit: Self.pageSize) else {
        throw JobError(.invalidField, "This store finds runs by whole ids only. Give all 64 digits.", field: "id")
      }
      ids = found
    }
    let matcher = RunMatcher(query, context.runtime)
    let runs = try await context.runtime.runs(withIDs: ids).values
    let repeats = try await matcher.repeats(of: Array(runs))
    return runs.filter { query.filter.matches($0) && matcher.matches($0, repeats) }
      .sorted { $1.createdAt < $0.createdAt }
  }

  // MARK: One run

  private func show(_ id: RunID, _ request: PageRequest) async throws(JobError) -> Dashboard.Reply {
    guard let stored = try await context.runtime.run(withID: id) else { throw .noRun(id) }
    let run = context.runtime.redacted(stored)
    let window = try await RunLogReader(runtime: context.runtime, run: run).latest()
    let relatives = try await relatives(of: run)
    let view = RunPageView(run, log: window, relatives: relatives, context: context)
    return context.page(
      view, "run", title: "Run \(id.rawValue.prefix(8)) of \(run.job)", segment: Self.segment,
      message: context.message(of: request))
  }

  /// Returns the runs that the page links to, as far as they exist: the parent, the repetition, and those that it waits
  /// for.
  private func relatives(of run: Run) async throws(JobError) -> [RunID: Run] {
    let others = [run.parent].compactMap { $0 } + run.prerequisites + run.dependents
    let ids = (run.status.isTerminal ? [run.redriveID] : []) + others
    return try await context.runtime.runs(withIDs: Array(ids.prefix(RunPageView.maximumRelatives)))
  }

  private func why(_ id: RunID) async throws(JobError) -> Dashboard.Reply {
    try await WhyPage(context).explain(run: id, segment: Self.segment)
  }
}

extension RunQuery {
  /// Creates a query for runs by the beginning of their ids.
  init(prefix: String) {
    self.init()
    self.prefix = prefix
  }
}

extension JobError {
  /// The error of a page about a run that is not stored.
  static func noRun(_ id: RunID) -> JobError {
    JobError(.notFound, "No run has this id. Its record may have been deleted after its retention.", field: "id")
  }
}
#endif
