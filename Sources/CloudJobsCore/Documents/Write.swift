/// The state of a stored document: another number after each change.
public struct Version: Hashable, Sendable {
  /// The number; its meaning is the store's own.
  public let rawValue: Int64

  /// A version as the store counts it.
  public init(_ rawValue: Int64) {
    self.rawValue = rawValue
  }
}

/// What must hold for a write to take place.
public enum Precondition: Hashable, Sendable {
  /// Nothing.
  case none
  /// The document must not exist.
  case absent
  /// The document must exist at this version.
  case version(Version)
  /// The run must exist, and its last fencing token must be this one.
  case fence(Int64)
}

/// One change to the store; a list of them takes place as a whole or not at all.
public enum Write: Hashable, Sendable {
  /// Creates or replaces a run.
  case putRun(Run, Precondition)
  /// Deletes a run; one that does not exist is no failure where the precondition allows it.
  case deleteRun(RunID, Precondition)
  /// Creates a job's document or replaces its configuration; the state stays.
  case putConfiguration(JobID, JobConfiguration, Precondition)
  /// Changes fields of a job's state, and creates the document where there is none; the configuration stays.
  case patchState(JobID, JobStatePatch, Precondition)
  /// Deletes a job's document.
  case deleteJob(JobID, Precondition)
  /// Adds an entry to the journal; one of the same id is replaced.
  case putJournal(JournalEntry)
}
