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

  /// The visitor with a name that fits on pages and in records.
  fileprivate var bounded: DashboardVisitor { DashboardVisitor(name: name.map { String($0.prefix(120)) }, role: role) }
}

/// Who may look at a dashboard, and who may change something.
public struct DashboardAccess: Sendable {
  /// A user name with its password and role; its description has no password.
  public struct User: Sendable, CustomStringConvertible, CustomReflectable {
    let name: String
    private(set) var role: DashboardRole
    /// The digests of the name and the password, which have one length: comparing them tells nothing about either.
    fileprivate let credentials: Digests

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
        throw JobError(
          .invalidField, "A user name must not be empty or have a colon. Choose another.", field: "dashboard user")
      }
      guard password.utf8.count >= Self.minimumPasswordBytes else {
        throw JobError(
          .invalidField,
          "The password of \(name.prefix(80)) is too short: it needs at least \(Self.minimumPasswordBytes) bytes. "
            + "Generate one.", field: "dashboard password")
      }
      (self.name, self.role) = (name, role)
      credentials = Digests(user: name, password: password)
    }

    /// The same user, who may only look.
    fileprivate var readOnly: User {
      var user = self
      user.role = .readOnly
      return user
    }

    /// The name and the role.
    public var description: String { "\(name), \(role.rawValue)" }
    /// The name and the role.
    public var customMirror: Mirror { Mirror(self, children: ["name": name, "role": role]) }
  }

  /// The digests of a user name and a password.
  fileprivate struct Digests {
    var user: [UInt8]
    var password: [UInt8]

    init(user: String, password: String) {
      (self.user, self.password) = (Self.digest(user), Self.digest(password))
    }

    private static func digest(_ text: String) -> [UInt8] {
      var hash = SHA256()
      hash.update(text.utf8)
      return Array(hash.finalize())
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
  /// names in `Host`, and the requests of other pages, apart from links to a page of the dashboard. A ``JobServer``
  /// with it listens on loopback only.
  ///
  /// - Parameter role: what they may do.
  /// - Returns: the access.
  public static func loopback(_ role: DashboardRole = .full) -> DashboardAccess {
    DashboardAccess(mode: .loopback(role), rule: PageGuard(hosts: []))
  }

  /// Lets users in by their passwords, which browsers ask for (HTTP Basic, RFC 7617); serve it over `https` only.
  ///
  /// - Parameters:
  ///   - users: the users, each with another name.
  ///   - hosts: the names under which the dashboard is served, without a port; `*` for any.
  /// - Returns: the access.
  /// - Throws: ``/CloudJobsCore/JobError`` `invalidField` without users or names.
  public static func passwords(_ users: [User], hosts: [String]) throws(JobError) -> DashboardAccess {
    guard !users.isEmpty else {
      throw JobError(.invalidField, "The dashboard has no users. Name at least one.", field: "dashboard users")
    }
    guard Set(users.map(\.name)).count == users.count else {
      throw JobError(.invalidField, "Two users of the dashboard have one name. Rename one.", field: "dashboard users")
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

  /// Returns the same access under other names.
  func served(as hosts: [String]) throws(JobError) -> DashboardAccess {
    DashboardAccess(mode: mode, rule: PageGuard(hosts: try Self.checked(hosts)))
  }

  /// The same access, for looking only.
  package var readOnly: DashboardAccess {
    switch mode {
    case .loopback: .loopback(.readOnly)
    case .passwords(let users): DashboardAccess(mode: .passwords(users.map(\.readOnly)), rule: rule)
    case .custom(let check):
      DashboardAccess(
        mode: .custom { (request, peer) throws(JobError) in
          DashboardVisitor(name: try await check(request, peer).name, role: .readOnly)
        }, rule: rule)
    }
  }

  /// Whether browsers ask their users for a password.
  var asksForPassword: Bool { if case .passwords = mode { true } else { false } }

  /// The users who have passwords.
  var users: [User] { if case .passwords(let users) = mode { users } else { [] } }

  /// Whether a request needs no credential.
  package var isLoopback: Bool { if case .loopback = mode { true } else { false } }

  /// Returns the visitor who made a request.
  ///
  /// - Parameters:
  ///   - request: the head of the request.
  ///   - peer: the other end of the connection.
  /// - Returns: the visitor.
  /// - Throws: ``/CloudJobsCore/JobError`` `unauthenticated`, or `permissionDenied` for a request that comes from
  ///   another page, under another name, or that changes something without the role for it.
  func visitor(of request: HTTPRequest, peer: Peer) async throws(JobError) -> DashboardVisitor {
    let isReading = request.method == .get || request.method == .head
    let visitor: DashboardVisitor
    switch mode {
    case .loopback(let role):
      // A link on another page, such as a wiki's, may lead to the dashboard: reading changes nothing, and no page sees
      // what a window or a frame of another origin shows.
      let checked = PageGuard.isNavigation(request) ? PageGuard.withoutOrigin(request) : request
      try Authentication.checkLocal(checked, peer: peer, alternative: "give the dashboard another access")
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
      visitor = try await check(request, peer).bounded
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
    let given = Digests(user: credentials.user, password: credentials.password)
    var found: DashboardVisitor?
    for user in users {
      let isName = Authentication.areEqual(user.credentials.user, given.user)
      let isPassword = Authentication.areEqual(user.credentials.password, given.password)
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
