#if HTTP
public import CloudJobs
public import CloudJobsCore
public import CloudJobsHTTP

/// The Google Cloud project of this process: service endpoints, credentials, and the HTTP client that reaches them.
///
/// ```swift
/// try await withCurlHTTPClient { client in
///   let google = try await GoogleCloud.applicationDefault(client: client)
///   let runtime = JobRuntime(
///     jobs, store: .firestore(google), queue: .cloudTasks(tasks, in: google), authentication: authentication)
///   try await JobServer(runtime).runUntilSignal()
/// }
/// ```
public struct GoogleCloud: Sendable {
  /// The id of the project.
  public var project: String
  /// Endpoint and credentials of Firestore.
  public var firestore: GoogleAccess
  /// Endpoint and credentials of Cloud Tasks.
  public var cloudTasks: GoogleAccess
  /// Endpoint and credentials of Cloud Scheduler.
  public var cloudScheduler: GoogleAccess
  /// The HTTP client that sends the requests.
  public var client: any HTTPExchange
  /// The clock for retry delays, and for how far ahead a task is scheduled.
  public var clock: any JobClock
  /// The source of the retry delays' jitter.
  public var random: RandomSource

  /// Creates access to Google's own services, all with the same credentials.
  ///
  /// - Parameters:
  ///   - project: the project's id.
  ///   - credentials: the provider of access tokens.
  ///   - client: the HTTP client that sends the requests.
  ///   - clock: the clock for retry delays.
  ///   - random: the source of their jitter.
  public init(
    project: String, credentials: any AccessTokenProvider, client: any HTTPExchange, clock: any JobClock = .system,
    random: RandomSource = .system
  ) {
    self.project = project
    firestore = GoogleAccess(endpoint: GoogleService.firestore.endpoint, credentials: credentials)
    cloudTasks = GoogleAccess(endpoint: GoogleService.cloudTasks.endpoint, credentials: credentials)
    cloudScheduler = GoogleAccess(endpoint: GoogleService.cloudScheduler.endpoint, credentials: credentials)
    self.client = client
    self.clock = clock
    self.random = random
  }

  /// Creates access to one emulator that serves all three services.
  ///
  /// - Parameters:
  ///   - address: its host and port, such as `127.0.0.1:8085`.
  ///   - project: the project's id; any id will do.
  ///   - client: the HTTP client that sends the requests.
  ///   - clock: the clock for retry delays.
  ///   - random: the source of their jitter.
  /// - Throws: ``/CloudJobsCore/JobError`` `invalidCredentials` if the address is not a host and port.
  public init(
    emulator address: String, project: String, client: any HTTPExchange, clock: any JobClock = .system,
    random: RandomSource = .system
  ) throws(JobError) {
    self.init(project: project, credentials: FixedHeaders.none, client: client, clock: clock, random: random)
    let name = "The emulator's address"
    firestore = try .emulator(of: .firestore, at: address, named: name)
    cloudTasks = try .emulator(of: .cloudTasks, at: address, named: name)
    cloudScheduler = try .emulator(of: .cloudScheduler, at: address, named: name)
  }
}

#if Google
extension GoogleCloud {
  /// Returns access by the environment: emulators where variables name them, otherwise Google's services with
  /// Application Default Credentials.
  ///
  /// Credentials are only searched for if a service has no emulator; all services share them. Emulators are named by
  /// `FIRESTORE_EMULATOR_HOST`, `CLOUD_TASKS_EMULATOR_HOST` and `CLOUD_SCHEDULER_EMULATOR_HOST`, the project by
  /// `GOOGLE_CLOUD_PROJECT` or `GCLOUD_PROJECT`, otherwise by the credentials.
  ///
  /// - Parameters:
  ///   - project: the project's id; nil to take it from the environment.
  ///   - environment: the variables and files to search.
  ///   - client: the HTTP client that sends the requests.
  ///   - clock: the clock for token expiry and retry delays.
  ///   - random: the source of the retry delays' jitter.
  /// - Returns: the project with its services.
  /// - Throws: ``/CloudJobsCore/JobError`` `invalidCredentials` if a variable or file is invalid,
  ///   `credentialsUnavailable` if no credentials or no project id are found.
  public static func applicationDefault(
    project: String? = nil, environment: CredentialEnvironment = .process, client: any HTTPExchange,
    clock: any JobClock = .system, random: RandomSource = .system
  ) async throws(JobError) -> GoogleCloud {
    let firestore = try GoogleAccess.emulator(of: .firestore, in: environment)
    let tasks = try GoogleAccess.emulator(of: .cloudTasks, in: environment)
    let scheduler = try GoogleAccess.emulator(of: .cloudScheduler, in: environment)
    var credentials: GoogleCredentials?
    if firestore == nil || tasks == nil || scheduler == nil {
      credentials = try await .applicationDefault(
        environment: environment, client: client, clock: clock, random: random)
    }
    var id = project ?? environment.projectID
    if id == nil, let credentials { id = try await credentials.projectID() }
    guard let id else {
      throw JobError(.credentialsUnavailable, "The project id is unknown: set GOOGLE_CLOUD_PROJECT.")
    }
    var cloud = GoogleCloud(
      project: id, credentials: credentials ?? FixedHeaders.none, client: client, clock: clock, random: random)
    if let firestore { cloud.firestore = firestore }
    if let tasks { cloud.cloudTasks = tasks }
    if let scheduler { cloud.cloudScheduler = scheduler }
    return cloud
  }
}
#endif

/// The endpoint of a Google service or its emulator, with the credentials for calls.
public struct GoogleAccess: Sendable {
  /// The base URL that paths are appended to, without a trailing slash.
  public var endpoint: String
  /// The provider of the calls' authentication headers.
  public var credentials: any AccessTokenProvider
  /// Whether the endpoint is an emulator.
  public var isEmulator: Bool

  /// Creates access to an endpoint.
  public init(endpoint: String, credentials: any AccessTokenProvider, isEmulator: Bool = false) {
    self.endpoint = endpoint
    self.credentials = credentials
    self.isEmulator = isEmulator
  }

  /// Returns access to the emulator that the environment names for a service; nil if it names none.
  ///
  /// - Parameters:
  ///   - service: the service.
  ///   - environment: the environment with the service's variable, such as `FIRESTORE_EMULATOR_HOST=127.0.0.1:8085`.
  /// - Returns: access to the emulator.
  /// - Throws: ``/CloudJobsCore/JobError`` `invalidCredentials` if the variable's value is not `host:port`.
  public static func emulator(
    of service: GoogleService, in environment: CredentialEnvironment
  ) throws(JobError) -> GoogleAccess? {
    guard let value = environment.value(service.emulatorVariable) else { return nil }
    return try emulator(of: service, at: value, named: service.emulatorVariable)
  }

  /// Returns access to a service's emulator at an address.
  ///
  /// - Parameters:
  ///   - service: the service.
  ///   - address: host and port, such as `127.0.0.1:8085`.
  ///   - name: the origin of the address, for error messages.
  /// - Returns: access to the emulator.
  /// - Throws: ``JobError`` `invalidCredentials` if the address is not a host and port.
  static func emulator(
    of service: GoogleService, at address: String, named name: String
  ) throws(JobError) -> GoogleAccess {
    guard let authority = HostAndPort(address) else {
      throw JobError(
        .invalidCredentials, "\(name) is not a host and port: set it to a value such as 127.0.0.1:8085, or unset it.",
        field: name)
    }
    let headers: FixedHeaders = service.emulatorHeaders == .owner ? .emulatorOwner : .none
    return GoogleAccess(endpoint: "http://\(authority.text)", credentials: headers, isEmulator: true)
  }
}

/// A Google service that this package calls, with its emulator's conventions.
public struct GoogleService: Hashable, Sendable {
  /// The base URL of Google's own service.
  public let endpoint: String
  /// The environment variable that holds an emulator's address, as `host:port`.
  public let emulatorVariable: String
  /// The authorization that the service's emulator expects.
  let emulatorHeaders: EmulatorHeaders

  enum EmulatorHeaders: Hashable, Sendable { case none, owner }

  /// Firestore.
  public static let firestore = GoogleService(
    endpoint: "https://firestore.googleapis.com", emulatorVariable: "FIRESTORE_EMULATOR_HOST", emulatorHeaders: .owner)
  /// Cloud Tasks.
  public static let cloudTasks = GoogleService(
    endpoint: "https://cloudtasks.googleapis.com", emulatorVariable: "CLOUD_TASKS_EMULATOR_HOST", emulatorHeaders: .none
  )
  /// Cloud Scheduler.
  public static let cloudScheduler = GoogleService(
    endpoint: "https://cloudscheduler.googleapis.com", emulatorVariable: "CLOUD_SCHEDULER_EMULATOR_HOST",
    emulatorHeaders: .none)
}
#endif
