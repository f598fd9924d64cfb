#if Google
public import CloudJobs
public import CloudJobsCore
public import CloudJobsHTTP
public import HTTPTypes

/// Application Default Credentials: found as Google's own libraries find them, kept, and renewed in time.
///
/// Looked for in this order (<https://cloud.google.com/docs/authentication/application-default-credentials>):
///
/// 1. the file that `GOOGLE_APPLICATION_CREDENTIALS` names: a service account's key or an authorized user;
/// 2. what `gcloud auth application-default login` stores, in `$CLOUDSDK_CONFIG` or `~/.config/gcloud`;
/// 3. the metadata server of Google Cloud (`GCE_METADATA_HOST` or `metadata.google.internal`), unless
///    `NO_GCE_CHECK` is `true`.
///
/// A token is renewed five minutes before its end, by one caller at a time while the old one still serves. Values share
/// their token when copied.
public struct GoogleCredentials: AccessTokenProvider {
  /// What tells calls apart in the description and in logs.
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

  /// What the tokens come from.
  public let kind: Kind
  /// The project that calls are counted against, sent as `X-Goog-User-Project`; nil for the identity's own.
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
  /// No token is fetched yet. Only where no file is found a request is sent, to see whether a metadata server is there.
  ///
  /// - Parameters:
  ///   - scopes: what the tokens are to allow.
  ///   - environment: the variables and files to look in; `.process` for this process's own.
  ///   - client: what sends the requests.
  ///   - clock: the time.
  ///   - random: draws the pauses before repeated requests.
  /// - Returns: the credentials.
  /// - Throws: ``JobError`` `invalidCredentials` where a file or a variable can't be used, `credentialsUnavailable`
  ///   where nothing is found; the message names the file or the variable.
  public static func applicationDefault(
    scopes: [String] = [cloudPlatformScope], environment: CredentialEnvironment, client: any HTTPExchange,
    clock: any JobClock = .system, random: RandomSource = .system
  ) async throws(JobError) -> GoogleCredentials {
    let endpoint = TokenEndpoint(client: client, clock: clock, random: random)
    let found = try await CredentialSearch(environment: environment, endpoint: endpoint).run()
    return GoogleCredentials(found, scopes: scopes, environment: environment, endpoint: endpoint)
  }

  /// The fields `Authorization` and, where another project pays, `X-Goog-User-Project`.
  ///
  /// - Throws: ``JobError`` `credentialsUnavailable` where no token can be had; the message says from where.
  public func headers() async throws(JobError) -> HTTPFields {
    let token = try await tokens.token()
    var fields: HTTPFields = [.authorization: "Bearer \(token.value)"]
    if let quotaProject, let name = HTTPField.Name("X-Goog-User-Project") { fields[name] = quotaProject }
    return fields
  }

  /// The project that this program runs in.
  ///
  /// `GOOGLE_CLOUD_PROJECT` or `GCLOUD_PROJECT` where set, else the project of the service account's key, else what the
  /// metadata server says.
  ///
  /// - Throws: ``JobError`` `credentialsUnavailable` where none of these knows it.
  public func projectID() async throws(JobError) -> String {
    try await project.id()
  }
}

extension GoogleCredentials: CustomStringConvertible {
  /// What kind of credentials these are; nothing of a token.
  public var description: String { "Google credentials (\(kind.rawValue))" }
}
#endif
