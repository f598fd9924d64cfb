/// The version of a stored document, which changes with each write.
public struct Version: Hashable, Sendable {
  /// The version number; its meaning is up to the store.
  public let rawValue: Int64

  /// Creates a version from the store's number.
  public init(_ rawValue: Int64) {
    self.rawValue = rawValue
  }
}

/// The precondition of a write.
public enum Precondition: Hashable, Sendable {
  /// No precondition.
  case none
  /// The document must not exist.
  case absent
  /// The document must exist at this version.
  case version(Version)
  /// The run must exist, and its last fencing token must be this value.
  case fence(Int64)
  /// The run must exist with this fencing token, and no other party may have amended it beyond this number.
  case attempt(fence: Int64, amendments: Int64)
}

/// One change to the store; a list of writes is committed atomically.
public enum Write: Hashable, Sendable {
  /// Creates or replaces a run.
  case putRun(Run, Precondition)
  /// Deletes a run; a missing run is not an error if the precondition allows it.
  case deleteRun(RunID, Precondition)
  /// Creates a job's document or replaces its configuration; the state is kept.
  indirect case putConfiguration(JobID, JobConfiguration, Precondition)
  /// Changes fields of a job's state, and creates the document if it is missing; the configuration is kept.
  case patchState(JobID, JobStatePatch, Precondition)
  /// Deletes a job's document.
  case deleteJob(JobID, Precondition)
  /// Creates or replaces a ledger; nil deletes it.
  case putLedger(LedgerID, Ledger?, Precondition)
  /// Changes the account of a limit, as it is at the time of the commit; refuses the commit if a limit is reached.
  case changeLedger(LedgerID, LedgerChange)
  /// Adds an entry to the pass journal, or replaces the entry with the same id.
  case putJournal(PassJournalEntry)
  /// Adds lines to a run's log, or replaces the entry with the same sequence.
  case putLog(RunLogEntry)
}
