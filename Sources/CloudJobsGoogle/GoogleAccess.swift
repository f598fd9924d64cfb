#if HTTP
public import CloudJobsCore

/// Where a service of Google is and how its calls are authenticated: the real one, or an emulator.
public struct GoogleAccess: Sendable {
  /// The address that paths are appended to, without a slash at its end.
  public var endpoint: String
  /// What authenticates the calls.
  public var credentials: any AccessTokenProvider
  /// Whether an emulator stands for the service.
  public var isEmulator: Bool

  /// An access of one's own making.
  public init(endpoint: String, credentials: any AccessTokenProvider, isEmulator: Bool = false) {
    self.endpoint = endpoint
    self.credentials = credentials
    self.isEmulator = isEmulator
  }

  /// The emulator that an environment names for a service; nil where it names none.
  ///
  /// - Parameters:
  ///   - service: the service.
  ///   - environment: where its variable is looked up, such as `FIRESTORE_EMULATOR_HOST=127.0.0.1:8085`.
  /// - Returns: the access to it.
  /// - Throws: ``JobError`` `invalidCredentials` where the variable's value is no `host:port`.
  public static func emulator(
    of service: GoogleService, in environment: CredentialEnvironment
  ) throws(JobError) -> GoogleAccess? {
    guard let value = environment.value(service.emulatorVariable) else { return nil }
    return try emulator(of: service, at: value, named: service.emulatorVariable)
  }

  /// An emulator of a service at an address.
  ///
  /// - Parameters:
  ///   - service: the service.
  ///   - address: host and port, such as `127.0.0.1:8085`.
  ///   - name: what gave the address, for the message of an error.
  /// - Returns: the access to it.
  /// - Throws: ``JobError`` `invalidCredentials` where the address is none.
  static func emulator(
    of service: GoogleService, at address: String, named name: String
  ) throws(JobError) -> GoogleAccess {
    guard let authority = HostAndPort(address) else {
      throw JobError(
        .invalidCredentials, "\(name) is no host and port: set it to something like 127.0.0.1:8085, or unset it.",
        field: name)
    }
    let headers: FixedHeaders = service.emulatorHeaders == .owner ? .emulatorOwner : .none
    return GoogleAccess(endpoint: "http://\(authority.text)", credentials: headers, isEmulator: true)
  }
}
#endif
