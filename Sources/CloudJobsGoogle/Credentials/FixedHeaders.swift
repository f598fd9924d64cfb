#if HTTP
public import CloudJobsCore
public import HTTPTypes

/// Header fields that never change: for emulators, which check no token.
public struct FixedHeaders: AccessTokenProvider {
  private let fields: HTTPFields

  /// Sends nothing.
  public static let none = FixedHeaders(HTTPFields())
  /// Sends `Authorization: Bearer owner`, by which a Firestore emulator lets a caller past all security rules.
  ///
  /// Source: <https://firebase.google.com/docs/emulator-suite/connect_firestore>.
  public static let emulatorOwner = FixedHeaders([.authorization: "Bearer owner"])

  /// Sends these fields.
  public init(_ fields: HTTPFields) {
    self.fields = fields
  }

  /// The fields.
  public func headers() async throws(JobError) -> HTTPFields { fields }
}
#endif
