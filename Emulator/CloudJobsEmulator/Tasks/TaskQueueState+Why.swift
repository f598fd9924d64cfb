import CloudJobsCore

extension TaskQueueState {
  /// Why a task is not attempted now.
  func waitReason(of record: TaskRecord, at now: Timestamp) -> CloudTasks.WaitReason {
    let task = record.task
    if record.running > 0, let attempt = task.lastAttempt {
      return .inFlight(attempt: task.dispatchCount, since: attempt.dispatchTime)
    }
    guard queue.state == .running else { return .paused }
    if task.scheduleTime > now {
      return task.dispatchCount == 0
        ? .scheduled(until: task.scheduleTime)
        : .backoff(afterAttempt: task.dispatchCount, until: task.scheduleTime)
    }
    guard inFlight < queue.rateLimits.maxConcurrentDispatches else {
      return .concurrencyLimit(queue.rateLimits.maxConcurrentDispatches)
    }
    if let hold = slowdown.holdUntil, hold > now { return .slowdown(until: hold) }
    var copy = self.bucket
    copy.configure(
      rate: slowdown.rate(of: queue.rateLimits.maxDispatchesPerSecond, at: now),
      burst: queue.rateLimits.maxBurstSize, at: now)
    let token = copy.nextToken(at: now)
    guard token > now else { return .ready }
    return slowdown.currentLevel(at: now) > 0 ? .slowdown(until: token) : .rateLimit(until: token)
  }
}
