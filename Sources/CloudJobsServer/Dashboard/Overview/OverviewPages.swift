#if Server
import CloudJobs
import CloudJobsCore
import CloudJobsPages

/// The first page.
struct OverviewPages: DashboardPages {
  /// The maximum number of overdue runs and of dead letters that are counted.
  private static let countLimit = 100

  private let context: DashboardContext
  private var runtime: JobRuntime { context.runtime }

  init(_ context: DashboardContext) { self.context = context }

  func respond(to request: PageRequest) async throws(JobError) -> Dashboard.Reply? {
    guard request.isReading, request.path.isEmpty else { return nil }
    return context.page(
      OverviewView(try await reading(), context), "overview", title: "Overview", segment: "",
      message: context.message(of: request))
  }

  private func reading() async throws(JobError) -> OverviewReading {
    let health = await runtime.healthReport()
    let failed = try await runtime.runs(matching: RunFilter(statuses: [.failed]), limit: Self.countLimit)
    let repeats = try await RunRepeats(of: failed.runs, in: runtime)
    let open = failed.runs.filter { repeats.isOpen($0) }
    let jobs = try await JobInventory(runtime).listings().jobs
    return OverviewReading(
      health: health, jobs: jobs, endpoints: try await EndpointReading.read(jobs, at: context.now, from: runtime),
      tally: try await runtime.runTally(),
      overdue: try await runtime.overdueRuns(limit: Self.countLimit), deadLetters: open.count,
      failures: open.prefix(OverviewView.failureLimit).map { runtime.redacted($0) },
      hasMoreDeadLetters: failed.next != nil, store: "store \(type(of: runtime.store))")
  }
}
#endif
