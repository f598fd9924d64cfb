import CloudJobsCore
import CloudJobsEmulator

// The messages of google.cloud.scheduler.v1, and the types of the service that they stand for.

extension CloudScheduler.JobDraft {
  /// A job as clients send it.
  init(_ message: Message) throws(ServiceFault) {
    self.init(
      name: message.string("name"), description: message.string("description"),
      target: try CloudScheduler.Target(message), schedule: message.string("schedule"),
      timeZone: message.string("time_zone"), attemptDeadline: message.duration("attempt_deadline"))
    guard let retry = message.message("retry_config") else { return }
    retryConfig = CloudScheduler.RetryConfig(
      retryCount: retry.int("retry_count"), maxRetryDuration: retry.duration("max_retry_duration"),
      minBackoff: retry.duration("min_backoff_duration"), maxBackoff: retry.duration("max_backoff_duration"),
      maxDoublings: retry.int("max_doublings"))
  }
}

extension CloudScheduler.Target {
  /// The target of a job; nil for none.
  fileprivate init?(_ message: Message) throws(ServiceFault) {
    if let target = message.message("http_target") {
      self = .http(try HTTPTarget(target, urlName: "uri"))
    } else if let target = message.message("pubsub_target") {
      self = .pubsub(
        CloudScheduler.PubsubTarget(
          topicName: target.string("topic_name"), data: target.bytes("data"),
          attributes: target.strings("attributes")))
    } else if let target = message.message("app_engine_http_target") {
      self = .appEngine(try AppEngineTarget(target))
    } else {
      return nil
    }
  }
}

extension Message {
  /// Fills a job.
  mutating func fill(_ job: CloudScheduler.Job) {
    set("name", job.name.text)
    set("description", job.description)
    switch job.target {
    case .http(let target): set("http_target") { $0.fill(target, urlName: "uri") }
    case .pubsub(let target):
      set("pubsub_target") {
        $0.set("topic_name", target.topicName)
        $0.set("data", target.data)
        $0.set("attributes", target.attributes)
      }
    case .appEngine(let target): set("app_engine_http_target") { $0.fill(target) }
    }
    set("schedule", job.schedule)
    set("time_zone", job.timeZone)
    set("state", job.state)
    set("status", status: job.status)
    set("user_update_time", job.userUpdateTime)
    set("schedule_time", job.scheduleTime)
    set("last_attempt_time", job.lastAttemptTime)
    set("attempt_deadline", job.attemptDeadline)
    guard let retry = job.retryConfig else { return }
    set("retry_config") {
      $0.set("retry_count", retry.retryCount)
      $0.set("max_retry_duration", retry.maxRetryDuration)
      $0.set("min_backoff_duration", retry.backoff.minimum)
      $0.set("max_backoff_duration", retry.backoff.maximum)
      $0.set("max_doublings", retry.backoff.doublings)
    }
  }
}
