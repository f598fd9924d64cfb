/// The reason for a run.
public enum Trigger: String, Hashable, Sendable, CaseIterable {
  /// A queue's task or a message requested it.
  case task
  /// A scheduler fired the job's own schedule.
  case schedule
  /// The master pass found the job due.
  case pass
  /// A person or a program requested it directly.
  case manual
  /// Another run requested it.
  case parent
}

/// The component that fires a scheduled job.
public enum ScheduleTrigger: String, Hashable, Sendable, CaseIterable {
  /// The job's own Cloud Scheduler job, accurate to the second and billed as one Cloud Scheduler job.
  ///
  /// A schedule that Cloud Scheduler can't express is fired by the master pass instead.
  case cloudScheduler
  /// The master pass, in the first minute after each due time, at no additional cost.
  case masterPass
}
