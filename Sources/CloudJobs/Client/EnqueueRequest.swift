public import CloudJobsCore

/// A run that is asked for.
public struct EnqueueRequest: Sendable {
  /// The job.
  public var job: JobID
  /// Its input.
  public var input: any Encodable & Sendable
  /// What is asked for, once, as the caller names it; nil means a new run each time.
  public var key: String?
  /// The earliest start; nil means at once.
  public var notBefore: Timestamp?

  /// A request.
  public init(
    _ job: JobID, _ input: some Encodable & Sendable = NoInput(), key: String? = nil, notBefore: Timestamp? = nil
  ) {
    self.job = job
    self.input = input
    self.key = key
    self.notBefore = notBefore
  }
}

/// A run that was asked for.
public struct EnqueuedRun: Hashable, Sendable {
  /// The run.
  public var id: RunID
  /// Whether this call made it; false where the key had been used before.
  public var isNew: Bool
  /// Where it stands.
  public var status: RunStatus
}
