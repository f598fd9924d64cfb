extension CloudTasks {
  /// What a queue says about the HTTP requests of all its tasks.
  ///
  /// Source: <https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues#HttpTarget>.
  public struct QueueTarget: Hashable, Sendable, Codable {
    /// The parts of the URL.
    public var uri: URIOverride?
    /// The method, in place of the tasks' own.
    public var method: HTTPMethod?
    /// Headers, in place of the tasks' own of the same names.
    public var headers: [HeaderField]
    /// The token, in place of the tasks' own.
    public var authorization: TargetAuthorization?

    /// Overrides of what is named.
    public init(
      uri: URIOverride? = nil, method: HTTPMethod? = nil, headers: [HeaderField] = [],
      authorization: TargetAuthorization? = nil
    ) {
      self.uri = uri
      self.method = method
      self.headers = headers
      self.authorization = authorization
    }

    /// The request that a task of the queue makes.
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
}
