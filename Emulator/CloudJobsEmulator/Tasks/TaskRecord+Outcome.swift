import CloudJobsCore

extension TaskRecord {
  /// Takes note of how an attempt ended.
  mutating func note(_ outcome: DispatchOutcome, of flight: TaskFlight, at now: Timestamp) {
    if case .response(let status, _) = outcome {
      task.responseCount += 1
      if status < 500 { executionCount += 1 }
    }
    previousResponse = outcome.reportedStatus
    if flight.attempt == task.dispatchCount {
      task.lastAttempt?.responseTime = now
      task.lastAttempt?.responseStatus = RPCStatus(outcome)
    }
  }
}
