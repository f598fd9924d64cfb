import CloudJobsCore

/// The headers that Cloud Tasks sends with an attempt, as recorded.
///
/// Source: <https://cloud.google.com/tasks/docs/creating-http-target-tasks#handler>.
enum TaskHeaders {
  /// The headers of the attempt that a record is about to make, its count already raised.
  static func make(for record: TaskRecord) -> [HeaderField] {
    let task = record.task
    let isAppEngine = task.appEngine != nil
    let prefix = isAppEngine ? "X-AppEngine-" : "X-CloudTasks-"
    let agent = isAppEngine ? "AppEngine-Google; (+http://code.google.com/appengine)" : "Google-Cloud-Tasks"
    var headers = [
      HeaderField("User-Agent", agent),
      HeaderField("\(prefix)QueueName", task.name.queue.id),
      HeaderField("\(prefix)TaskName", task.name.id),
      HeaderField("\(prefix)TaskRetryCount", "\(task.dispatchCount - 1)"),
      HeaderField("\(prefix)TaskExecutionCount", "\(record.executionCount)"),
      HeaderField("\(prefix)TaskETA", unixSeconds(task.scheduleTime)),
    ]
    if let previous = record.previousResponse {
      headers.append(HeaderField("\(prefix)TaskPreviousResponse", "\(previous)"))
      headers.append(HeaderField("\(prefix)TaskRetryReason", ""))
    }
    let own = task.httpRequest.headers.withoutReserved(prefixes: ["x-cloudtasks-"])
    // A body for App Engine has a type even where the caller gave none; one for any other target has not.
    if isAppEngine, !task.httpRequest.body.isEmpty, own["Content-Type"] == nil {
      headers.append(HeaderField("Content-Type", "application/octet-stream"))
    }
    return headers + own
  }

  /// Unix seconds with six digits of a fraction.
  static func unixSeconds(_ time: Timestamp) -> String {
    let fraction = String(time.fraction)
    return "\(time.seconds)." + String(repeating: "0", count: 6 - fraction.count) + fraction
  }
}
