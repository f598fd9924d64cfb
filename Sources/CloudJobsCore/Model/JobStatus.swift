/// How the last occasion of a job went.
public enum JobStatus: String, Hashable, Sendable, CaseIterable {
  /// The last run succeeded.
  case success
  /// The last run, or its latest attempt, failed.
  case failure
  /// Not run: the job is disabled.
  case skippedDisabled
  /// Not run: `startAt` has not come.
  case skippedNotStarted
  /// Not run: `endAt` has passed.
  case skippedEnded
  /// Not run: the day is one of `skipDates`.
  case skippedDateExclusion
  /// Not run: a job that this one depends on has not succeeded.
  case skippedDependencyFailed
  /// Not run: an earlier run was under way.
  case skippedOverlap
  /// Not run: the time was missed, and the misfire policy drops missed times.
  case skippedMisfire
}
