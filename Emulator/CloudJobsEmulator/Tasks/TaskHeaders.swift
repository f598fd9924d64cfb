import CloudJobsCore

/// The headers that Cloud Tasks sends with an attempt, as recorded.
///
/// Source: <https://cloud.google.com/tasks/docs/creating-http-target-tasks#handler> and
/// <https://cloud.google.com/tasks/docs/creating-appengine-handlers#reading-headers>.
enum TaskHeaders {
  /// Returns the headers of an attempt.
  ///
  /// - Parameters:
  ///   - record: the task, whose count already includes the attempt.
  ///   - request: the request that delivers it.
  /// - Returns: all headers except Host, Content-Length and Authorization.
  static func make(for record: TaskRecord, of request: HTTPTarget) -> [HeaderField] {
    let task = record.task
    let prefix = task.target.isAppEngine ? "X-AppEngine-" : "X-CloudTasks-"
    var headers = [
      HeaderField("User-Agent", task.target.agent),
      HeaderField("\(prefix)QueueName", task.name.queue.id),
      HeaderField("\(prefix)TaskName", task.name.id),
      HeaderField("\(prefix)TaskRetryCount", "\(task.dispatchCount - 1)"),
      HeaderField("\(prefix)TaskExecutionCount", "\(record.executionCount)"),
      HeaderField("\(prefix)TaskETA", unixSeconds(task.scheduleTime)),
    ]
    if let previous = record.previousResponse {
      headers.append(HeaderField("\(prefix)TaskPreviousResponse", "\(previous)"))
      headers.append(HeaderField("\(prefix)TaskRetryReason", task.target.isAppEngine ? "App Error" : ""))
    }
    return headers + request.headers.withoutReserved(prefixes: ["x-cloudtasks-"])
  }

  /// Returns Unix seconds with six fractional digits.
  static func unixSeconds(_ time: Timestamp) -> String {
    let fraction = String(time.fraction)
    return "\(time.seconds)." + String(repeating: "0", count: 6 - fraction.count) + fraction
  }
}
