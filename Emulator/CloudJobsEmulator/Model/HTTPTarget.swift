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

  /// Maximum length of a URL, in characters.
  package static let maximumURLLength = 2_083
  /// Maximum size of all headers together, in bytes.
  package static let maximumHeaderBytes = 80 * 1_024

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

  /// Validates the request.
  ///
  /// - Parameter field: the name of the URL's field in messages, such as `HttpRequest.url`.
  /// - Throws: ``ServiceFault`` `invalidArgument`.
  func validate(field: String) throws(ServiceFault) {
    guard !url.isEmpty else { throw .invalidArgument("\(field) is required.") }
    let scheme = url.prefix(8).lowercased()
    guard scheme.hasPrefix("http://") || scheme.hasPrefix("https://") else {
      throw .invalidArgument("HttpTarget.url must start with 'http://' or 'https://'.")
    }
    guard url.utf8.count <= Self.maximumURLLength else {
      throw .invalidArgument("\(field) must be at most \(Self.maximumURLLength) characters.")
    }
    guard body.isEmpty || method.allowsBody else {
      throw .invalidArgument("HttpTarget.body is not allowed with the method \(method.name).")
    }
    let size = headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
    guard size < Self.maximumHeaderBytes else {
      throw .invalidArgument("HttpTarget.headers must be less than 80KB.")
    }
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

/// A header of an HTTP message, stored exactly as the client sent it.
///
/// A type of its own rather than `HTTPField` of swift-http-types: the API accepts and returns names and values that
/// `HTTPField` rejects or normalizes, such as a name with a space; delivering such a task then fails. Snapshots store
/// name and value as JSON members.
package struct HeaderField: Hashable, Sendable, Codable {
  /// The name, with its original case.
  package var name: String
  /// The value.
  package var value: String

  /// Creates a header.
  package init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

extension [HeaderField] {
  /// The value of the first header with a name, compared without case.
  package subscript(name: String) -> String? {
    first { $0.name.lowercased() == name.lowercased() }?.value
  }

  /// Returns the headers without those that the service sets itself or reserves.
  ///
  /// Source: `HttpRequest.headers` (<https://cloud.google.com/tasks/docs/reference/rest/v2/HttpRequest>).
  func withoutReserved(prefixes: [String]) -> [HeaderField] {
    filter { field in
      let name = field.name.lowercased()
      return !["host", "content-length", "user-agent"].contains(name)
        && !(["x-google-", "x-appengine-"] + prefixes).contains { name.hasPrefix($0) }
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
