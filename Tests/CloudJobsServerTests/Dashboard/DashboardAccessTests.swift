#if Server
import CloudJobs
import CloudJobsCore
import CloudJobsPages
import HTTPTypes
import TestSupport
import Testing

@testable import CloudJobsServer

/// A dashboard over a store in memory, and requests to it.
struct DashboardCaller: Sendable {
  let runtime: JobRuntime
  let log = LogRecorder()

  init() throws {
    var options = RuntimeOptions()
    options.logger = log.logger
    let jobs = try JobRegistry { EndpointJob("greet") { _ in } }
    runtime = JobRuntime(jobs, store: .memory, authentication: .trustLoopback, options: options)
  }

  /// The fields of a browser that sends a form of the dashboard's own page.
  static let form = [
    ("Sec-Fetch-Site", "same-origin"), ("Content-Type", "application/x-www-form-urlencoded"),
  ]

  /// The field of a user's credentials.
  static func basic(_ user: String, _ password: String) -> (String, String) {
    ("Authorization", "Basic " + Base64.encode(Array("\(user):\(password)".utf8)))
  }

  func page(
    _ access: DashboardAccess, _ method: HTTPRequest.Method, _ path: String, host: String? = "localhost:8080",
    peer: Peer = .address("127.0.0.1"), _ fields: [(String, String)] = [], body: String = ""
  ) async -> PageResponse {
    var request = HTTPRequest(method: method, scheme: "http", authority: host, path: path)
    for (name, value) in fields {
      if let name = HTTPField.Name(name) { request.headerFields.append(HTTPField(name: name, value: value)) }
    }
    let dashboard = Dashboard(runtime, DashboardOptions(access: access))
    let reply = await dashboard.respond(to: request, peer: peer) { _ in Array(body.utf8) }
    guard case .page(let page) = reply else { return PageResponse(page: []) }
    return page
  }
}

@Suite("Access to the dashboard")
struct DashboardAccessTests {
  private static let password = "correct horse"

  /// Who asks, and what that visitor may do.
  enum Caller: String, CaseIterable, Sendable {
    case machine, machineReadOnly, otherMachine, unknownPeer, proxied, alice, robin, wrongPassword, unknownUser
    case noCredential, bearer, halfCredential, customFull, customReadOnly, customRefused

    var access: DashboardAccess {
      get throws {
        switch self {
        case .machine, .otherMachine, .unknownPeer, .proxied: return .loopback()
        case .machineReadOnly: return .loopback(.readOnly)
        case .alice, .robin, .wrongPassword, .unknownUser, .noCredential, .bearer, .halfCredential:
          return try .passwords(
            [.init("alice", password: password), .init("robin", password: password + "2", role: .readOnly)],
            hosts: ["jobs.example"])
        case .customFull: return try .custom(hosts: ["*"]) { _, _ in DashboardVisitor(name: "x", role: .full) }
        case .customReadOnly: return try .custom(hosts: ["*"]) { _, _ in DashboardVisitor(name: "x", role: .readOnly) }
        case .customRefused:
          return try .custom(hosts: ["*"]) { (_, _) throws(JobError) in
            throw JobError(.permissionDenied, "You are not of the team.")
          }
        }
      }
    }

    var fields: [(String, String)] {
      switch self {
      case .alice: [DashboardCaller.basic("alice", password)]
      case .robin: [DashboardCaller.basic("robin", password + "2")]
      case .wrongPassword: [DashboardCaller.basic("alice", password + "2")]
      case .unknownUser: [DashboardCaller.basic("mallory", password)]
      case .bearer: [("Authorization", "Bearer \(password)")]
      case .halfCredential: [("Authorization", "Basic " + Base64.encode(Array("alice".utf8)))]
      case .proxied: [("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-Proto", "https")]
      default: []
      }
    }

    var peer: Peer {
      switch self {
      case .otherMachine, .alice, .robin: .address("192.0.2.1")
      case .unknownPeer: .unknown
      default: .address("127.0.0.1")
      }
    }

    /// The statuses of reading and of changing; nil where the page itself decides.
    var refusals: (reading: Int?, changing: Int?) {
      switch self {
      case .machine, .alice, .customFull: (nil, nil)
      case .machineReadOnly, .robin, .customReadOnly: (nil, 403)
      case .otherMachine, .unknownPeer, .proxied, .customRefused: (403, 403)
      case .wrongPassword, .unknownUser, .noCredential, .bearer, .halfCredential: (401, 401)
      }
    }
  }

  private static let run = String(repeating: "0", count: 64)

  /// The pages of all groups and some below them, and a path that is none.
  private static var pages: [(path: String, status: Int)] {
    DashboardSections.all.map { (path: "/dashboard" + ($0.segment.isEmpty ? "" : "/" + $0.segment), status: 200) } + [
      (path: "/dashboard/", status: 200), (path: "/dashboard/runs/\(run)", status: 404),
      (path: "/dashboard/runs/\(run)/log", status: 404), (path: "/dashboard/nothing", status: 404),
    ]
  }

  @Test("Who may look and who may change something, page by page", arguments: Caller.allCases)
  func roles(caller: Caller) async throws {
    let dashboard = try DashboardCaller()
    for (path, status) in Self.pages {
      for method in [HTTPRequest.Method.get, .head] {
        let page = await dashboard.page(try caller.access, method, path, peer: caller.peer, caller.fields)
        #expect(page.status.code == caller.refusals.reading ?? status, "\(method) \(path)")
      }
    }
    for path in Self.pages.map(\.path) + ["/dashboard/runs/\(Self.run)/cancel", "/dashboard/runs/cancel"] {
      let fields = caller.fields + DashboardCaller.form
      let page = await dashboard.page(try caller.access, .post, path, peer: caller.peer, fields)
      if let refusal = caller.refusals.changing {
        #expect(page.status.code == refusal, "\(path)")
      } else {
        #expect(page.status.code != 401 && page.status.code != 403, "\(path)")
      }
    }
  }

  @Test("Files of the pages need no credential, as a refusal shows them", arguments: Caller.allCases)
  func files(caller: Caller) async throws {
    let path = PageAssets.style.path(under: "/dashboard")
    let page = try await DashboardCaller().page(try caller.access, .get, path, peer: caller.peer, caller.fields)
    #expect(page.status == .ok && page.fields[.contentType] == "text/css; charset=utf-8")
  }

  @Test("A refusal asks for a password where one helps, and tells no credential to the log")
  func refusals() async throws {
    for caller in Caller.allCases where caller.refusals.reading != nil {
      let dashboard = try DashboardCaller()
      let page = await dashboard.page(try caller.access, .get, "/dashboard", peer: caller.peer, caller.fields)
      let asks = page.fields[.wwwAuthenticate] == "Basic realm=\"dashboard\", charset=\"UTF-8\""
      #expect(asks == (caller.refusals.reading == 401), "\(caller)")
      #expect(dashboard.log.lines.count { $0.hasPrefix("notice: A request to the dashboard was refused.") } == 1)
      let text = dashboard.log.lines.joined() + String(decoding: page.body, as: UTF8.self)
      #expect(!text.contains("correct horse") && !text.contains("Y29ycmVjd") && !text.contains("mallory"))
    }
  }

  @Test("No description of an access has a password, and users differ by name")
  func descriptions() throws {
    let users = [try DashboardAccess.User("alice", password: Self.password)]
    var dumped = ""
    dump(try DashboardAccess.passwords(users, hosts: ["*"]), to: &dumped)
    let text = dumped + "\(users)" + String(reflecting: users)
    #expect(text.contains("alice") && !text.contains("horse") && !text.contains("99, 111, 114"))
    #expect(throws: JobError.self) { try DashboardAccess.passwords(users + users, hosts: ["*"]) }
    #expect(throws: JobError.self) { try DashboardAccess.passwords([], hosts: ["*"]) }
    #expect(throws: JobError.self) { try DashboardAccess.passwords(users, hosts: []) }
    #expect(throws: JobError.self) { try DashboardAccess.passwords(users, hosts: ["jobs.example:8080"]) }
    for (name, password) in [("", Self.password), ("a:b", Self.password), ("a", "eleven byte")] {
      #expect(throws: JobError.self) { try DashboardAccess.User(name, password: password) }
    }
  }

  @Test("The same access for looking only lets the same visitors look")
  func readOnly() async throws {
    for caller in Caller.allCases {
      let access = try caller.access.readOnly
      let dashboard = try DashboardCaller()
      let page = await dashboard.page(access, .get, "/dashboard", peer: caller.peer, caller.fields)
      #expect(page.status.code == caller.refusals.reading ?? 200, "\(caller)")
      let fields = caller.fields + DashboardCaller.form
      let change = await dashboard.page(access, .post, "/dashboard", peer: caller.peer, fields)
      #expect(change.status.code == caller.refusals.changing ?? 403, "\(caller)")
    }
  }

  @Test("Other methods than those of pages are answered by 405, whoever asks", arguments: Caller.allCases)
  func methods(caller: Caller) async throws {
    for method in ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"].compactMap({ HTTPRequest.Method($0) }) {
      let page = try await DashboardCaller().page(try caller.access, method, "/dashboard/runs", peer: caller.peer)
      #expect(page.status == .methodNotAllowed && page.fields[.allow] == "GET, HEAD, POST")
    }
  }

  @Test("No path leaves the dashboard, or names a file or a page by another spelling")
  func traversal() async throws {
    let dashboard = try DashboardCaller()
    let paths = [
      "/dashboard/../jobs/trigger", "/dashboard/%2e%2e/jobs", "/dashboard/..%2fjobs",
      "/dashboard/%2e%2e%2fjobs%2fhealth",
      "/dashboard/assets/../assets/x/style.css", "/dashboard/assets/x/..%2fstyle.css",
      "/dashboard/assets/x/%2e/style.css",
      "/dashboard/assets/x/style.css%00", "/dashboard/assets%2fx%2fstyle.css", "/dashboard/runs%2f\(Self.run)",
      "/dashboard/runs/%ff", "/dashboard/runs/..", "/dashboard/runs/\(Self.run)/../../jobs", "/dashboardx",
      "/dashboard%2f", "/Dashboard", "//dashboard", "dashboard", "http://localhost:8080/dashboard", "*", "",
    ]
    for path in paths {
      let page = await dashboard.page(.loopback(), .get, path)
      #expect(page.status == .notFound, "\(path)")
    }
  }
}

@Suite("Requests to the dashboard that other pages make")
struct DashboardRequestTests {
  /// One value of each header field of a browser's request that tells from where it comes.
  struct Row: CustomTestStringConvertible, Sendable {
    var sites: [String]
    var origin: String?
    var type: String?
    var referer: String?

    var fields: [(String, String)] {
      sites.map { ("Sec-Fetch-Site", $0) } + (origin.map { [("Origin", $0)] } ?? [])
        + (type.map { [("Content-Type", $0)] } ?? []) + (referer.map { [("Referer", $0)] } ?? [])
    }

    var testDescription: String { "\(fields)" }

    static let form = "application/x-www-form-urlencoded"

    static let all: [Row] = [
      [], ["same-origin"], ["same-site"], ["cross-site"], ["none"], ["same-origin", "cross-site"],
    ]
    .flatMap { sites in
      [nil, "http://localhost:8080", "http://localhost:9090", "https://evil.example", "null"].flatMap { origin in
        [nil, form, form + "; charset=utf-8", "text/plain", "multipart/form-data; boundary=x", "application/json"]
          .flatMap { type in
            [nil, "http://localhost:8080/dashboard/runs", "https://evil.example/"].map { referer in
              Row(sites: sites, origin: origin, type: type, referer: referer)
            }
          }
      }
    }

    /// Whether the dashboard's own page made the request, as far as a browser tells.
    var isOwn: Bool {
      sites == ["same-origin"] && (origin == nil || origin == "http://localhost:8080")
        && type?.hasPrefix(Self.form) == true
    }
  }

  @Test("A change comes from the dashboard's own page: site, origin, type and referrer of a request, all combinations")
  func changes() async throws {
    let dashboard = try DashboardCaller()
    let passwords = try DashboardAccess.passwords([.init("alice", password: "correct horse")], hosts: ["localhost"])
    let alice = DashboardCaller.basic("alice", "correct horse")
    var accepted = 0
    for row in Row.all {
      let local = await dashboard.page(.loopback(), .post, "/dashboard/nothing", row.fields)
      let isLocal = row.isOwn && row.referer?.hasPrefix("https://evil") != true
      #expect(local.status == (isLocal ? .notFound : .forbidden), "loopback \(row)")
      // Without an address of its own, a page may hide its referrer: it proves nothing.
      let other = await dashboard.page(passwords, .post, "/dashboard/nothing", row.fields + [alice])
      let isPermitted = row.isOwn || (row.isOwnOfHost && row.type?.hasPrefix(Row.form) == true)
      #expect(other.status == (isPermitted ? .notFound : .forbidden), "passwords \(row)")
      accepted += isLocal ? 1 : 0
    }
    #expect(Row.all.count == 6 * 5 * 6 * 3 && accepted == 2 * 2 * 2)
  }

  @Test(
    "A link from anywhere may lead to a page, and nothing else reads one",
    arguments: [
      ("navigate", "document", "cross-site", true), ("navigate", "document", "same-site", true),
      ("navigate", "document", "none", true), ("navigate", "iframe", "cross-site", false),
      ("navigate", "frame", "same-site", false), ("navigate", "embed", "cross-site", false),
      ("navigate", "object", "cross-site", false), ("no-cors", "image", "cross-site", false),
      ("no-cors", "script", "cross-site", false), ("no-cors", "style", "same-site", false),
      ("cors", "empty", "cross-site", false), ("cors", "empty", "same-origin", true),
      ("no-cors", "document", "cross-site", false), ("websocket", "empty", "cross-site", false),
    ])
  func reading(mode: String, destination: String, site: String, isServed: Bool) async throws {
    let fields = [("Sec-Fetch-Mode", mode), ("Sec-Fetch-Dest", destination), ("Sec-Fetch-Site", site)]
    let referer = site == "none" || site == "same-origin" ? [] : [("Referer", "https://evil.example/")]
    let dashboard = try DashboardCaller()
    let page = await dashboard.page(.loopback(), .get, "/dashboard", fields + referer)
    #expect(page.status == (isServed ? .ok : .forbidden))
    // A form of another page navigates too, and changes nothing.
    let change = await dashboard.page(
      .loopback(), .post, "/dashboard",
      fields + referer + [("Content-Type", Row.form), ("Origin", "https://evil.example")])
    #expect(change.status == .forbidden)
    let rebound = await dashboard.page(.loopback(), .get, "/dashboard", host: "evil.example:8080", fields)
    #expect(rebound.status == .forbidden)
  }

  @Test("A name that is not the dashboard's is refused, whatever the browser sends")
  func rebinding() async throws {
    let users = [try DashboardAccess.User("alice", password: "correct horse")]
    let alice = DashboardCaller.basic("alice", "correct horse")
    let rows: [(host: String?, isLoopback: Bool, isNamed: Bool)] = [
      ("localhost:8080", true, true), ("127.0.0.1:8080", true, true), ("[::1]:8080", true, true),
      ("a.localhost", true, true), ("jobs.example", false, true), ("JOBS.example:443", false, true),
      ("evil.example", false, false), ("evil.example:8080", false, false), ("jobs.example.evil.example", false, false),
      ("jobs.example.", false, false), ("127.0.0.1.evil.example", false, false),
      ("localhost.evil.example", false, false),
      ("10.0.0.1", false, false), ("0.0.0.0:8080", false, false), ("jobs.example@evil.example", false, false),
      ("jobs.example, evil.example", false, false), ("", false, false), (nil, false, false),
    ]
    for row in rows {
      let dashboard = try DashboardCaller()
      for method in [HTTPRequest.Method.get, .post] {
        let fields = method == .post ? DashboardCaller.form : []
        let local = await dashboard.page(.loopback(), method, "/dashboard/nothing", host: row.host, fields)
        #expect(local.status == (row.isLoopback ? .notFound : .forbidden), "loopback \(row.host ?? "none") \(method)")
        let access = try DashboardAccess.passwords(users, hosts: ["jobs.example"])
        let named = await dashboard.page(access, method, "/dashboard/nothing", host: row.host, fields + [alice])
        #expect(named.status == (row.isNamed ? .notFound : .forbidden), "passwords \(row.host ?? "none") \(method)")
      }
    }
  }

  @Test("Behind a proxy with TLS, passwords work whether or not it passes Host on; loopback refuses")
  func proxies() async throws {
    let dashboard = try DashboardCaller()
    let access = try DashboardAccess.passwords([.init("alice", password: "correct horse")], hosts: ["jobs.example"])
    let alice = DashboardCaller.basic("alice", "correct horse")
    let forwarded = [
      ("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "jobs.example"),
      ("Via", "1.1 google"),
    ]
    let own = ("Origin", "https://jobs.example")
    for host in ["jobs.example", "jobs.example:443", "127.0.0.1:8080", "localhost:8080"] {
      let fields = forwarded + [own]
      let page = await dashboard.page(
        access, .get, "/dashboard", host: host, peer: .address("10.0.0.1"), fields + [alice])
      #expect(page.status == .ok)
      let change = await dashboard.page(
        access, .post, "/dashboard/nothing", host: host, peer: .address("10.0.0.1"),
        fields + [alice] + DashboardCaller.form)
      #expect(change.status == .notFound, "\(host)")
      let other = await dashboard.page(
        access, .post, "/dashboard/nothing", host: host,
        forwarded + [("Origin", "https://evil.example"), alice] + DashboardCaller.form)
      #expect(other.status == .forbidden)
      let local = await dashboard.page(.loopback(), .get, "/dashboard", host: host, forwarded)
      #expect(local.status == .forbidden)
    }
  }

  @Test("Every response is confined, refusals and redirects too")
  func confinement() async throws {
    let dashboard = try DashboardCaller()
    let requests: [(HTTPRequest.Method, String, [(String, String)])] = [
      (.get, "/dashboard", []), (.get, "/dashboard/nothing", []), (.post, "/dashboard", []), (.put, "/dashboard", []),
      (.get, "/dashboard/assets/x/dashboard.js", []), (.get, "/dashboard", [("X-Forwarded-For", "192.0.2.1")]),
    ]
    for (method, path, fields) in requests {
      let page = await dashboard.page(.loopback(), method, path, fields)
      let policy = page.fields[.contentSecurityPolicy] ?? ""
      #expect(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "\(path)")
      #expect(!policy.contains("unsafe") && !policy.contains("*") && !policy.contains("data:"))
      #expect(page.fields[.xContentTypeOptions] == "nosniff")
      for (name, value) in [("X-Frame-Options", "DENY"), ("Cross-Origin-Opener-Policy", "same-origin")] {
        #expect(HTTPField.Name(name).flatMap { page.fields[$0] } == value)
      }
    }
  }
}

extension DashboardRequestTests.Row {
  /// Whether the page has the name of the dashboard at another port, as one behind a proxy has.
  fileprivate var isOwnOfHost: Bool { sites == ["same-origin"] && origin == "http://localhost:9090" }
}
#endif
