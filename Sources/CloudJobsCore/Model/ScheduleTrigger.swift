/// What fires a scheduled job.
public enum ScheduleTrigger: String, Hashable, Sendable, CaseIterable {
  /// A job of Cloud Scheduler of its own, to the second; it costs what Cloud Scheduler charges for a job.
  ///
  /// A schedule that Cloud Scheduler can't express falls to the master pass.
  case cloudScheduler
  /// The master pass, in the first minute after each due time; nothing more is charged.
  case masterPass
}
