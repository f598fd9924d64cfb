#if HTTP
public import CloudJobsCore

/// Whom an accepted token speaks for.
public struct TokenIdentity: Hashable, Sendable {
  /// The service account's address.
  public var email: String
  /// The account's unchanging number; empty where the token has none.
  public var subject: String
  /// What the token was made for.
  public var audience: String
  /// When it was made.
  public var issuedAt: Timestamp
  /// When it ends.
  public var expiresAt: Timestamp
}
#endif
