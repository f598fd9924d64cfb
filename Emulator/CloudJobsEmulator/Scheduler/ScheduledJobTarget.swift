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

    /// The time limit of an attempt where none is given: for App Engine that of standard applications.
    var defaultDeadline: Duration {
      switch self {
      case .http, .pubsub: .minutes(3)
      case .appEngine: .minutes(10)
      }
    }

    /// The longest time limit of an attempt; nil if the job's has no effect.
    var longestDeadline: Duration? {
      switch self {
      case .http: .minutes(30)
      case .appEngine: .hours(24) + .seconds(15)
      case .pubsub: nil
      }
    }

    /// Returns the target as a job of a location stores it, with the headers that the service will send.
    ///
    /// - Throws: ``ServiceFault`` `invalidArgument` if it is invalid.
    func stored(in location: LocationName) throws(ServiceFault) -> Target {
      switch self {
      case .http(let target):
        var stored = try target.stored(field: "HttpTarget.uri", agent: HTTPTarget.schedulerAgent, addsPath: true)
        if !stored.body.isEmpty, stored.headers["Content-Type"] == nil {
          stored.headers.insert(HeaderField("Content-Type", "application/octet-stream"), at: 0)
        }
        return .http(stored)
      case .pubsub(let target):
        try target.validate()
        return self
      case .appEngine(let target):
        guard target.method != .patch, target.method != .options else {
          throw .invalidArgument("AppEngineHttpTarget.httpMethod \(target.method.name) is not permitted.")
        }
        try target.validate("AppEngineHttpTarget")
        return .appEngine(target.stored(in: location))
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
    func headers(_ stored: [HeaderField]) -> [HeaderField] {
      [
        HeaderField("User-Agent", stored["User-Agent"] ?? ""), HeaderField("X-CloudScheduler", "true"),
        HeaderField("X-CloudScheduler-JobName", job.name.id),
        HeaderField("X-CloudScheduler-ScheduleTime", "\(scheduledFor)"),
      ] + stored.withoutReserved(prefixes: ["x-cloudscheduler"])
    }
    switch job.target {
    case .http(let target):
      return .success(
        ScheduledRequest(
          url: target.url, method: target.method, headers: headers(target.headers), body: target.body,
          authorization: target.authorization?.resolved(for: target.url)))
    case .appEngine(let target):
      guard let origin = options.appEngineOrigin else {
        return .failure(
          ServiceFault(.failedPrecondition, "App Engine is not emulated; set the option appEngineOrigin"))
      }
      return .success(
        ScheduledRequest(
          url: origin + target.relativeURI, method: target.method, headers: headers(target.headers),
          body: target.body))
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
}
