extension CloudScheduler {
  /// A request to an App Engine application.
  ///
  /// Source: <https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs#AppEngineHttpTarget>.
  public struct AppEngineTarget: Hashable, Sendable, Codable {
    /// The path and query, beginning with `/`.
    public var relativeURI: String
    /// How.
    public var method: HTTPMethod
    /// The caller's headers.
    public var headers: [HeaderField]
    /// The body; empty where there is none.
    @Base64Bytes public var body: [UInt8]
    /// The routing, as it came: service, version, instance, host.
    public var routing: [String: String]

    /// A request to a path.
    public init(
      relativeURI: String = "/", method: HTTPMethod = .post, headers: [HeaderField] = [], body: [UInt8] = [],
      routing: [String: String] = [:]
    ) {
      self.relativeURI = relativeURI.isEmpty ? "/" : relativeURI
      self.method = method
      self.headers = headers.sorted { ($0.name, $0.value) < ($1.name, $1.value) }
      self.body = body
      self.routing = routing
    }

    func validate() throws(ServiceFault) {
      guard relativeURI.hasPrefix("/"), relativeURI.utf8.count <= HTTPTarget.maximumURLLength else {
        throw .invalidArgument("AppEngineHttpTarget.relativeUri must begin with \"/\" and be a valid relative URI.")
      }
    }
  }
}
