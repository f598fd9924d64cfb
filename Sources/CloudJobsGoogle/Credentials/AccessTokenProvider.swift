#if HTTP
public import CloudJobsCore
public import HTTPTypes
import Synchronization

/// A provider of authentication headers for Google's services.
public protocol AccessTokenProvider: Sendable {
  /// Returns the header fields for a call: `Authorization`, and `X-Goog-User-Project` if another project is billed.
  ///
  /// Called for each request: an implementation caches its token.
  ///
  /// - Throws: ``/CloudJobsCore/JobError`` `credentialsUnavailable` if no token can be obtained.
  func headers() async throws(JobError) -> HTTPFields
}

/// Fixed header fields, for emulators that check no token.
public struct FixedHeaders: AccessTokenProvider {
  private let fields: HTTPFields

  /// No header fields.
  public static let none = FixedHeaders(HTTPFields())
  /// `Authorization: Bearer owner`, with which a Firestore emulator skips all security rules.
  ///
  /// Source: <https://firebase.google.com/docs/emulator-suite/connect_firestore>.
  public static let emulatorOwner = FixedHeaders([.authorization: "Bearer owner"])

  /// Creates a provider of fixed fields.
  public init(_ fields: HTTPFields) {
    self.fields = fields
  }

  /// The fields.
  public func headers() async throws(JobError) -> HTTPFields { fields }
}

/// An access token with its expiry; descriptions never contain its text.
struct AccessToken: Sendable {
  /// The token text after `Bearer`.
  let value: String
  /// The time of expiry.
  let expiresAt: Timestamp

  /// Parses a token endpoint's response; nil if it holds no token that fits a header field.
  ///
  /// Source: <https://www.rfc-editor.org/rfc/rfc6749#section-5.1>.
  ///
  /// - Parameters:
  ///   - answer: the response's JSON object.
  ///   - sentAt: the time of the request, from which the lifetime counts.
  init?(answer: JSONValue, sentAt: Timestamp) {
    guard let value = answer["access_token"]?.string, !value.isEmpty, value.utf8.count <= 16_384,
      value.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), let seconds = answer["expires_in"]?.integer, seconds > 0,
      answer["token_type"]?.string.map({ $0.lowercased() == "bearer" }) ?? true
    else { return nil }
    self.value = value
    expiresAt = sentAt + .seconds(min(seconds, 86_400))
  }
}

extension AccessToken: CustomStringConvertible, CustomReflectable {
  /// The expiry, without the token's text.
  var description: String { "access token until \(expiresAt)" }
  /// A mirror without the token's text, so that dumps of containing values don't reveal it.
  var customMirror: Mirror { Mirror(self, children: ["expiresAt": expiresAt]) }
}

/// A cached access token, refreshed before it expires by one fetch at a time.
final class AccessTokenCache: Sendable {
  /// The time before expiry at which a refresh starts while the old token is still in use.
  static let lead = Duration.minutes(5)
  /// The time before expiry at which a token counts as expired, for transit time and clock skew.
  static let margin = Duration.seconds(10)
  /// The minimum interval between early refreshes, so that a failing source is not asked for each call.
  static let pause = Duration.seconds(30)

  private struct State {
    var token: AccessToken?
    var aheadAgainAt = Timestamp.distantPast
  }

  private let clock: any JobClock
  private let fetch: @Sendable () async throws(JobError) -> AccessToken
  private let flight = SingleFlight<AccessToken>()
  private let state = Mutex(State())

  /// Creates a cache in front of a token source.
  init(clock: any JobClock, fetch: @escaping @Sendable () async throws(JobError) -> AccessToken) {
    self.clock = clock
    self.fetch = fetch
  }

  /// Returns a token that is valid for at least some seconds.
  ///
  /// In the last minutes of a token's life one caller at a time fetches its successor; if that fails, the old token is
  /// used until it expires.
  func token() async throws(JobError) -> AccessToken {
    let now = clock.now()
    let (token, isAhead) = state.withLock { state -> (AccessToken?, Bool) in
      guard let token = state.token, now < token.expiresAt - Self.margin else { return (nil, false) }
      guard now >= token.expiresAt - Self.lead, now >= state.aheadAgainAt, !flight.isBusy else { return (token, false) }
      state.aheadAgainAt = now + Self.pause
      return (token, true)
    }
    guard let token else { return try await refresh(replacing: nil) }
    guard isAhead else { return token }
    do throws(JobError) {
      return try await refresh(replacing: token)
    } catch {
      return clock.now() < token.expiresAt - Self.margin ? token : try await refresh(replacing: token)
    }
  }

  private func refresh(replacing old: AccessToken?) async throws(JobError) -> AccessToken {
    try await flight.run { () async throws(JobError) in
      let now = clock.now()
      let successor = state.withLock { state in
        state.token.flatMap { token in
          now < token.expiresAt - Self.margin && token.expiresAt > (old?.expiresAt ?? .distantPast) ? token : nil
        }
      }
      if let successor { return successor }
      let token = try await fetch()
      let end = clock.now()
      state.withLock { state in
        state.token = token
        state.aheadAgainAt = end + Self.pause
      }
      return token
    }
  }
}
#endif
