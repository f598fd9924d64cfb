#if Server
import CloudJobs
import CloudJobsCore
import CloudJobsPages

/// The first page.
struct OverviewPages: DashboardPages {
  private let context: DashboardContext

  init(_ context: DashboardContext) { self.context = context }

  func respond(to request: PageRequest) async throws(JobError) -> Dashboard.Reply? {
    guard request.isReading, request.path.isEmpty else { return nil }
    let health = await context.runtime.healthReport()
    return context.page(
      OverviewView(isHealthy: health.status == .ok), "overview", title: "Overview", segment: "",
      message: context.message(of: request))
  }
}

/// The values of the first page.
struct OverviewView: Sendable {
  /// Whether the runtime does its work.
  var isHealthy: Bool
}
#endif
