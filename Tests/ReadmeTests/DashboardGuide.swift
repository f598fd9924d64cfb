#if Server && SQLite
import CloudJobsCore
import CloudJobsSQLite
import CloudJobsServer
import HTTPTypes

/// The examples of the guide to the dashboard.
enum DashboardGuide {
  static func jobs() throws -> JobRegistry {
    try JobRegistry { EndpointJob("greet") { _ in } }
  }

  static func main() async {
    await JobServer.main(dashboard: .loopback) {
      JobRuntime(try jobs(), store: try .sqlite(path: "jobs.db"), authentication: .trustLoopback)
    }
  }

  static func withPasswords(_ adasPassword: String, _ teamPassword: String) throws -> DashboardOptions {
    var dashboard = DashboardOptions(path: "/admin/jobs", title: "Shop")
    dashboard.refreshInterval = .seconds(10)
    dashboard.access = try .passwords(
      [.init("ada", password: adasPassword), .init("team", password: teamPassword, role: .readOnly)],
      hosts: ["jobs.example.com"])
    return dashboard
  }

  static func withProxy(
    _ admins: Set<String>, _ nameOf: @escaping @Sendable (HTTPRequest) async throws(JobError) -> String
  ) throws -> DashboardOptions {
    @Sendable func verifiedName(of request: HTTPRequest) async throws(JobError) -> String {
      try await nameOf(request)
    }
    var dashboard = DashboardOptions()
    dashboard.access = try .custom(hosts: ["jobs.example.com"]) { (request, _) throws(JobError) in
      let name = try await verifiedName(of: request)  // by X-Goog-IAP-JWT-Assertion
      return DashboardVisitor(name: name, role: admins.contains(name) ? .full : .readOnly)
    }
    return dashboard
  }
}
#endif
