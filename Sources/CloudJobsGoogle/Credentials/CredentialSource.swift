#if Google
import CloudJobsCore
import CloudJobsHTTP
import HTTPTypes
import Synchronization

/// A source of access tokens and the request for one.
enum CredentialSource: Sendable {
  case serviceAccount(ServiceAccountKey, RS256, place: String)
  case authorizedUser(AuthorizedUser, place: String)
  case metadata(MetadataServer)

  /// Fetches a token.
  ///
  /// - Throws: ``JobError`` `credentialsUnavailable`.
  func token(scopes: [String], endpoint: TokenEndpoint) async throws(JobError) -> AccessToken {
    let sentAt = endpoint.clock.now()
    let request = try request(scopes: scopes, at: sentAt)
    let response = try await endpoint.answer(to: request, from: server, remedy: remedy)
    if case .metadata = self, !MetadataServer.isGenuine(response) {
      throw JobError(
        .credentialsUnavailable,
        "\(server) answered without Metadata-Flavor: Google: check GCE_METADATA_HOST, as this is another server.")
    }
    let answer = try? JSONValue(parsing: response.body, limits: JSONLimits(bytes: 65_536, depth: 8))
    guard let token = answer.flatMap({ AccessToken(answer: $0, sentAt: sentAt) }) else {
      throw JobError(
        .credentialsUnavailable,
        "\(server) answered without a usable access_token and expires_in: check that it is the right server.")
    }
    return token
  }

  /// Returns the request for a token.
  private func request(scopes: [String], at now: Timestamp) throws(JobError) -> HTTPExchangeRequest {
    switch self {
    case .serviceAccount(let key, let signer, let place):
      guard let assertion = signer.sign(header: Self.header(key), claims: Self.claims(key, scopes, at: now)) else {
        throw JobError(.invalidCredentials, "The private_key of \(place) can't sign: download the key again.")
      }
      return Self.post(
        key.tokenURL, ["grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion])
    case .authorizedUser(let user, _):
      return Self.post(
        user.tokenURL,
        [
          "grant_type": "refresh_token", "client_id": user.clientID, "client_secret": user.clientSecret,
          "refresh_token": user.refreshToken,
        ])
    case .metadata(let server): return server.tokenRequest(scopes: scopes)
    }
  }

  /// The header of the signed grant.
  static func header(_ key: ServiceAccountKey) -> JSONValue {
    var members: [String: JSONValue] = ["alg": "RS256", "typ": "JWT"]
    members["kid"] = key.keyID.map { .string($0) }
    return .object(members)
  }

  /// Returns the claims of the signed grant, valid for an hour (RFC 7523,
  /// <https://www.rfc-editor.org/rfc/rfc7523#section-3>).
  static func claims(_ key: ServiceAccountKey, _ scopes: [String], at now: Timestamp) -> JSONValue {
    [
      "iss": .string(key.email), "scope": .string(scopes.joined(separator: " ")), "aud": .string(key.tokenURL),
      "iat": .integer(now.seconds), "exp": .integer(now.seconds + 3_600),
    ]
  }

  private static func post(_ url: String, _ fields: KeyValuePairs<String, String>) -> HTTPExchangeRequest {
    HTTPExchangeRequest(
      method: .post, url: url,
      headers: [.contentType: "application/x-www-form-urlencoded", .accept: "application/json"],
      body: FormBody.encode(fields), timeout: .seconds(10), isIdempotent: true)
  }

  /// The server's name in errors.
  private var server: String {
    switch self {
    case .serviceAccount(_, _, let place): "The token endpoint of \(place)"
    case .authorizedUser(_, let place): "The token endpoint of \(place)"
    case .metadata(let server): "The metadata server \(server.host.text)"
    }
  }

  /// The remedy if the server rejects the request.
  private var remedy: String {
    switch self {
    case .serviceAccount: "check that the key has not been deleted, and that the machine's clock is right"
    case .authorizedUser: "log in again with gcloud auth application-default login"
    case .metadata: "attach a service account to the service or the machine"
    }
  }
}

/// Looks up the project id, and asks the metadata server until it has answered once.
final class ProjectLookup: Sendable {
  private let environment: CredentialEnvironment
  private let source: CredentialSource
  private let endpoint: TokenEndpoint
  private let flight = SingleFlight<String>()
  private let answer = Mutex<String?>(nil)

  /// Creates a look-up.
  init(environment: CredentialEnvironment, source: CredentialSource, endpoint: TokenEndpoint) {
    self.environment = environment
    self.source = source
    self.endpoint = endpoint
  }

  /// Returns the project id.
  ///
  /// - Throws: ``JobError`` `credentialsUnavailable`.
  func id() async throws(JobError) -> String {
    if let id = environment.projectID { return id }
    switch source {
    case .serviceAccount(let key, _, _):
      if let id = key.projectID { return id }
    case .authorizedUser: break
    case .metadata(let server):
      if let id = answer.withLock({ $0 }) { return id }
      return try await flight.run { () async throws(JobError) in
        if let id = answer.withLock({ $0 }) { return id }
        let id = try await ask(server)
        answer.withLock { $0 = id }
        return id
      }
    }
    throw JobError(.credentialsUnavailable, "The project id is unknown: set GOOGLE_CLOUD_PROJECT.")
  }

  private func ask(_ server: MetadataServer) async throws(JobError) -> String {
    let response = try await endpoint.answer(
      to: server.projectRequest, from: "The metadata server", remedy: "set GOOGLE_CLOUD_PROJECT")
    let text = String(decoding: response.body, as: UTF8.self)
    let isPlain =
      (1...64).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x2F }
    guard MetadataServer.isGenuine(response), isPlain else {
      throw JobError(
        .credentialsUnavailable,
        "The metadata server did not return a project id: set GOOGLE_CLOUD_PROJECT.")
    }
    return text
  }
}
#endif
