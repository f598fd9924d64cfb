#if HTTP
import CloudJobs
import CloudJobsCore

/// The bodies of requests to Cloud Tasks, as pure functions.
enum CloudTasksBody {

  /// The furthest ahead that a task is created for: the 720 hours that Cloud Tasks takes, less what clocks may differ.
  static let horizon = Duration.days(30) - .hours(1)
  /// Where a task goes that lies beyond: early enough for the rest to be a stage of its own, and no early delivery.
  static let stage = Duration.days(29)
  /// The most bytes of a stored task, as recorded.
  static let maximumBytes = 1_048_569

  /// When a task is scheduled: at its time, or at the end of a stage on the way there.
  static func stage(of time: Timestamp, now: Timestamp) -> Timestamp {
    time - now > horizon ? now + stage : time
  }

  /// Refuses a task that Cloud Tasks would not store.
  ///
  /// - Throws: ``JobError`` `tooLarge`, which names the size and the remedy.
  static func checkSize(_ task: QueuedTask, _ configuration: CloudTasksConfiguration) throws(JobError) {
    let texts = [
      task.name, configuration.queueName(task.queue), configuration.target, configuration.serviceAccount ?? "",
      configuration.serviceAccount == nil ? "" : configuration.tokenAudience,
      "Content-Type", "application/json",
    ]
    let size = texts.reduce(task.body.bytes.count) { $0 + $1.utf8.count }
    guard size > maximumBytes else { return }
    throw JobError(
      .tooLarge,
      "The task has \(size) bytes; Cloud Tasks takes \(maximumBytes). Keep the data in a bucket or in the store, and "
        + "enqueue its key.", field: "payload")
  }

  /// The body that creates a task.
  static func create(_ task: QueuedTask, _ configuration: CloudTasksConfiguration, now: Timestamp) -> JSONValue {
    let deadline = CloudSchedulerEntry.deadline(for: task.deadline)
    var httpRequest: [String: JSONValue] = [
      "url": .string(configuration.target), "httpMethod": "POST", "headers": ["Content-Type": "application/json"],
      "body": .string(Base64.encode(task.body.bytes)),
    ]
    httpRequest["oidcToken"] = configuration.token
    var members: [String: JSONValue] = [
      "name": .string("\(configuration.queueName(task.queue))/tasks/\(task.name)"),
      "dispatchDeadline": .string(WireDuration.text(deadline)), "httpRequest": .object(httpRequest),
    ]
    members["scheduleTime"] = task.notBefore.map { .string(stage(of: $0, now: now).description) }
    return ["task": .object(members)]
  }
}
#endif
