public import CloudJobsCore

/// What a master pass did.
public struct PassSummary: Hashable, Sendable {
  /// The jobs that were due.
  public var due = 0
  /// The runs that it executed or handed to the queue.
  public var started = 0
  /// The occasions that a closed gate let pass.
  public var skipped = 0
  /// The lost runs that it set going again.
  public var recovered = 0
  /// The documents that it found unreadable and set aside.
  public var quarantined = 0
  /// The jobs that another pass dealt with first.
  public var raced = 0
  /// Whether it reached the end of what was due within its budget; the next pass goes on where it did not.
  public var isComplete = true
  /// Why it could not do its work, where it could not.
  public var error: JobError?

  /// A pass that did nothing.
  public init() {}
}
