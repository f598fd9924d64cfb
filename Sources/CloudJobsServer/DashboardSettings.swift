#if Server
import CloudJobsCore

/// The settings of the dashboard, which count together once all are read.
struct DashboardSettings: Sendable {
  /// Whether there is a dashboard; nil for that of the code, or for one with a password.
  var isEnabled: Bool?
  /// The path.
  var path: String?
  /// The name at the top of each page.
  var title: String?
  /// The time between refreshes; the inner nil is for none.
  var refresh: Duration??
  /// The names under which it is served.
  var hosts: [String]?
  /// The password of the user who may change something.
  var password: String?
  /// The password of the user who may only look.
  var readOnlyPassword: String?

  /// The name of the user who may change something.
  static let user = "admin"
  /// The name of the user who may only look.
  static let readOnlyUser = "viewer"

  /// Returns the options of the dashboard, or nil for none.
  ///
  /// - Parameter base: the dashboard of the code.
  /// - Returns: the options.
  /// - Throws: ``/CloudJobsCore/JobError`` `invalidField`, which never has a password.
  func applied(to base: DashboardOptions?) throws(JobError) -> DashboardOptions? {
    let hasPassword = password != nil || readOnlyPassword != nil
    guard isEnabled ?? (base != nil || hasPassword) else { return nil }
    var options = base ?? .loopback
    options.path = path ?? options.path
    options.title = title ?? options.title
    if let refresh { options.refreshInterval = refresh }
    if hasPassword {
      var users: [DashboardAccess.User] = []
      if let password { users.append(try DashboardAccess.User(Self.user, password: password)) }
      if let readOnlyPassword {
        users.append(try DashboardAccess.User(Self.readOnlyUser, password: readOnlyPassword, role: .readOnly))
      }
      options.access = try .passwords(users, hosts: hosts ?? ["*"])
    } else if let hosts {
      guard !options.access.isLoopback else {
        throw JobError(
          .invalidField,
          "The dashboard asks for no password, and has the names of this machine only. Set dashboard.password, or "
            + "leave its hosts out.", field: "dashboard.hosts")
      }
      options.access = try options.access.served(as: hosts)
    }
    return options
  }
}
#endif
