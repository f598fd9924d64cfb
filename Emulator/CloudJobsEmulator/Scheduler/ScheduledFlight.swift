import CloudJobsCore

/// An attempt of a scheduler's job that is in flight.
struct ScheduledFlight: Sendable, Codable {
  /// The job.
  var name: CloudScheduler.JobName
  /// Tells the job from another one of the same name.
  var sequence: UInt64
  /// Whether the attempt belongs to the job's execution; otherwise a request had it made beside one.
  var isExecution: Bool
  /// Which attempt of its execution, from 1.
  var attempt: Int
  /// When the service stops listening.
  var deadline: Timestamp
}
