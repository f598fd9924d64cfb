extension CloudTasks {
  /// What a queue puts in the place of the parts of its tasks' URLs.
  ///
  /// Source: <https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues#UriOverride>.
  public struct URIOverride: Hashable, Sendable, Codable {
    /// When a queue's part goes before the task's.
    public enum Mode: Int, Hashable, Sendable, Codable, CaseIterable {
      /// Where the task has none.
      case ifNotExists = 1
      /// Always; the default.
      case always = 2

      /// The name on the wire.
      public var name: String { self == .always ? "ALWAYS" : "IF_NOT_EXISTS" }
    }

    /// A URL's scheme.
    public enum Scheme: Int, Hashable, Sendable, Codable, CaseIterable {
      /// Without encryption.
      case http = 1
      /// With encryption.
      case https = 2

      /// The name on the wire.
      public var name: String { self == .http ? "HTTP" : "HTTPS" }
    }

    /// The scheme, or nil where the task's stays.
    public var scheme: Scheme?
    /// The host, or nil where the task's stays.
    public var host: String?
    /// The port; 0 for none, nil where the task's stays.
    public var port: Int64?
    /// The path; empty for none, nil where the task's stays.
    public var path: String?
    /// The query; empty for none, nil where the task's stays.
    public var query: String?
    /// When these go before the task's.
    public var mode: Mode?

    /// An override of what is named.
    public init(
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
      if let host, host.isEmpty || host.contains(where: { "/?#@ ".contains($0) }) {
        throw .invalidArgument("UriOverride.host must be a host name.")
      }
      if let port, !(0...65_535).contains(port) {
        throw .invalidArgument("UriOverride.port must be between 0 and 65535.")
      }
    }

    /// A task's URL with the queue's parts.
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
      // A queue's scheme without a name is HTTPS; a task's URL always has one.
      let scheme = choose(ownScheme[...], scheme.map { $0 == .http ? "http" : "https" })
      let host = choose(ownHost, host)
      let port = choose(ownPort, port.map { $0 == 0 ? "" : "\($0)" })
      var path = choose(ownPath == "/" ? "" : ownPath, path)
      if path.isEmpty, ownPath == "/" { path = "/" }
      if !path.isEmpty, !path.hasPrefix("/") { path = "/" + path }
      let query = choose(ownQuery, query)
      return "\(scheme.isEmpty ? "https" : scheme)://\(host)" + (port.isEmpty ? "" : ":\(port)") + path
        + (query.isEmpty ? "" : "?\(query)")
    }
  }
}
