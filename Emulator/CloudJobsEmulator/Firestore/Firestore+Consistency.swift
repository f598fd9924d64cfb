public import CloudJobsCore

extension Firestore {
  /// As of when a request reads.
  public enum Consistency: Equatable, Sendable {
    /// Now.
    case latest
    /// Within a transaction, as of its first read.
    case transaction([UInt8])
    /// Within a transaction that begins with the request.
    case newTransaction(TransactionOptions)
    /// As of a time of the last hour.
    case readTime(Timestamp)
  }

  /// What a transaction is for.
  public enum TransactionOptions: Hashable, Sendable {
    /// Reading and writing; `retry` names an earlier attempt, which ends.
    case readWrite(retry: [UInt8]? = nil)
    /// Reading only, as of a time of the last hour, or as of the first read.
    case readOnly(readTime: Timestamp? = nil)
  }

  /// The time of a read, and the transaction that began with it.
  public struct ReadStamp: Hashable, Sendable {
    /// As of when was read.
    public var readTime: Timestamp
    /// The new transaction's identity, where one began.
    public var transaction: [UInt8]?
  }
}
