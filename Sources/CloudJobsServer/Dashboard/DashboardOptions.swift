#if Server
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
}
#endif
