/// The request to an App Engine application that a task or a scheduler job makes.
///
/// Source: <https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks#AppEngineHttpRequest>
/// and <https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs#AppEngineHttpTarget>.
package struct AppEngineTarget: Hashable, Sendable, Codable {
  /// The path and query, starting with `/`.
  package var relativeURI: String
  /// The method.
  package var method: HTTPTarget.Method
  /// The headers: the caller's own, and in a stored target those of the service too.
  package var headers: [HeaderField]
  /// The body; empty if there is none.
  @Base64Bytes package var body: [UInt8]
  /// The part of the application that gets the request.
  package var routing: AppEngineRouting

  /// The agent of the requests, which is appended to the caller's own.
  static let agent = "AppEngine-Google; (+http://code.google.com/appengine)"

  /// Creates a request to a path.
  package init(
    relativeURI: String = "/", method: HTTPTarget.Method = .post, headers: [HeaderField] = [], body: [UInt8] = [],
    routing: AppEngineRouting = .init()
  ) {
    self.relativeURI = relativeURI.isEmpty ? "/" : relativeURI
    self.method = method
    self.headers = headers.sorted { ($0.name, $0.value) < ($1.name, $1.value) }
    self.body = body
    self.routing = routing
  }

  /// Validates the request.
  ///
  /// - Parameter name: the name of the message in texts, such as `AppEngineHttpRequest`.
  /// - Throws: ``ServiceFault`` `invalidArgument`.
  func validate(_ name: String) throws(ServiceFault) {
    guard relativeURI.utf8.count <= TargetURL.maximumLength else {
      throw .invalidArgument("\(name).relativeUri must be at most \(TargetURL.maximumLength) characters.")
    }
    guard TargetURL.isRelative(relativeURI) else {
      throw .invalidArgument("\(name).relativeUri must begin with \"/\" and be a valid relative URI.")
    }
    guard body.isEmpty || method == .post || method == .put else {
      throw .invalidArgument("\(name).body is not allowed with the method \(method.name).")
    }
    try headers.validate(name)
  }

  /// Returns the request as the services store it: with the headers that they will send, and a host.
  func stored(in location: LocationName) -> AppEngineTarget {
    var stored = self
    let own = headers["User-Agent"] ?? ""
    let agent = own.isEmpty ? Self.agent : own.hasSuffix(Self.agent) ? own : "\(own) \(Self.agent)"
    stored.headers.set("User-Agent", agent)
    stored.headers.removeAll { $0.name.lowercased() == "content-length" }
    if !body.isEmpty {
      stored.headers.set("Content-Length", "\(body.count)")
      if headers["Content-Type"] == nil { stored.headers.set("Content-Type", "application/octet-stream") }
    }
    stored.headers.sort { ($0.name, $0.value) < ($1.name, $1.value) }
    stored.routing.fillHost(in: location)
    return stored
  }
}

/// The part of an App Engine application that a request is for.
///
/// Source: <https://cloud.google.com/tasks/docs/reference/rest/v2/AppEngineRouting>.
package struct AppEngineRouting: Hashable, Sendable, Codable {
  /// The service; empty for the default one.
  package var service: String
  /// The version; empty for the default one.
  package var version: String
  /// The instance; empty for any.
  package var instance: String
  /// The host name that stands for them, which the service makes.
  package var host: String

  /// Creates a routing; by default to the default version of the default service.
  package init(service: String = "", version: String = "", instance: String = "", host: String = "") {
    self.service = service
    self.version = version
    self.instance = instance
    self.host = host
  }

  /// Makes the host: instance, version and service before the application's domain, joined by dots.
  ///
  /// The domain of an application names its region, as was recorded for `us-central1`.
  /// Source: <https://cloud.google.com/appengine/docs/standard/how-requests-are-routed#region-id>.
  mutating func fillHost(in location: LocationName) {
    let parts = [instance, version, service].filter { !$0.isEmpty }
    let region = Self.regionIDs[location.id].map { ".\($0).r" } ?? ""
    host = (parts + ["\(location.project)\(region).appspot.com"]).joined(separator: ".")
  }

  /// The short IDs of regions in the domains of applications.
  private static let regionIDs: [Substring: String] = [
    "us-central1": "uc", "us-east1": "ue", "us-east4": "uk", "us-west1": "uw", "us-west2": "wl", "us-west3": "wm",
    "us-west4": "wn", "europe-west1": "ew", "europe-west2": "nw", "europe-west3": "ey", "asia-northeast1": "an",
    "asia-south1": "el", "australia-southeast1": "ts", "northamerica-northeast1": "nn", "southamerica-east1": "rj",
  ]
}
