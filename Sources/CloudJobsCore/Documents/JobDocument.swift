/// A job's configuration and state in the store.
public struct JobDocument: Hashable, Sendable {
  /// The job.
  public var id: JobID
  /// What operators set.
  public var configuration: JobConfiguration
  /// What the system keeps.
  public var state: JobState

  /// A document.
  public init(id: JobID, configuration: JobConfiguration = JobConfiguration(), state: JobState = JobState()) {
    self.id = id
    self.configuration = configuration
    self.state = state
  }
}
