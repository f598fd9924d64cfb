#if HTTP
import CloudJobsCore
import Synchronization

/// Keeps a token, and fetches the next before the last one ends: one fetch at a time, however many ask.
final class AccessTokenCache: Sendable {
  /// How long before a token's end the next one is fetched, while the old one still serves.
  static let lead = Duration.minutes(5)
  /// How long before its end a token counts as ended, for the call's way and the clocks' difference.
  static let margin = Duration.seconds(10)
  /// How long a fetch ahead of need is not repeated, so that a failing or short-lived source is not asked each time.
  static let pause = Duration.seconds(30)

  private struct State {
    var token: AccessToken?
    var aheadAgainAt = Timestamp.distantPast
  }

  private let clock: any JobClock
  private let fetch: @Sendable () async throws(JobError) -> AccessToken
  private let flight = SingleFlight<AccessToken>()
  private let state = Mutex(State())

  /// A cache before a source of tokens.
  init(clock: any JobClock, fetch: @escaping @Sendable () async throws(JobError) -> AccessToken) {
    self.clock = clock
    self.fetch = fetch
  }

  /// A token that is good for some seconds at least.
  ///
  /// In the last minutes of a token's life one caller at a time fetches its successor; where that fails, the old one
  /// serves on until its end.
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
