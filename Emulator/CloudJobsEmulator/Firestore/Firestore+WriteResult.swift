public import CloudJobsCore

extension Firestore {
  /// What a write came to.
  public struct WriteResult: Equatable, Sendable {
    /// When the document last changed: an earlier time where the write changed nothing, nil for a deletion.
    public var updateTime: Timestamp?
    /// What each transform came to; null for those of lists.
    public var transformResults: [Value] = []
  }

  /// What a commit came to.
  public struct CommitResult: Equatable, Sendable {
    /// When the writes took effect.
    public var commitTime: Timestamp
    /// What each write came to.
    public var writeResults: [WriteResult]
  }

  /// What one write of a batch came to: its result, or why it was refused.
  public typealias BatchResult = Result<WriteResult, ServiceFault>
}
