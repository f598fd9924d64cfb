extension CloudScheduler.JobDraft {
  /// Takes the fields that a mask names from another draft; without a mask, all.
  ///
  /// - Throws: ``ServiceFault`` `invalidArgument` for a path that is no field, or that does not fit the target.
  mutating func merge(_ other: CloudScheduler.JobDraft, mask: FieldMask?) throws(ServiceFault) {
    let everything = ["description", "target", "schedule", "timeZone", "retryConfig", "attemptDeadline"]
    for path in mask?.paths ?? everything {
      switch path {
      case "*": try merge(other, mask: nil)
      case "description": description = other.description
      case "schedule": schedule = other.schedule
      case "timeZone": timeZone = other.timeZone
      case "attemptDeadline": attemptDeadline = other.attemptDeadline
      case "target": target = other.target ?? target
      case "httpTarget", "pubsubTarget", "appEngineHttpTarget": target = other.target
      case "retryConfig": retryConfig = other.retryConfig
      case "retryConfig.retryCount": retryConfig.retryCount = other.retryConfig.retryCount
      case "retryConfig.maxRetryDuration": retryConfig.maxRetryDuration = other.retryConfig.maxRetryDuration
      case "retryConfig.minBackoffDuration": retryConfig.backoff.minimum = other.retryConfig.backoff.minimum
      case "retryConfig.maxBackoffDuration": retryConfig.backoff.maximum = other.retryConfig.backoff.maximum
      case "retryConfig.maxDoublings": retryConfig.backoff.doublings = other.retryConfig.backoff.doublings
      case "name", "state", "status", "userUpdateTime", "scheduleTime", "lastAttemptTime": break
      default:
        guard path.hasPrefix("httpTarget.") else {
          throw .invalidArgument("The update mask names \"\(path)\", which is no field of a job.")
        }
        try mergeHTTPTarget(other, path: path)
      }
    }
  }

  private mutating func mergeHTTPTarget(
    _ other: CloudScheduler.JobDraft, path: String
  ) throws(ServiceFault) {
    guard case .http(var merged) = target, case .http(let source) = other.target else {
      throw .invalidArgument("The update mask names \"\(path)\", but the job has no httpTarget.")
    }
    switch path.dropFirst("httpTarget.".count) {
    case "uri": merged.url = source.url
    case "httpMethod": merged.method = source.method
    case "headers": merged.headers = source.headers
    case "body": merged.body = source.body
    case "oidcToken", "oauthToken": merged.authorization = source.authorization
    default: throw .invalidArgument("The update mask names \"\(path)\", which is no field of a job.")
    }
    target = .http(merged)
  }
}
