#if Google
public import CloudJobs
public import CloudJobsCore
public import CloudJobsHTTP

extension GoogleCloud {
  /// Google Cloud as an environment gives it: each service's emulator where one is named, else Google's own with
  /// Application Default Credentials.
  ///
  /// Credentials are looked for only where a service has no emulator, and are shared by the services. The variables are
  /// `FIRESTORE_EMULATOR_HOST`, `CLOUD_TASKS_EMULATOR_HOST`, `CLOUD_SCHEDULER_EMULATOR_HOST`; the project is that of
  /// `GOOGLE_CLOUD_PROJECT` or `GCLOUD_PROJECT`, else the credentials'.
  ///
  /// - Parameters:
  ///   - project: the project's id; nil for the environment's.
  ///   - environment: the variables and files to look in.
  ///   - client: what sends the requests.
  ///   - clock: the time.
  ///   - random: draws the pauses before repeated requests.
  /// - Returns: the project and the accesses.
  /// - Throws: ``JobError`` `invalidCredentials` where a variable or a file can't be used, `credentialsUnavailable`
  ///   where no credentials are found or the project's id is not known.
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
      throw JobError(.credentialsUnavailable, "The project's id is not known: set GOOGLE_CLOUD_PROJECT to it.")
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
