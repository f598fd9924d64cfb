#if Google
public import CloudJobs
public import CloudJobsCore
public import CloudJobsHTTP

extension GoogleAccess {
  /// The access to a service that an environment gives: to its emulator where one is named, else to Google's own with
  /// Application Default Credentials.
  ///
  /// Values of ``GoogleCredentials`` may be shared by services; this call looks for them anew.
  ///
  /// - Parameters:
  ///   - service: the service.
  ///   - environment: the variables and files to look in; `.process` for this process's own.
  ///   - client: what sends the requests for tokens.
  ///   - clock: the time.
  ///   - random: draws the pauses before repeated requests.
  /// - Returns: the access.
  /// - Throws: ``JobError`` `invalidCredentials` or `credentialsUnavailable`.
  public static func applicationDefault(
    for service: GoogleService, environment: CredentialEnvironment, client: any HTTPExchange,
    clock: any JobClock = .system, random: RandomSource = .system
  ) async throws(JobError) -> GoogleAccess {
    if let emulator = try emulator(of: service, in: environment) { return emulator }
    let credentials = try await GoogleCredentials.applicationDefault(
      environment: environment, client: client, clock: clock, random: random)
    return GoogleAccess(endpoint: service.endpoint, credentials: credentials)
  }
}
#endif
