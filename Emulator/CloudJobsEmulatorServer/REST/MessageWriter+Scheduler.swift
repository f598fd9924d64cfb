import CloudJobsCore
import CloudJobsEmulator

extension MessageWriter {
  /// A job of Cloud Scheduler.
  mutating func write(_ job: CloudScheduler.Job) {
    set("name", job.name.text)
    set("description", job.description)
    switch job.target {
    case .http(let target): set("httpTarget", nested { $0.write(target, urlName: "uri") })
    case .pubsub(let target): set("pubsubTarget", nested { $0.write(target) })
    case .appEngine(let target): set("appEngineHttpTarget", nested { $0.write(target) })
    }
    set("schedule", job.schedule)
    set("timeZone", job.timeZone)
    set("state", choice: job.state.name, number: job.state.rawValue)
    set("status", status: job.status)
    set("userUpdateTime", job.userUpdateTime)
    set("scheduleTime", job.scheduleTime)
    set("lastAttemptTime", job.lastAttemptTime)
    set("attemptDeadline", job.attemptDeadline)
    let retry = nested {
      $0.set("retryCount", job.retryConfig.retryCount)
      $0.set("maxRetryDuration", job.retryConfig.maxRetryDuration)
      $0.set("minBackoffDuration", job.retryConfig.backoff.minimum)
      $0.set("maxBackoffDuration", job.retryConfig.backoff.maximum)
      $0.set("maxDoublings", job.retryConfig.backoff.doublings)
    }
    set("retryConfig", retry)
  }

  private mutating func write(_ target: CloudScheduler.PubsubTarget) {
    set("topicName", target.topicName)
    set("data", bytes: target.data)
    if !target.attributes.isEmpty { set("attributes", .object(target.attributes.mapValues { .string($0) })) }
  }

  /// A request to App Engine.
  mutating func write(_ target: CloudScheduler.AppEngineTarget) {
    set("relativeUri", target.relativeURI)
    set("httpMethod", choice: target.method.name, number: target.method.rawValue)
    set("headers", headers: target.headers)
    set("body", bytes: target.body)
    if !target.routing.isEmpty { set("appEngineRouting", .object(target.routing.mapValues { .string($0) })) }
  }
}
