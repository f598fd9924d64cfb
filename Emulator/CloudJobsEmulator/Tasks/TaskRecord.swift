import CloudJobsCore

/// A task with what only the service knows about it.
struct TaskRecord: Sendable, Codable {
  /// What clients see.
  var task: CloudTasks.Task
  /// Tells this task from an earlier one of the same name.
  let sequence: UInt64
  /// The valid entry in the queue's waiting list, or nil while the task does not wait there.
  var ticket: UInt64?
  /// How many attempts are in flight; more than one only after a run request.
  var running = 0
  /// How many attempts were answered, those with a 5xx not counted.
  var executionCount = 0
  /// The HTTP status reported for the latest attempt that ended.
  var previousResponse: Int?

  /// Whether the task waits for another attempt after a failure.
  var isBackingOff: Bool { ticket != nil && task.dispatchCount > 0 }
}
