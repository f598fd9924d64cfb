/// The right to execute an attempt until a time.
public struct Lease: Hashable, Sendable {
  /// Who holds it: an instance's own name.
  public var owner: String
  /// The fencing token: grows with each claim of the run, and goes with each write under the lease.
  public var token: Int64
  /// When others may take over.
  public var expiresAt: Timestamp

  /// A lease.
  public init(owner: String, token: Int64, expiresAt: Timestamp) {
    self.owner = owner
    self.token = token
    self.expiresAt = expiresAt
  }
}
