extension JobState {
  /// The change to a job's state that a conclusion brings; nil where it brings none.
  ///
  /// The state of an endpoint, which may run a thousand times a second, changes only where its status does.
  ///
  /// - Parameters:
  ///   - conclusion: what the attempt's outcome means.
  ///   - run: the run after it.
  ///   - kind: how the job is triggered.
  ///   - duration: how long the attempt took.
  /// - Returns: the change, or nil.
  public func patch(after conclusion: Conclusion, run: Run, kind: JobKind, duration: Duration) -> JobStatePatch? {
    let newStatus: JobStatus
    var newFailures = consecutiveFailures ?? 0
    switch conclusion {
    case .succeeded: (newStatus, newFailures) = (.success, 0)
    case .retry: newStatus = .failure
    case .dead: (newStatus, newFailures) = (.failure, newFailures.successor)
    case .snoozed, .cancelled: return nil
    }
    if kind == .endpoint, newStatus == status || !run.status.isTerminal { return nil }
    var patch = JobStatePatch()
    patch.set(status: newStatus)
    patch.set(consecutiveFailures: newFailures)
    patch.set(retries: run.failures)
    patch.set(lastDuration: duration)
    return patch
  }
}
