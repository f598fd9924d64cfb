extension CloudTasks {
  /// A queue's overrides for the HTTP requests of its tasks.
  ///
  /// Source: <https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues#HttpTarget>.
  package struct QueueTarget: Hashable, Sendable, Codable {
    /// Overrides for parts of the URL.
    package var uri: URIOverride?
    /// The method, which replaces the tasks' own.
    package var method: HTTPTarget.Method?
    /// Headers, which replace the tasks' own of the same names.
    package var headers: [HeaderField]
    /// The token, which replaces the tasks' own.
    package var authorization: TargetAuthorization?

    /// Creates overrides for the given parts.
    package init(
      uri: URIOverride? = nil, method: HTTPTarget.Method? = nil, headers: [HeaderField] = [],
      authorization: TargetAuthorization? = nil
    ) {
      self.uri = uri
      self.method = method
      self.headers = headers
      self.authorization = authorization
    }

    /// Returns a task's request with the overrides applied.
    func applied(to request: HTTPTarget) -> HTTPTarget {
      var result = request
      if let uri { result.url = uri.applied(to: request.url) }
      if let method { result.method = method }
      if !result.method.allowsBody { result.body = [] }
      let names = Set(headers.map { $0.name.lowercased() })
      result.headers = request.headers.filter { !names.contains($0.name.lowercased()) } + headers
      if let authorization { result.authorization = authorization }
      return result
    }
  }

  /// A queue's overrides for parts of its tasks' URLs.
  ///
  /// Source: <https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues#UriOverride>.
  package struct URIOverride: Hashable, Sendable, Codable {
    /// The condition under which a queue's part replaces the task's.
    package enum Mode: Int, Hashable, Sendable, Codable {
      /// Only if the task has none.
      case ifNotExists = 1
      /// Always; the default.
      case always = 2
    }

    /// A URL's scheme.
    package enum Scheme: Int, Hashable, Sendable, Codable {
      /// Unencrypted HTTP.
      case http = 1
      /// HTTP over TLS.
      case https = 2
    }

    /// The scheme; nil keeps the task's.
    package var scheme: Scheme?
    /// The host; nil keeps the task's.
    package var host: String?
    /// The port; 0 removes it, nil keeps the task's.
    package var port: Int64?
    /// The path; empty removes it, nil keeps the task's.
    package var path: String?
    /// The query; empty removes it, nil keeps the task's.
    package var query: String?
    /// The condition under which the overrides apply; `always` by default.
    package var mode: Mode?

    /// Creates an override of the given parts.
    package init(
      scheme: Scheme? = nil, host: String? = nil, port: Int64? = nil, path: String? = nil, query: String? = nil,
      mode: Mode? = nil
    ) {
      self.scheme = scheme
      self.host = host
      self.port = port
      self.path = path
      self.query = query
      self.mode = mode
    }

    func validate() throws(ServiceFault) {
      if let host, !TargetURL.isHost(host) { throw .invalidArgument("UriOverride.host must be a host name.") }
      guard (path ?? "").utf8.count + (query ?? "").utf8.count <= TargetURL.maximumLength else {
        throw .invalidArgument(
          "UriOverride.pathOverride and queryOverride must be at most \(TargetURL.maximumLength) characters.")
      }
      if let port, !(0...65_535).contains(port) {
        throw .invalidArgument("UriOverride.port must be between 0 and 65535.")
      }
    }

    /// Returns a task's URL with the overrides applied.
    func applied(to url: String) -> String {
      let isAlways = mode != .ifNotExists
      let end = url.firstRange(of: "://")
      let ownScheme = end.map { String(url[..<$0.lowerBound]) } ?? ""
      let rest = end.map { url[$0.upperBound...] } ?? url[...]
      let authority = rest.prefix { !"/?#".contains($0) }
      let tail = rest.dropFirst(authority.count).prefix { $0 != "#" }
      let ownPath = tail.prefix { $0 != "?" }
      let ownQuery = tail.dropFirst(ownPath.count).dropFirst()
      let colon = authority.lastIndex { $0 == ":" || $0 == "]" }.flatMap { authority[$0] == ":" ? $0 : nil }
      let ownHost = colon.map { authority[..<$0] } ?? authority
      let ownPort = colon.map { authority[authority.index(after: $0)...] } ?? ""
      func choose(_ own: Substring, _ other: String?) -> String {
        guard let other, isAlways || own.isEmpty else { return String(own) }
        return other
      }
      // An unspecified scheme of a queue means HTTPS; a task's URL always has a scheme.
      let scheme = choose(ownScheme[...], scheme.map { $0 == .http ? "http" : "https" })
      let host = choose(ownHost, host)
      let port = choose(ownPort, port.map { $0 == 0 ? "" : "\($0)" })
      var path = choose(ownPath == "/" ? "" : ownPath, path)
      if path.isEmpty, ownPath == "/" { path = "/" }
      if !path.isEmpty, !path.hasPrefix("/") { path = "/" + path }
      let query = choose(ownQuery, query)
      return "\(scheme.isEmpty ? "https" : scheme)://\(host)" + (port.isEmpty ? "" : ":\(port)")
        + TargetURL.encodedTail(path + (query.isEmpty ? "" : "?\(query)"))
    }
  }
}
