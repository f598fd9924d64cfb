import CloudJobsCore

/// The HTTP request that an attempt of a scheduler's job makes.
struct ScheduledRequest: Sendable {
  var url: String
  var method: HTTPMethod
  var headers: [HeaderField]
  var body: [UInt8]
  var authorization: TargetAuthorization?

  /// The request of a job, or the reason why the emulator can't make it.
  static func make(
    for job: CloudScheduler.Job, slot: Timestamp, number: UInt64, options: CloudScheduler.Options, at now: Timestamp
  ) -> Result<ScheduledRequest, ServiceFault> {
    let identity = [
      HeaderField("User-Agent", "Google-Cloud-Scheduler"), HeaderField("X-CloudScheduler", "true"),
      HeaderField("X-CloudScheduler-JobName", job.name.id),
      HeaderField("X-CloudScheduler-ScheduleTime", "\(slot)"),
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
          ServiceFault(.failedPrecondition, "no App Engine is emulated; set the option appEngineOrigin"))
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

  /// The push request that Pub/Sub would make (<https://cloud.google.com/pubsub/docs/push#receive_push>).
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
