import CloudJobsCore

/// The headers that Cloud Tasks sends with an attempt, as recorded.
///
/// Source: <https://cloud.google.com/tasks/docs/creating-http-target-tasks#handler>.
enum TaskHeaders {
  /// The headers of the attempt that a record is about to make, its count already raised.
  static func make(for record: TaskRecord) -> [HeaderField] {
    let task = record.task
    var headers = [
      HeaderField("User-Agent", "Google-Cloud-Tasks"),
      HeaderField("X-CloudTasks-QueueName", task.name.queue.id),
      HeaderField("X-CloudTasks-TaskName", task.name.id),
      HeaderField("X-CloudTasks-TaskRetryCount", "\(task.dispatchCount - 1)"),
      HeaderField("X-CloudTasks-TaskExecutionCount", "\(record.executionCount)"),
      HeaderField("X-CloudTasks-TaskETA", unixSeconds(task.scheduleTime)),
    ]
    if let previous = record.previousResponse {
      headers.append(HeaderField("X-CloudTasks-TaskPreviousResponse", "\(previous)"))
      headers.append(HeaderField("X-CloudTasks-TaskRetryReason", ""))
    }
    return headers + task.httpRequest.headers.withoutReserved(prefixes: ["x-cloudtasks-"])
  }

  /// Unix seconds with six digits of a fraction.
  static func unixSeconds(_ time: Timestamp) -> String {
    let fraction = String(time.fraction)
    return "\(time.seconds)." + String(repeating: "0", count: 6 - fraction.count) + fraction
  }
}
