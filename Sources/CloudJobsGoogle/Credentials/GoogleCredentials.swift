#if Google
public import CloudJobs
public import CloudJobsCore
public import CloudJobsHTTP
public import HTTPTypes

/// Application Default Credentials, found as Google's own libraries find them, with a cached token.
///
/// They are searched for in this order
/// (<https://cloud.google.com/docs/authentication/application-default-credentials>):
///
/// 1. the file that `GOOGLE_APPLICATION_CREDENTIALS` names: a service account's key or an authorized user;
/// 2. the file that `gcloud auth application-default login` writes, in `$CLOUDSDK_CONFIG` or `~/.config/gcloud`;
/// 3. the metadata server of Google Cloud (`GCE_METADATA_HOST` or `metadata.google.internal`), unless `NO_GCE_CHECK` is
///    `true`.
///
/// A token is refreshed five minutes before it expires, by one caller at a time while the old one is still used. Copies
/// share their token.
public struct GoogleCredentials: AccessTokenProvider {
  /// The kind of credentials, for descriptions and logs.
  public enum Kind: String, Sendable, CaseIterable {
    /// A service account's key file.
    case serviceAccount
    /// A user who has logged in with gcloud.
    case authorizedUser
    /// The metadata server.
    case metadataServer
  }

  /// The scope of all Google Cloud services (<https://developers.google.com/identity/protocols/oauth2/scopes>).
  public static let cloudPlatformScope = "https://www.googleapis.com/auth/cloud-platform"

  /// The kind of credentials.
  public let kind: Kind
  /// The project that calls are billed to, sent as `X-Goog-User-Project`; nil for the identity's own.
  public let quotaProject: String?

  private let tokens: AccessTokenCache
  private let project: ProjectLookup

  init(_ found: CredentialSearch.Finding, scopes: [String], environment: CredentialEnvironment, endpoint: TokenEndpoint)
  {
    let source = found.source
    kind =
      switch source {
      case .serviceAccount: .serviceAccount
      case .authorizedUser: .authorizedUser
      case .metadata: .metadataServer
      }
    quotaProject = environment.value("GOOGLE_CLOUD_QUOTA_PROJECT") ?? found.quotaProject
    tokens = AccessTokenCache(clock: endpoint.clock) { () async throws(JobError) in
      try await source.token(scopes: scopes, endpoint: endpoint)
    }
    project = ProjectLookup(environment: environment, source: source, endpoint: endpoint)
  }

  /// Finds the credentials.
  ///
  /// No token is fetched yet. Only if no file is found, a request probes for a metadata server.
  ///
  /// - Parameters:
  ///   - scopes: the OAuth scopes of the tokens.
  ///   - environment: the variables and files to search; `.process` for this process's own.
  ///   - client: the HTTP client that sends the requests.
  ///   - clock: the clock for expiry and retry delays.
  ///   - random: the source of the retry delays' jitter.
  /// - Returns: the credentials.
  /// - Throws: ``/CloudJobsCore/JobError`` `invalidCredentials` if a file or variable is invalid,
  ///   `credentialsUnavailable` if none are found; the message names the file or variable.
  public static func applicationDefault(
    scopes: [String] = [cloudPlatformScope], environment: CredentialEnvironment, client: any HTTPExchange,
    clock: any JobClock = .system, random: RandomSource = .system
  ) async throws(JobError) -> GoogleCredentials {
    let endpoint = TokenEndpoint(client: client, clock: clock, random: random)
    let found = try await CredentialSearch(environment: environment, endpoint: endpoint).run()
    return GoogleCredentials(found, scopes: scopes, environment: environment, endpoint: endpoint)
  }

  /// Returns `Authorization` and, if another project is billed, `X-Goog-User-Project`.
  ///
  /// - Throws: ``/CloudJobsCore/JobError`` `credentialsUnavailable` if no token can be obtained; the message names the
  ///   source.
  public func headers() async throws(JobError) -> HTTPFields {
    let token = try await tokens.token()
    var fields: HTTPFields = [.authorization: "Bearer \(token.value)"]
    if let quotaProject, let name = HTTPField.Name("X-Goog-User-Project") { fields[name] = quotaProject }
    return fields
  }

  /// Returns the id of the project that this program runs in.
  ///
  /// The id is `GOOGLE_CLOUD_PROJECT` or `GCLOUD_PROJECT` if set, else the project of the service account's key, else
  /// the metadata server's answer.
  ///
  /// - Throws: ``/CloudJobsCore/JobError`` `credentialsUnavailable` if none of these yields an id.
  public func projectID() async throws(JobError) -> String {
    try await project.id()
  }
}

extension GoogleCredentials: CustomStringConvertible {
  /// The kind of credentials, without a token.
  public var description: String { "Google credentials (\(kind.rawValue))" }
}

/// The search for Application Default Credentials, in the documented order.
struct CredentialSearch {
  /// The credentials found.
  struct Finding: Sendable {
    var source: CredentialSource
    var quotaProject: String?
  }

  /// The variable that names a credential file.
  static let fileVariable = "GOOGLE_APPLICATION_CREDENTIALS"
  /// The number of probes for a metadata server.
  static let probes = 3

  let environment: CredentialEnvironment
  let endpoint: TokenEndpoint

  /// Searches for credentials.
  ///
  /// - Throws: ``JobError`` `invalidCredentials` or `credentialsUnavailable`.
  func run() async throws(JobError) -> Finding {
    if let path = environment.value(Self.fileVariable) {
      let place = "The file of \(Self.fileVariable) (\(path))"
      guard let bytes = try environment.readFile(path) else {
        throw JobError(.invalidCredentials, "\(place) does not exist: correct the variable, or unset it.")
      }
      return try await finding(bytes, place)
    }
    if let path = environment.wellKnownFile, let bytes = try environment.readFile(path) {
      return try await finding(bytes, "gcloud's file \(path)")
    }
    if environment.value("NO_GCE_CHECK")?.lowercased() != "true" {
      let server = try MetadataServer(environment)
      if await isThere(server) { return Finding(source: .metadata(server)) }
    }
    throw JobError(
      .credentialsUnavailable,
      "No Google credentials: \(Self.fileVariable) is not set, \(environment.wellKnownFile ?? "gcloud's file") does "
        + "not exist, and no metadata server answers. Log in with gcloud auth application-default login, set the "
        + "variable to a key file, or run on Google Cloud.")
  }

  private func finding(_ bytes: [UInt8], _ place: String) async throws(JobError) -> Finding {
    let file = try CredentialFile(parsing: bytes, from: place)
    switch file.identity {
    case .serviceAccount(let key):
      guard let signer = await RS256(privateKey: key.privateKey) else {
        throw CredentialFile.fault(
          place, "has a private_key that is not an RSA key of 2048 bits; download the key again")
      }
      return Finding(source: .serviceAccount(key, signer, place: place), quotaProject: file.quotaProject)
    case .authorizedUser(let user):
      return Finding(source: .authorizedUser(user, place: place), quotaProject: file.quotaProject)
    }
  }

  /// Returns whether a metadata server answers and identifies itself as one.
  private func isThere(_ server: MetadataServer) async -> Bool {
    for _ in 1...Self.probes {
      do throws(HTTPExchangeError) {
        return MetadataServer.isGenuine(try await endpoint.client.send(server.probe))
      } catch {
        // A name that does not resolve proves that this is not Google Cloud; a slow answer proves nothing.
        if error.code != .timedOut { return false }
      }
    }
    return false
  }
}
#endif
