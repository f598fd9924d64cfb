#if Google
import CloudJobsCore
import CloudJobsHTTP
import HTTPTypes

/// Where tokens come from: what to ask, and whom.
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
        "\(server) answered without Metadata-Flavor: Google; it is some other server, and its token is not used.")
    }
    let answer = try? JSONValue(parsing: response.body, limits: JSONLimits(bytes: 65_536, depth: 8))
    guard let token = answer.flatMap({ AccessToken(answer: $0, sentAt: sentAt) }) else {
      throw JobError(
        .credentialsUnavailable,
        "\(server) answered without a usable access_token and expires_in: check that it is the right server.")
    }
    return token
  }

  /// The request for a token.
  private func request(scopes: [String], at now: Timestamp) throws(JobError) -> HTTPClientRequest {
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

  /// The header of a signed grant.
  static func header(_ key: ServiceAccountKey) -> JSONValue {
    var members: [String: JSONValue] = ["alg": "RS256", "typ": "JWT"]
    members["kid"] = key.keyID.map { .string($0) }
    return .object(members)
  }

  /// The claims of a signed grant (RFC 7523, <https://www.rfc-editor.org/rfc/rfc7523#section-3>), good for an hour.
  static func claims(_ key: ServiceAccountKey, _ scopes: [String], at now: Timestamp) -> JSONValue {
    [
      "iss": .string(key.email), "scope": .string(scopes.joined(separator: " ")), "aud": .string(key.tokenURL),
      "iat": .integer(now.seconds), "exp": .integer(now.seconds + 3_600),
    ]
  }

  private static func post(_ url: String, _ fields: KeyValuePairs<String, String>) -> HTTPClientRequest {
    HTTPClientRequest(
      method: .post, url: url,
      headers: [.contentType: "application/x-www-form-urlencoded", .accept: "application/json"],
      body: FormBody.encode(fields), timeout: .seconds(10), isIdempotent: true)
  }

  /// What to call the server in an error.
  private var server: String {
    switch self {
    case .serviceAccount(_, _, let place): "The token endpoint of \(place)"
    case .authorizedUser(_, let place): "The token endpoint of \(place)"
    case .metadata(let server): "The metadata server \(server.host.text)"
    }
  }

  /// What to do where the server refuses.
  private var remedy: String {
    switch self {
    case .serviceAccount: "check that the key has not been deleted, and that the machine's clock is right"
    case .authorizedUser: "log in again with gcloud auth application-default login"
    case .metadata: "attach a service account to the service or the machine"
    }
  }
}
#endif
