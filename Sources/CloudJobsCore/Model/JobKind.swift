/// How a job is triggered.
public enum JobKind: String, Hashable, Sendable, CaseIterable {
  /// By a task that somebody enqueues.
  case endpoint
  /// By a scheduler that fires the job's own cron expression.
  case scheduled
  /// By the master pass, when its interval or cron expression is due.
  case periodic
}
