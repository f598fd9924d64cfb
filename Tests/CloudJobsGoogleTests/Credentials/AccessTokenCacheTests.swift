#if HTTP
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsTesting
import Synchronization
import Testing

@testable import CloudJobsGoogle

/// A source of numbered tokens that can fail and can be held back.
private final class TokenSource: Sendable {
  private struct State {
    var count = 0
    var fails = false
    var isHolding = false
    var held: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())
  private let clock: VirtualClock
  private let lifetime: Int64

  init(_ clock: VirtualClock, lifetime: Int64 = 3_600) {
    (self.clock, self.lifetime) = (clock, lifetime)
  }

  var count: Int { state.withLock { $0.count } }
  func fail(_ fails: Bool) { state.withLock { $0.fails = fails } }
  func hold() { state.withLock { $0.isHolding = true } }

  func open() {
    let held = state.withLock { state in
      defer { state.held = [] }
      state.isHolding = false
      return state.held
    }
    for continuation in held { continuation.resume() }
  }

  func fetch() async throws(JobError) -> AccessToken {
    let (number, fails) = state.withLock { state in
      state.count += 1
      return (state.count, state.fails)
    }
    await withCheckedContinuation { continuation in
      let isOpen = state.withLock { state in
        if state.isHolding { state.held.append(continuation) }
        return !state.isHolding
      }
      if isOpen { continuation.resume() }
    }
    let answer: JSONValue = ["access_token": .string("token-\(number)"), "expires_in": .integer(lifetime)]
    guard !fails, !Task.isCancelled, let token = AccessToken(answer: answer, sentAt: clock.now()) else {
      throw JobError(.credentialsUnavailable, "No token.")
    }
    return token
  }
}

@Suite("Access token cache", .timeLimit(.minutes(1)))
struct AccessTokenCacheTests {
  private let clock = VirtualClock(start: Timestamp(seconds: 1_795_233_600), sleep: .moves)

  private func cache(_ source: TokenSource) -> AccessTokenCache {
    AccessTokenCache(clock: clock) { () async throws(JobError) in try await source.fetch() }
  }

  /// Returns the token's text, or the error's code.
  private func token(_ cache: AccessTokenCache) async -> String {
    do throws(JobError) {
      return try await cache.token().value
    } catch {
      return error.code.rawValue
    }
  }

  @Test("A thousand concurrent callers cause one fetch, without a token or with an expired one")
  func singleFlight() async {
    let source = TokenSource(clock)
    let cache = cache(source)
    for round in 1...3 {
      source.hold()
      let tokens = await withTaskGroup(of: String.self) { group in
        for _ in 0..<1_000 { group.addTask { await self.token(cache) } }
        group.addTask {
          while source.count < round, !Task.isCancelled { await Task.yield() }
          for _ in 0..<100 { await Task.yield() }
          source.open()
          return "opened"
        }
        return await group.reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }
      }
      #expect(tokens == ["token-\(round)": 1_000, "opened": 1])
      #expect(source.count == round)
      clock.advance(by: .hours(1))
    }
  }

  @Test("A token is refreshed five minutes before it expires, by one caller while the others use the old one")
  func ahead() async {
    let source = TokenSource(clock)
    let cache = cache(source)
    #expect(await token(cache) == "token-1")
    clock.advance(by: .seconds(3_299))
    #expect(await token(cache) == "token-1")
    #expect(source.count == 1)
    clock.advance(by: .seconds(1))
    source.hold()
    await withTaskGroup(of: Void.self) { group in
      group.addTask { #expect(await self.token(cache) == "token-2") }
      while source.count < 2, !Task.isCancelled { await Task.yield() }
      for _ in 0..<1_000 { #expect(await token(cache) == "token-1") }
      source.open()
    }
    #expect(await token(cache) == "token-2")
    #expect(source.count == 2)
  }

  @Test("If the refresh fails, the old token is used until ten seconds before it expires")
  func failing() async {
    let source = TokenSource(clock)
    let cache = cache(source)
    #expect(await token(cache) == "token-1")
    source.fail(true)
    clock.advance(by: .seconds(3_300))
    for second in 0..<290 {
      #expect(await token(cache) == "token-1", "second \(second)")
      clock.advance(by: .seconds(1))
    }
    #expect(source.count == 11, "one at the start, and one each thirty seconds")
    #expect(await token(cache) == "credentialsUnavailable")
    source.fail(false)
    #expect(await token(cache) == "token-13")
  }

  @Test("A source of short-lived tokens is not asked for each call")
  func shortLived() async {
    let source = TokenSource(clock, lifetime: 120)
    let cache = cache(source)
    for _ in 0..<300 {
      #expect(await token(cache).hasPrefix("token-"))
      clock.advance(by: .milliseconds(100))
    }
    #expect(source.count == 1)
    #expect(await token(cache) == "token-2")
  }

  @Test("A fetching caller that is cancelled does not make others fail, and a waiting caller can be cancelled")
  func cancellation() async {
    let source = TokenSource(clock)
    let cache = cache(source)
    source.hold()
    await withTaskGroup(of: Void.self) { group in
      await withTaskGroup(of: Void.self) { leader in
        leader.addTask { #expect(await self.token(cache) == "credentialsUnavailable") }
        while source.count < 1, !Task.isCancelled { await Task.yield() }
        for _ in 0..<20 { group.addTask { #expect(await self.token(cache) == "token-2") } }
        await withTaskGroup(of: Void.self) { waiter in
          waiter.addTask { #expect(await self.token(cache) == "credentialsUnavailable") }
          for _ in 0..<200 { await Task.yield() }
          waiter.cancelAll()
        }
        leader.cancelAll()
        source.open()
      }
    }
    #expect(source.count == 2)
    #expect(await token(cache) == "token-2")
  }
}
#endif
