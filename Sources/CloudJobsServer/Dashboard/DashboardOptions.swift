#if Server
import CloudJobsCore

/// The options of a service's dashboard.
///
/// A service has no dashboard unless it is mounted, by ``JobServerConfiguration/dashboard`` or by
/// `router.mountDashboard(runtime)`.
public struct DashboardOptions: Sendable {
  /// The path of its first page: one or more segments, such as `/dashboard` or `/admin/jobs`.
  public var path = "/dashboard"
  /// The name at the top of each page.
  public var title = "CloudJobs"
  /// The time between refreshes of a page that is open and visible; nil for none.
  public var refreshInterval: Duration? = .seconds(5)
  /// Who may look, and who may change something.
  public var access: DashboardAccess

  /// Creates options.
  ///
  /// - Parameters:
  ///   - path: the path of its first page.
  ///   - title: the name at the top of each page.
  ///   - access: who may look, and who may change something.
  public init(path: String = "/dashboard", title: String = "CloudJobs", access: DashboardAccess = .loopback()) {
    (self.path, self.title, self.access) = (path, title, access)
  }

  /// A dashboard for the browsers of this machine, at `/dashboard`.
  public static var loopback: DashboardOptions { DashboardOptions() }

  // MARK: The path

  private var segments: [Substring] { path.split(separator: "/") }

  /// The path with one slash before each segment.
  var normalizedPath: String { "/" + segments.joined(separator: "/") }

  /// The fault of the path; nil if a router and a browser take it for the same.
  var pathFault: JobError? {
    let isPlain = segments.allSatisfy { segment in
      segment != "." && segment != ".." && PercentEncoding.encode(String(segment)) == segment
    }
    if isPlain, !segments.isEmpty { return nil }
    return JobError(
      .invalidField,
      "The dashboard's path is \"\(path.prefix(80))\". Give it one or more segments of letters, digits and - . _ ~, "
        + "such as /dashboard or /admin/jobs.", field: "dashboard path")
  }

  /// Checks that the dashboard and the handler don't take each other's requests.
  ///
  /// - Parameter mountPath: the path of the handler.
  /// - Throws: ``/CloudJobsCore/JobError`` `invalidField` with the paths.
  func checkPath(beside mountPath: String) throws(JobError) {
    if let pathFault { throw pathFault }
    let handler = mountPath.split(separator: "/")
    // The handler has nothing at its own path, but much below it.
    let isAbove = handler.starts(with: segments)
    let isRoute =
      segments.starts(with: handler) && segments.count > handler.count
      && Self.handlerRoutes.contains(String(segments[handler.count]))
    guard isAbove || isRoute else { return }
    throw JobError(
      .invalidField,
      "The dashboard's path \(normalizedPath.prefix(80)) hides routes of the handler at \(mountPath.prefix(80)). "
        + "Give one of the two another, such as /dashboard.", field: "dashboard path")
  }

  /// The first segments of the handler's routes.
  static let handlerRoutes: Set<String> = [
    "trigger", "scheduled", "master", "drain", "health", "jobs", "runs", "workers",
  ]
}
#endif
