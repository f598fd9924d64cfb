#if HTTP
import CloudJobsCore

/// The decisions over an issuer's keys, as a value that reads no clock and sends nothing: which to use, when to fetch.
struct KeyCache<Key: Sendable>: Sendable {
  /// What to do for a token that names a key.
  enum Step {
    /// Check its signature by this key.
    case use(Key)
    /// Fetch the keys, or wait for who fetches them, then look again.
    case fetch
    /// Refuse it: the issuer has no such key.
    case unknown
    /// Answer that it can't be checked at present.
    case unavailable
  }

  /// The least time between two fetches that a strange key can cause.
  static var strangeKeyInterval: Duration { .minutes(1) }
  /// The least time between two fetches while they fail and old keys still serve.
  static var failureInterval: Duration { .minutes(1) }
  /// The same while no keys are there.
  static var emptyInterval: Duration { .seconds(5) }
  /// For how long keys serve after their time, while fetches fail.
  static var staleLife: Duration { .hours(24) }

  private var keys: [String: Key] = [:]
  private var freshUntil = Timestamp.distantPast
  private var lastFetch: Timestamp?
  private var isFetching = false

  /// Decides for a token.
  ///
  /// - Parameters:
  ///   - id: the key that the token names.
  ///   - now: the time.
  /// - Returns: what to do.
  func step(for id: String, at now: Timestamp) -> Step {
    let key = keys[id]
    if now < freshUntil {
      if let key { return .use(key) }
      return isFetching || mayFetch(after: Self.strangeKeyInterval, at: now) ? .fetch : .unknown
    }
    let isServing = !keys.isEmpty && now < freshUntil + Self.staleLife
    if isFetching { return .fetch }
    if mayFetch(after: isServing ? Self.failureInterval : Self.emptyInterval, at: now) { return .fetch }
    guard isServing else { return .unavailable }
    return key.map { .use($0) } ?? .unknown
  }

  /// Notes that a fetch begins.
  mutating func fetching(at now: Timestamp) {
    lastFetch = now
    isFetching = true
  }

  /// Notes that a fetch has failed.
  ///
  /// - Parameter isAbandoned: whether it was only given up with the task that made it. Another may then follow at once,
  ///   if no keys are there; where some are, strangers could cause many fetches by going away.
  mutating func failed(isAbandoned: Bool) {
    isFetching = false
    if isAbandoned, keys.isEmpty { lastFetch = nil }
  }

  /// Takes the keys of a fetch in place of all earlier ones.
  mutating func fetched(_ keys: [String: Key], fresh: Duration, at now: Timestamp) {
    isFetching = false
    self.keys = keys
    freshUntil = now + fresh
  }

  /// A clock that was set back must not stop the fetches until it has caught up.
  private func mayFetch(after interval: Duration, at now: Timestamp) -> Bool {
    lastFetch.map { now >= $0 + interval || now < $0 } ?? true
  }
}
#endif
