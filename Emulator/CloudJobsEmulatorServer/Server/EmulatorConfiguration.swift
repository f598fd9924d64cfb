#if Server && HTTP
public import CloudJobsCore
public import CloudJobsEmulator
import CloudJobsHTTPServer
public import Logging

/// What an ``EmulatorServer`` is started with.
public struct EmulatorConfiguration: Sendable {
  /// The address to listen at; anything but a loopback address opens the emulator to others.
  public var host = "127.0.0.1"
  /// The port to listen at; 0 lets the system choose.
  public var port = 8_123
  /// Hosts besides this machine that deliveries may go to; `*` allows all but metadata addresses.
  public var allowedHosts: [String] = []
  /// Addresses for a host and port in place of what would be looked up, such as `["worker.test:80": "127.0.0.1"]`.
  ///
  /// No address is allowed by this that would not be otherwise.
  public var hostAddresses: [String: String] = [:]
  /// How Cloud Tasks behaves where the documents leave it open.
  public var tasks = CloudTasks.Options()
  /// Where Cloud Scheduler delivers what needs more than an HTTP target.
  public var scheduler = CloudScheduler.Options()
  /// The time zones that schedules may name.
  public var zones = ZoneCatalog.system
  /// Draws the names that clients leave to the services.
  public var seed: UInt64 = 0
  /// Where a journal keeps the state of all services across restarts; nil keeps it in memory.
  public var dataFolder: String?
  /// The queues that are there from the start, also after a reset; nil for none.
  public var queues: QueuesFile?
  /// The indexes that Firestore has, without which queries are refused; nil lets every query run.
  public var indexes: Firestore.IndexConfiguration?
  /// What the OIDC tokens of deliveries say as `iss`; nil for the emulator's own address.
  ///
  /// `https://accounts.google.com` makes them look like Google's to code that checks no more than the name.
  public var issuer: String?
  /// The longest request body, in bytes.
  public var maximumBodyBytes = 32 * 1_024 * 1_024
  /// How many connections are served at once; more wait until one of them ends.
  public var maxConnections = HTTPServerLimits().maxConnections
  /// How long a request's head may take in all, and after it the body.
  public var requestTimeout = HTTPServerLimits().requestTimeout
  /// How long a connection is kept open that waits for its next request.
  public var idleTimeout = HTTPServerLimits().idleTimeout
  /// Where the server logs to.
  public var logger = Logger(label: "cloud-jobs.emulator")
  /// Called once with the bound port, when requests can be made.
  public var onReady: (@Sendable (Int) async -> Void)?

  /// The defaults: port 8123 of the loopback address, deliveries to this machine only.
  public init() {}

  /// The lines that point clients at an emulator.
  ///
  /// - Parameter port: the bound port.
  /// - Returns: assignments for a shell.
  public func environmentLines(port: Int) -> [String] {
    ["CLOUD_TASKS", "CLOUD_SCHEDULER", "FIRESTORE"].map { "\($0)_EMULATOR_HOST=\(host):\(port)" }
  }

  /// How the official clients of each language are pointed at an emulator, which they speak to over REST.
  ///
  /// - Parameter port: the bound port.
  /// - Returns: lines of code to paste, each after the language's name.
  public func clientLines(port: Int) -> [String] {
    let address = "\(host):\(port)"
    return [
      "Python: tasks_v2.CloudTasksClient(transport=\"rest\", credentials=AnonymousCredentials(), "
        + "client_options={\"api_endpoint\": \"http://\(address)\"})",
      "Node:   new CloudTasksClient({fallback: true, protocol: 'http', apiEndpoint: '\(host)', port: \(port), "
        + "auth: new GoogleAuth({authClient: new PassThroughClient()})})",
      "Go:     cloudtasks.NewRESTClient(ctx, option.WithEndpoint(\"http://\(address)\"), "
        + "option.WithoutAuthentication())",
      "Java:   CloudTasksSettings.newHttpJsonBuilder().setEndpoint(\"http://\(address)\")"
        + ".setCredentialsProvider(NoCredentialsProvider.create())",
    ]
  }
}
#endif
