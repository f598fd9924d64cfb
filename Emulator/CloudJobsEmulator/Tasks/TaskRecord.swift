import CloudJobsCore

/// A task with the service's internal state.
struct TaskRecord: Sendable, Codable {
  /// The task as clients see it.
  var task: CloudTasks.Task
  /// A number that distinguishes this task from an earlier one of the same name.
  let sequence: UInt64
  /// The ticket of the task's current entry in the waiting list, or nil while it is not waiting.
  var ticket: UInt64?
  /// The number of attempts in flight; more than one only after a run request.
  var running = 0
  /// The number of attempts with a response; for an HTTP target without those of 5xx.
  var executionCount = 0
  /// The HTTP status reported for the latest finished attempt.
  var previousResponse: Int?

  /// Whether the task is waiting for a retry.
  var isBackingOff: Bool { ticket != nil && task.dispatchCount > 0 }

  /// Records the outcome of an attempt.
  mutating func note(_ outcome: DeliveryOutcome, of attempt: TaskAttempt, at now: Timestamp) {
    if case .response(let status, _) = outcome {
      task.responseCount += 1
      if status < 500 || task.target.isAppEngine { executionCount += 1 }
    }
    previousResponse = outcome.reportedStatus
    if attempt.number == task.dispatchCount {
      task.lastAttempt?.responseTime = now
      task.lastAttempt?.responseStatus = RPCStatus(outcome)
    }
  }
}

/// An attempt of a task in flight.
struct TaskAttempt: Sendable, Codable {
  /// Snapshots keep the name `attempt` for ``number``.
  private enum CodingKeys: String, CodingKey {
    case name, sequence, generation, number = "attempt", runRequestedAt, deadline
  }

  /// The task's name.
  var name: CloudTasks.TaskName
  /// A number that distinguishes the task from another one of the same name.
  var sequence: UInt64
  /// A number that distinguishes the queue from another one of the same name.
  var generation: UInt64
  /// The number of the attempt, from 1.
  var number: Int
  /// The time of the run request that caused the attempt, if one did.
  var runRequestedAt: Timestamp?
  /// The time at which the service stops waiting for a response.
  var deadline: Timestamp
}
