import CloudJobsCore

extension ScheduledJobRecord {
  /// Takes note of how an attempt ended, and decides what follows.
  mutating func conclude(
    _ flight: ScheduledFlight, _ outcome: DispatchOutcome, at now: Timestamp
  ) -> Settlement.Verdict {
    job.status = RPCStatus(outcome)
    guard flight.isExecution, var current = execution else {
      return outcome.isSuccess ? .succeeded : .abandoned("a request beside an execution is not retried")
    }
    guard !outcome.isSuccess else {
      execution = nil
      return .succeeded
    }
    let elapsed = now - current.startedAt
    if let rule = job.retryConfig.reasonToGiveUp(attempts: current.attempts, elapsed: elapsed) {
      execution = nil
      return .abandoned(rule)
    }
    guard job.state == .enabled else {
      execution = nil
      return .abandoned("the job is paused")
    }
    let time = now + job.retryConfig.backoff.delay(beforeRetry: current.attempts)
    current.attemptAt = time
    execution = current
    return .retry(at: time)
  }
}
