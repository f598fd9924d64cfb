#if Server
public import CloudJobs
public import CloudJobsCore
import CloudJobsPages
public import HTTPTypes

/// What a visitor of a dashboard may do.
public enum DashboardRole: String, Hashable, Sendable, CaseIterable {
  /// Look at everything but confidential payloads.
  case readOnly
  /// Look, and change jobs and runs.
  case full
}

/// Someone who looks at a dashboard.
public struct DashboardVisitor: Hashable, Sendable {
  /// The name, which the log of actions shows; nil where no credential is needed.
  public var name: String?
  /// What the visitor may do.
  public var role: DashboardRole

  /// Creates a visitor.
  public init(name: String?, role: DashboardRole) { (self.name, self.role) = (name, role) }
}

/// Who may look at a dashboard, and who may change something.
public struct DashboardAccess: Sendable {
  /// A user name with its password and role.
  public struct User: Sendable {
    var name: String
    var password: [UInt8]
    var role: DashboardRole

    /// The minimum length of a password in bytes.
    public static let minimumPasswordBytes = 12

    /// Creates a user.
    ///
    /// - Parameters:
    ///   - name: the name, without a colon.
    ///   - password: a password of at least ``minimumPasswordBytes``; a generated one, as the dashboard does not slow
    ///     down those who guess.
    ///   - role: what the user may do.
    /// - Throws: ``/CloudJobsCore/JobError`` `invalidField` for a short password, or a name that is empty or has a
    ///   colon.
    public init(_ name: String, password: String, role: DashboardRole = .full) throws(JobError) {
      guard !name.isEmpty, !name.contains(":") else {
        throw JobError(.invalidField, "A user name must not be empty or have a colon.", field: "dashboard user")
      }
      guard password.utf8.count >= Self.minimumPasswordBytes else {
        throw JobError(
          .invalidField, "The password of \(name) needs at least \(Self.minimumPasswordBytes) bytes.",
          field: "dashboard password")
      }
      (self.name, self.password, self.role) = (name, Array(password.utf8), role)
    }
  }

  private enum Mode {
    case loopback(DashboardRole)
    case passwords([User])
    case custom(@Sendable (HTTPRequest, Peer) async throws(JobError) -> DashboardVisitor)
  }

  private let mode: Mode
  private let rule: PageGuard

  /// Lets browsers of this machine in, without a credential.
  ///
  /// Refuses what ``/CloudJobs/Authentication/trustLoopback`` refuses: other machines, forwarded requests, foreign
  /// names in `Host`, and the requests of other pages.
  ///
  /// - Parameter role: what they may do.
  /// - Returns: the access.
  public static func loopback(_ role: DashboardRole = .full) -> DashboardAccess {
    DashboardAccess(mode: .loopback(role), rule: PageGuard(hosts: []))
  }

  /// Lets users in by their passwords, which browsers ask for (HTTP Basic, RFC 7617); serve it over `https` only.
  ///
  /// - Parameters:
  ///   - users: the users.
  ///   - hosts: the names under which the dashboard is served, without a port; `*` for any.
  /// - Returns: the access.
  /// - Throws: ``/CloudJobsCore/JobError`` `invalidField` without users or names.
  public static func passwords(_ users: [User], hosts: [String]) throws(JobError) -> DashboardAccess {
    guard !users.isEmpty else {
      throw JobError(.invalidField, "The dashboard has no users. Name at least one.", field: "dashboard users")
    }
    return DashboardAccess(mode: .passwords(users), rule: PageGuard(hosts: try checked(hosts)))
  }

  /// Lets visitors in by a rule of the program, such as the headers of an identity-aware proxy.
  ///
  /// - Parameters:
  ///   - hosts: the names under which the dashboard is served, without a port; `*` for any.
  ///   - check: returns the visitor of a request; throws ``/CloudJobsCore/JobError`` `unauthenticated` or
  ///     `permissionDenied` for one who may not look.
  /// - Returns: the access.
  /// - Throws: ``/CloudJobsCore/JobError`` `invalidField` without names.
  public static func custom(
    hosts: [String], _ check: @escaping @Sendable (HTTPRequest, Peer) async throws(JobError) -> DashboardVisitor
  ) throws(JobError) -> DashboardAccess {
    DashboardAccess(mode: .custom(check), rule: PageGuard(hosts: try checked(hosts)))
  }

  /// Whether browsers ask their users for a password.
  var asksForPassword: Bool { if case .passwords = mode { true } else { false } }

  /// Returns the visitor who made a request.
  ///
  /// - Parameters:
  ///   - request: the head of the request.
  ///   - peer: the other end of the connection.
  /// - Throws: ``/CloudJobsCore/JobError`` `unauthenticated`, or `permissionDenied` for a request that comes from
  ///   another page, under another name, or that changes something without the role for it.
  func visitor(of request: HTTPRequest, peer: Peer) async throws(JobError) -> DashboardVisitor {
    let isReading = request.method == .get || request.method == .head
    let visitor: DashboardVisitor
    switch mode {
    case .loopback(let role):
      try Authentication.checkLocal(request, peer: peer, alternative: "give the dashboard another access")
      if !isReading {
        let authority = (request.authority ?? "").lowercased()
        if let reason = PageGuard.writeRefusal(of: request, authority: authority) {
          throw JobError(.permissionDenied, reason)
        }
      }
      visitor = DashboardVisitor(name: nil, role: role)
    case .passwords(let users):
      if let reason = rule.refusal(of: request) { throw JobError(.permissionDenied, reason) }
      visitor = try Self.user(of: request, among: users)
    case .custom(let check):
      if let reason = rule.refusal(of: request) { throw JobError(.permissionDenied, reason) }
      visitor = try await check(request, peer)
    }
    guard isReading || visitor.role == .full else {
      throw JobError(.permissionDenied, "You may look at the dashboard, and not change anything.")
    }
    return visitor
  }

  /// Returns the user with the credentials of a request; all users are compared, so that the time tells nothing.
  private static func user(of request: HTTPRequest, among users: [User]) throws(JobError) -> DashboardVisitor {
    guard let credentials = BasicCredentials(of: request) else {
      throw JobError(.unauthenticated, "Sign in with a user name and its password.")
    }
    var found: DashboardVisitor?
    for user in users {
      let isName = Authentication.areEqual(Array(user.name.utf8), Array(credentials.user.utf8))
      let isPassword = Authentication.areEqual(user.password, Array(credentials.password.utf8))
      if isName, isPassword { found = DashboardVisitor(name: user.name, role: user.role) }
    }
    guard let found else { throw JobError(.unauthenticated, "The user name or the password is wrong.") }
    return found
  }

  private static func checked(_ hosts: [String]) throws(JobError) -> [String] {
    guard !hosts.isEmpty else {
      throw JobError(
        .invalidField, "Give the names under which the dashboard is served, such as jobs.example.com; * for any.",
        field: "dashboard hosts")
    }
    if let host = hosts.first(where: { $0 != "*" && !HostName.isNameOrAddress($0) }) {
      throw JobError(
        .invalidField, "\(host.prefix(80)) is not a host name. Give it without a scheme, a port and a path.",
        field: "dashboard hosts")
    }
    return hosts
  }
}
#endif
