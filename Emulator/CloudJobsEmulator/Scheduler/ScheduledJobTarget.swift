import CloudJobsCore

extension CloudScheduler {
  /// The target of a job.
  package enum Target: Hashable, Sendable, Codable {
    /// An HTTP request.
    case http(HTTPTarget)
    /// A message to publish.
    case pubsub(PubsubTarget)
    /// A request to an App Engine application.
    case appEngine(AppEngineTarget)

    func validate() throws(ServiceFault) {
      switch self {
      case .http(let target): try target.validate(field: "HttpTarget.uri")
      case .pubsub(let target): try target.validate()
      case .appEngine(let target): try target.validate()
      }
    }
  }

  /// A request to an App Engine application.
  ///
  /// Source: <https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs#AppEngineHttpTarget>.
  package struct AppEngineTarget: Hashable, Sendable, Codable {
    /// The path and query, starting with `/`.
    package var relativeURI: String
    /// The method.
    package var method: HTTPTarget.Method
    /// The headers set by the caller.
    package var headers: [HeaderField]
    /// The body; empty if there is none.
    @Base64Bytes package var body: [UInt8]
    /// The routing as sent by the client: service, version, instance, host.
    package var routing: [String: String]

    /// Creates a request to a path.
    package init(
      relativeURI: String = "/", method: HTTPTarget.Method = .post, headers: [HeaderField] = [], body: [UInt8] = [],
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

  /// A message to publish.
  ///
  /// Source: <https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs#PubsubTarget>.
  package struct PubsubTarget: Hashable, Sendable, Codable {
    /// The topic: `projects/P/topics/T`.
    package var topicName: String
    /// The message's data.
    @Base64Bytes package var data: [UInt8]
    /// The message's attributes.
    package var attributes: [String: String]

    /// Creates a message for a topic.
    package init(topicName: String, data: [UInt8] = [], attributes: [String: String] = [:]) {
      self.topicName = topicName
      self.data = data
      self.attributes = attributes
    }

    func validate() throws(ServiceFault) {
      let parts = topicName.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count == 4, parts[0] == "projects", parts[2] == "topics", !parts[1].isEmpty, !parts[3].isEmpty else {
        throw .invalidArgument("PubsubTarget.topicName must be formatted: \"projects/<PROJECT_ID>/topics/<TOPIC_ID>\".")
      }
      guard !data.isEmpty || !attributes.isEmpty else {
        throw .invalidArgument("PubsubTarget must contain either non-empty data, or at least one attribute.")
      }
    }
  }
}

/// The HTTP request of an attempt of a scheduler job.
struct ScheduledRequest: Sendable {
  var url: String
  var method: HTTPTarget.Method
  var headers: [HeaderField]
  var body: [UInt8]
  var authorization: TargetAuthorization?

  /// Returns the request of a job, or the reason why the emulator cannot make it.
  static func make(
    for job: CloudScheduler.Job, scheduledFor: Timestamp, number: UInt64, options: CloudScheduler.Options,
    at now: Timestamp
  ) -> Result<ScheduledRequest, ServiceFault> {
    let identity = [
      HeaderField("User-Agent", "Google-Cloud-Scheduler"), HeaderField("X-CloudScheduler", "true"),
      HeaderField("X-CloudScheduler-JobName", job.name.id),
      HeaderField("X-CloudScheduler-ScheduleTime", "\(scheduledFor)"),
    ]
    switch job.target {
    case .http(let target):
      return .success(
        ScheduledRequest(
          url: target.url, method: target.method, headers: identity + own(target.headers, body: target.body),
          body: target.body, authorization: target.authorization?.resolved(for: target.url)))
    case .appEngine(let target):
      guard let origin = options.appEngineOrigin else {
        return .failure(
          ServiceFault(.failedPrecondition, "App Engine is not emulated; set the option appEngineOrigin"))
      }
      return .success(
        ScheduledRequest(
          url: origin + target.relativeURI, method: target.method,
          headers: identity + own(target.headers, body: target.body), body: target.body))
    case .pubsub(let target):
      guard let endpoint = options.pushEndpoints[target.topicName] else {
        return .failure(
          ServiceFault(
            .failedPrecondition, "no push endpoint is configured for \(target.topicName); set the option pushEndpoints")
        )
      }
      return .success(push(target, to: endpoint, number: number, at: now))
    }
  }

  /// Returns the push request of Pub/Sub (<https://cloud.google.com/pubsub/docs/push#receive_push>).
  private static func push(
    _ target: CloudScheduler.PubsubTarget, to endpoint: String, number: UInt64, at now: Timestamp
  ) -> ScheduledRequest {
    let topic = target.topicName.split(separator: "/")
    let body: JSONValue = [
      "message": [
        "data": .string(Base64.encode(target.data)),
        "attributes": .object(target.attributes.mapValues { .string($0) }),
        "messageId": .string("\(number)"),
        "publishTime": .string("\(now)"),
      ],
      "subscription": .string("projects/\(topic[1])/subscriptions/\(topic[3])-push"),
    ]
    let headers = [HeaderField("User-Agent", "APIs-Google"), HeaderField("Content-Type", "application/json")]
    return ScheduledRequest(url: endpoint, method: .post, headers: headers, body: body.encoded)
  }

  private static func own(_ headers: [HeaderField], body: [UInt8]) -> [HeaderField] {
    let own = headers.withoutReserved(prefixes: ["x-cloudscheduler"])
    guard !body.isEmpty, own["Content-Type"] == nil else { return own }
    return own + [HeaderField("Content-Type", "application/octet-stream")]
  }
}
