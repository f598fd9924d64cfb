#if Server && HTTP
public import CloudJobsCore
public import CloudJobsEmulator
import CloudJobsHTTPServer
public import Logging

/// The configuration of an ``EmulatorServer``.
public struct EmulatorConfiguration: Sendable {
  /// The address to listen on; any address other than loopback opens the emulator to other machines.
  public var host = "127.0.0.1"
  /// The port to listen on; 0 lets the system choose.
  public var port = 8_123
  /// Hosts other than this machine that deliveries may target; `*` allows all but metadata addresses.
  public var allowedHosts: [String] = []
  /// Addresses by host and port that replace name resolution, such as `["worker.test:80": "127.0.0.1"]`.
  ///
  /// They are subject to the same checks as resolved addresses.
  public var hostAddresses: [String: String] = [:]
  /// Cloud Tasks settings that Google's documentation leaves open.
  public var tasks = CloudTasks.Options()
  /// Endpoints for Cloud Scheduler targets other than HTTP.
  public var scheduler = CloudScheduler.Options()
  /// The time zones available to schedules.
  public var zones = ZoneCatalog.system
  /// The seed for server-generated names.
  public var seed: UInt64 = 0
  /// The folder of the write-ahead log that preserves the state across restarts; nil keeps the state in memory.
  public var dataFolder: String?
  /// The initial queues, also after a reset; nil for none.
  public var queues: QueuesFile?
  /// The indexes of Firestore, without which queries are rejected; nil allows every query.
  public var indexes: Firestore.IndexConfiguration?
  /// The `iss` claim of the deliveries' OIDC tokens; nil for the emulator's own address.
  ///
  /// With `https://accounts.google.com`, code that checks only the issuer's name takes them for Google's.
  public var issuer: String?
  /// Whether there is a dashboard at `/_emulator/dashboard`; nil for one only on a loopback address.
  public var dashboard: Bool?
  /// Maximum size of a request body, in bytes.
  public var maximumBodyBytes = 32 * 1_024 * 1_024
  /// Maximum number of concurrent connections; further ones wait until one ends.
  public var maxConnections = HTTPServerLimits().maxConnections
  /// Time limit for receiving a request's head, and then for its body.
  public var requestTimeout = HTTPServerLimits().requestTimeout
  /// Time for which an idle connection is kept open.
  public var idleTimeout = HTTPServerLimits().idleTimeout
  /// The server's logger.
  public var logger = Logger(label: "cloud-jobs.emulator")
  /// Called once with the bound port when the server accepts requests.
  public var onReady: (@Sendable (Int) async -> Void)?

  /// Creates the default configuration: port 8123 on the loopback address, deliveries to this machine only.
  public init() {}

  /// Whether there is a dashboard.
  public var hasDashboard: Bool { dashboard ?? isLocal }

  /// Returns the address of the dashboard.
  ///
  /// - Parameter port: the bound port.
  /// - Returns: the URL.
  public func dashboardURL(port: Int) -> String {
    let name = ["0.0.0.0", "::"].contains(host) ? "127.0.0.1" : host
    return "http://\(name.contains(":") ? "[\(name)]" : name):\(port)\(EmulatorDashboard.path)"
  }

  /// Whether the emulator listens on a loopback address only.
  package var isLocal: Bool { RequestGuard.isLocal(host) }

  /// Returns the environment variables that direct clients to the emulator.
  ///
  /// - Parameter port: the bound port.
  /// - Returns: shell assignments.
  public func environmentLines(port: Int) -> [String] {
    ["CLOUD_TASKS", "CLOUD_SCHEDULER", "FIRESTORE"].map { "\($0)_EMULATOR_HOST=\(host):\(port)" }
  }

  /// Returns client code that connects to the emulator over gRPC, for the official client of each language.
  ///
  /// - Parameter port: the bound port.
  /// - Returns: lines of code, each after the language's name.
  public func clientLines(port: Int) -> [String] {
    let address = "\(host):\(port)"
    return [
      "Python: tasks_v2.CloudTasksClient(transport=CloudTasksGrpcTransport(channel=grpc.insecure_channel("
        + "\"\(address)\")))",
      "Node:   new CloudTasksClient({apiEndpoint: '\(host)', port: \(port), "
        + "sslCreds: credentials.createInsecure()})",
      "Go:     cloudtasks.NewClient(ctx, option.WithEndpoint(\"\(address)\"), option.WithoutAuthentication(), "
        + "option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())))",
      "Java:   CloudTasksSettings.defaultGrpcTransportProviderBuilder().setEndpoint(\"\(address)\")"
        + ".setChannelConfigurator(ManagedChannelBuilder::usePlaintext)",
    ]
  }

  /// Maximum duration of a tombstone: one year, in seconds.
  private static let longestTombstone = 31_536_000

  /// Validates values that would fail later or have no effect; each error names the command-line option.
  ///
  /// - Throws: ``JobError`` `invalidField` with the remedy.
  package func validate() throws(JobError) {
    guard HostName.isNameOrAddress(host) else {
      throw Self.refusal("--host", "\(Self.quoted(host)) is not an address. Give an IP address or a name: 127.0.0.1")
    }
    guard (0...65_535).contains(port) else {
      throw Self.refusal("--port", "\(port) is not a port. Give a number from 0 to 65535")
    }
    for (option, span) in [("--task-tombstone", tasks.taskTombstone), ("--queue-tombstone", tasks.queueTombstone)] {
      guard (Duration.zero...Duration.seconds(Self.longestTombstone)).contains(span) else {
        throw Self.refusal(option, "The duration must be between zero and a year. Give 0 to \(Self.longestTombstone)")
      }
    }
    for host in allowedHosts where host != "*" && !HostName.isName(host) {
      if case .v4 = IPAddress(host) { continue }
      throw Self.refusal(
        "--allow-host", "\(Self.quoted(host)) is not a host name, IPv4 address or *. Give a host without scheme or port"
      )
    }
    for (place, address) in hostAddresses.sorted(by: { $0.key < $1.key }) { try Self.checkAddress(address, of: place) }
    for (topic, url) in scheduler.pushEndpoints.sorted(by: { $0.key < $1.key }) {
      try Self.checkPush(of: topic, to: url)
    }
    for origin in [tasks.appEngineOrigin, scheduler.appEngineOrigin].compactMap(\.self) {
      guard let path = Self.pathOfHTTPURL(origin), path.isEmpty else {
        throw Self.refusal(
          "--app-engine-origin",
          "\(Self.quoted(origin)) is not an origin. Give scheme, host and port: http://127.0.0.1:8080")
      }
    }
    if let issuer, issuer.isEmpty || issuer.utf8.count > 2_048 || !Self.isVisible(issuer) {
      throw Self.refusal(
        "--issuer",
        "The issuer must be a URL or a name without spaces. Omit it, or give one: https://accounts.google.com")
    }
  }

  private static func checkAddress(_ address: String, of place: String) throws(JobError) {
    guard let parts = HostName.split(place), let port = parts.port, port > 0 else {
      throw refusal(
        "--resolve", "\(quoted(place)) is not a host and port. Give host:port=address: worker.test:80=127.0.0.1")
    }
    guard IPAddress(address) != nil else {
      throw refusal(
        "--resolve", "\(quoted(address)) is not an IP address. Give host:port=address: worker.test:80=127.0.0.1")
    }
  }

  private static func checkPush(of topic: String, to url: String) throws(JobError) {
    let example = "projects/P/topics/T=http://127.0.0.1:8080/push"
    let parts = topic.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 4, parts[0] == "projects", parts[2] == "topics", !parts[1].isEmpty, !parts[3].isEmpty,
      isVisible(topic)
    else { throw refusal("--push", "\(quoted(topic)) is not a topic name. Give topic=URL: \(example)") }
    guard pathOfHTTPURL(url) != nil else {
      throw refusal("--push", "\(quoted(url)) is not an http or https URL. Give topic=URL: \(example)")
    }
  }

  /// Returns the part of an `http` or `https` URL after its authority, or nil for other text.
  private static func pathOfHTTPURL(_ text: String) -> Substring? {
    guard isVisible(text),
      let scheme = ["http://", "https://"].first(where: { text.lowercased().hasPrefix($0) })
    else { return nil }
    let rest = text.dropFirst(scheme.count)
    let authority = rest.prefix { !"/?#".contains($0) }
    guard let parts = HostName.split(authority), parts.port != 0 else { return nil }
    return rest[authority.endIndex...]
  }

  private static func isVisible(_ text: String) -> Bool {
    text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
  }

  private static func quoted(_ text: String) -> String {
    let shown = text.unicodeScalars.prefix(200).map { $0.properties.generalCategory == .control ? "?" : String($0) }
    return "\"\(shown.joined())\""
  }

  private static func refusal(_ option: String, _ message: String) -> JobError {
    JobError(.invalidField, message + ".", field: option)
  }
}
#endif
