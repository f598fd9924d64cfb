/// The HTTP request that a task or a scheduler job makes.
package struct HTTPTarget: Hashable, Sendable, Codable {
  /// The `http://` or `https://` URL.
  package var url: String
  /// The method; POST by default.
  package var method: HTTPTarget.Method
  /// The headers set by the caller, sorted by name.
  package var headers: [HeaderField]
  /// The body; empty if there is none.
  @Base64Bytes package var body: [UInt8]
  /// The token to attach, if any.
  package var authorization: TargetAuthorization?

  /// The agent of Cloud Tasks.
  static let tasksAgent = "Google-Cloud-Tasks"
  /// The agent of Cloud Scheduler.
  static let schedulerAgent = "Google-Cloud-Scheduler"

  /// Creates a request to a URL.
  package init(
    url: String, method: HTTPTarget.Method = .post, headers: [HeaderField] = [], body: [UInt8] = [],
    authorization: TargetAuthorization? = nil
  ) {
    self.url = url
    self.method = method
    self.headers = headers.sorted { ($0.name, $0.value) < ($1.name, $1.value) }
    self.body = body
    self.authorization = authorization
  }

  /// Returns the request as the services store it: valid, with its URL encoded and the service's agent.
  ///
  /// - Parameters:
  ///   - field: the name of the URL's field in messages, such as `HttpRequest.url`.
  ///   - agent: the agent of the service's requests, which replaces the caller's.
  ///   - addsPath: whether an empty path of the URL becomes `/`.
  /// - Returns: the stored request.
  /// - Throws: ``ServiceFault`` `invalidArgument`.
  func stored(field: String, agent: String, addsPath: Bool = false) throws(ServiceFault) -> HTTPTarget {
    var stored = self
    stored.url = try TargetURL.encoded(url, field: field, addsPath: addsPath)
    let message = String(field.prefix { $0 != "." })
    guard body.isEmpty || method.allowsBody else {
      throw .invalidArgument("\(message).body is not allowed with the method \(method.name).")
    }
    try headers.validate(message)
    stored.headers.set("User-Agent", agent)
    stored.headers.sort { ($0.name, $0.value) < ($1.name, $1.value) }
    return stored
  }
}

extension HTTPTarget {
  /// The methods of HTTP targets, numbered as in `google.cloud.tasks.v2.HttpMethod`.
  ///
  /// A type of its own rather than `HTTPRequest.Method` of swift-http-types: the API accepts only these seven methods,
  /// and snapshots store their numbers.
  package enum Method: Int, Hashable, Sendable, Codable, CaseIterable {
    /// POST, the default.
    case post = 1
    /// GET.
    case get = 2
    /// HEAD.
    case head = 3
    /// PUT.
    case put = 4
    /// DELETE.
    case delete = 5
    /// PATCH.
    case patch = 6
    /// OPTIONS.
    case options = 7

    /// The name on the wire.
    package var name: String {
      switch self {
      case .post: "POST"
      case .get: "GET"
      case .head: "HEAD"
      case .put: "PUT"
      case .delete: "DELETE"
      case .patch: "PATCH"
      case .options: "OPTIONS"
      }
    }

    /// Whether a request with this method may have a body.
    package var allowsBody: Bool {
      switch self {
      case .post, .put, .patch: true
      case .get, .head, .delete, .options: false
      }
    }
  }
}

/// The token that the service attaches for a target.
package enum TargetAuthorization: Hashable, Sendable, Codable {
  /// An OpenID Connect token; the audience defaults to the target's URL.
  case oidc(serviceAccountEmail: String, audience: String?)
  /// An OAuth token; the scope defaults to `https://www.googleapis.com/auth/cloud-platform`.
  case oauth(serviceAccountEmail: String, scope: String?)

  /// Returns the authorization with the defaults for a target filled in.
  package func resolved(for url: String) -> TargetAuthorization {
    switch self {
    case .oidc(let email, let audience): .oidc(serviceAccountEmail: email, audience: audience ?? url)
    case .oauth(let email, let scope):
      .oauth(serviceAccountEmail: email, scope: scope ?? "https://www.googleapis.com/auth/cloud-platform")
    }
  }
}
