import CloudJobsCore

/// One execution of a scheduler's job: its attempts for one firing.
struct ScheduledExecution: Sendable, Codable {
  /// What set it off, for a person.
  var cause: String
  /// The firing's time, the same over all attempts.
  var slot: Timestamp
  /// How many attempts have begun.
  var attempts = 0
  /// When the first of them began.
  var startedAt: Timestamp
  /// When the next attempt is due; nil while one is in flight.
  var attemptAt: Timestamp?
}
