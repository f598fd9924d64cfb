#if HTTP
public import CloudJobs
public import CloudJobsCore
public import CloudJobsHTTP

/// Google Cloud as this process reaches it: where its services are, what authenticates calls, and what sends them.
///
/// ```swift
/// try await withHTTPClient { client in
///   let google = try await GoogleCloud.applicationDefault(client: client)
///   let runtime = try await JobRuntime(
///     jobs, store: .firestore(google), queue: .cloudTasks(tasks, in: google), authentication: …)
///   try await JobServer(runtime).runUntilSignal()
/// }
/// ```
public struct GoogleCloud: Sendable {
  /// The id of the project that this process works in.
  public var project: String
  /// How Firestore is reached.
  public var firestore: GoogleAccess
  /// How Cloud Tasks is reached.
  public var cloudTasks: GoogleAccess
  /// How Cloud Scheduler is reached.
  public var cloudScheduler: GoogleAccess
  /// What sends the requests.
  public var client: any HTTPExchange
  /// What measures the delays between tries, and how far ahead a task is.
  public var clock: any JobClock
  /// What spreads those delays.
  public var random: RandomSource

  /// Google's own services, all with the same credentials.
  ///
  /// - Parameters:
  ///   - project: the project's id.
  ///   - credentials: what authenticates the calls.
  ///   - client: what sends the requests.
  ///   - clock: what measures the delays between tries.
  ///   - random: what spreads them.
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

  /// One emulator of all three services.
  ///
  /// - Parameters:
  ///   - address: its host and port, such as `127.0.0.1:8085`.
  ///   - project: the project's id, of one's own choice.
  ///   - client: what sends the requests.
  ///   - clock: what measures the delays between tries.
  ///   - random: what spreads them.
  /// - Throws: ``JobError`` `invalidCredentials` where the address is no host and port.
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
#endif
