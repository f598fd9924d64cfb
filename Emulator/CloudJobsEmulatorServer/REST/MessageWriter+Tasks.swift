import CloudJobsCore
import CloudJobsEmulator

extension MessageWriter {
  /// A queue of Cloud Tasks.
  mutating func write(_ queue: CloudTasks.Queue) {
    set("name", queue.name.text)
    set("state", choice: queue.state.name, number: queue.state.rawValue)
    set("purgeTime", queue.purgeTime)
    let limits = nested {
      $0.set("maxDispatchesPerSecond", rate: queue.rateLimits.maxDispatchesPerSecond)
      $0.set("maxBurstSize", queue.rateLimits.maxBurstSize)
      $0.set("maxConcurrentDispatches", queue.rateLimits.maxConcurrentDispatches)
    }
    set("rateLimits", limits)
    set("retryConfig", nested { $0.write(queue.retryConfig) })
    if let target = queue.target { set("httpTarget", nested { $0.write(target) }) }
    if let routing = queue.appEngineRouting {
      set("appEngineRoutingOverride", .object(routing.mapValues { .string($0) }))
    }
    if let ratio = queue.loggingRatio { set("stackdriverLoggingConfig", ["samplingRatio": .double(ratio)]) }
  }

  /// Retry rules of Cloud Tasks.
  mutating func write(_ retry: CloudTasks.RetryConfig) {
    set("maxAttempts", retry.maxAttempts)
    if retry.maxRetryDuration != .zero { set("maxRetryDuration", retry.maxRetryDuration) }
    set("minBackoff", retry.backoff.minimum)
    set("maxBackoff", retry.backoff.maximum)
    set("maxDoublings", retry.backoff.doublings)
  }

  /// A task of Cloud Tasks.
  mutating func write(_ task: CloudTasks.Task, view: CloudTasks.View) {
    set("name", task.name.description)
    if let target = task.appEngine {
      set("appEngineHttpRequest", nested { $0.write(target) })
    } else {
      set("httpRequest", nested { $0.write(task.httpRequest, urlName: "url") })
    }
    set("scheduleTime", task.scheduleTime)
    set("createTime", task.createTime)
    set("dispatchDeadline", task.dispatchDeadline)
    set("dispatchCount", task.dispatchCount)
    set("responseCount", task.responseCount)
    if let attempt = task.firstAttempt { set("firstAttempt", nested { $0.write(attempt) }) }
    if let attempt = task.lastAttempt { set("lastAttempt", nested { $0.write(attempt) }) }
    if let retry = task.retryConfig { set("retryConfig", nested { $0.write(retry) }) }
    set("view", choice: view.name, number: view.rawValue)
  }

  private mutating func write(_ attempt: CloudTasks.Attempt) {
    set("scheduleTime", attempt.scheduleTime)
    set("dispatchTime", attempt.dispatchTime)
    set("responseTime", attempt.responseTime)
    set("responseStatus", status: attempt.responseStatus)
  }

  /// An `HttpRequest` of Cloud Tasks or an `HttpTarget` of Cloud Scheduler.
  mutating func write(_ target: HTTPTarget, urlName: String) {
    set(urlName, target.url)
    set("httpMethod", choice: target.method.name, number: target.method.rawValue)
    set("headers", headers: target.headers)
    set("body", bytes: target.body)
    write(target.authorization, url: target.url)
  }

  /// The token that a target asks for, with its defaults where the target's URL is known.
  mutating func write(_ authorization: TargetAuthorization?, url: String?) {
    switch authorization {
    case .oidc(let email, let audience):
      let token = nested {
        $0.set("serviceAccountEmail", email)
        $0.set("audience", audience ?? url)
      }
      set("oidcToken", token)
    case .oauth(let email, let scope):
      let token = nested {
        $0.set("serviceAccountEmail", email)
        $0.set("scope", scope ?? "https://www.googleapis.com/auth/cloud-platform")
      }
      set("oauthToken", token)
    case nil: break
    }
  }
}
