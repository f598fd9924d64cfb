import CloudJobsCore

/// An attempt that is in flight.
struct TaskFlight: Sendable, Codable {
  /// The task.
  var name: CloudTasks.TaskName
  /// Tells the task from another one of the same name.
  var sequence: UInt64
  /// Tells the queue from another one of the same name.
  var generation: UInt64
  /// Which attempt, from 1.
  var attempt: Int
  /// When a request to run the task now was made, where one caused the attempt.
  var runRequestedAt: Timestamp?
  /// When the service stops listening.
  var deadline: Timestamp
}
