#if HTTP
import CloudJobsCore
import CloudJobsHTTP
import HTTPTypes
import Synchronization

#if Google
/// An issuer's public keys, fetched on demand by one fetch at a time and cached as long as the response allows.
final class IssuerKeys: Sendable {
  private let url: String
  private let client: any HTTPExchange
  private let clock: any JobClock
  private let cache = Mutex(KeyCache<RS256>())
  private let flight = SingleFlight<Void>(cancelledCode: .keysUnavailable)

  /// Creates an empty cache.
  init(url: String, client: any HTTPExchange, clock: any JobClock) {
    self.url = url
    self.client = client
    self.clock = clock
  }

  /// Returns the key with an id.
  ///
  /// - Parameter id: the key id.
  /// - Returns: the key; nil if the issuer has no key with that id.
  /// - Throws: ``JobError`` `keysUnavailable` if no usable keys are cached and none can be fetched.
  func key(_ id: String) async throws(JobError) -> RS256? {
    switch step(id) {
    case .use(let key): return key
    case .unknown: return nil
    case .unavailable: throw Self.unavailable("no keys have been fetched yet")
    case .fetch: break
    }
    var failure: JobError?
    do throws(JobError) {
      try await flight.run { () async throws(JobError) in
        if case .fetch = step(id) { try await refresh() }
      }
    } catch {
      failure = error
    }
    switch step(id) {
    case .use(let key): return key
    case .unknown: return nil
    case .unavailable, .fetch: throw failure ?? Self.unavailable("the fetch failed")
    }
  }

  private func step(_ id: String) -> KeyCache<RS256>.Step {
    let now = clock.now()
    return cache.withLock { $0.step(for: id, at: now) }
  }

  private func refresh() async throws(JobError) {
    let start = clock.now()
    cache.withLock { $0.fetching(at: start) }
    do throws(JobError) {
      let (keys, fresh) = try await fetch()
      cache.withLock { $0.fetched(keys, fresh: fresh, at: start) }
    } catch {
      let isAbandoned = Task.isCancelled
      cache.withLock { $0.failed(isAbandoned: isAbandoned) }
      throw error
    }
  }

  private func fetch() async throws(JobError) -> (keys: [String: RS256], fresh: Duration) {
    let response: HTTPExchangeResponse
    do throws(HTTPExchangeError) {
      response = try await client.send(
        HTTPExchangeRequest(url: url, headers: [.accept: "application/json"], timeout: .seconds(5)))
    } catch {
      throw Self.unavailable(error.message, nativeCode: error.nativeCode)
    }
    guard response.status == 200 else {
      throw Self.unavailable("the issuer rejected the request", nativeCode: "HTTP \(response.status)")
    }
    guard let set = PublicKeySet(parsing: response.body) else {
      throw Self.unavailable("the response is not a JWKS document with an RSA key")
    }
    var keys: [String: RS256] = [:]
    for key in set.keys { keys[key.id] = await RS256(modulus: key.modulus, exponent: key.exponent) }
    guard !keys.isEmpty else { throw Self.unavailable("none of the keys is a usable RSA key") }
    return (keys, CacheLifetime.fresh(response.headers))
  }

  private static func unavailable(_ reason: String, nativeCode: String? = nil) -> JobError {
    JobError(
      .keysUnavailable, "The keys of the token's issuer are unavailable: \(reason). Deliver again later.",
      nativeCode: nativeCode)
  }
}
#endif

/// The state of an issuer's cached keys, as a value without clock or I/O: which key to use, and when to fetch.
struct KeyCache<Key: Sendable>: Sendable {
  /// The next step for a token's key.
  enum Step {
    /// Verify the signature with this key.
    case use(Key)
    /// Fetch the keys, or wait for the fetch under way, then check again.
    case fetch
    /// Reject the token: the issuer has no such key.
    case unknown
    /// Fail, because the token can't be verified at present.
    case unavailable
  }

  /// The minimum interval between fetches caused by unknown key ids.
  static var unknownKeyInterval: Duration { .minutes(1) }
  /// The minimum interval between fetches while they fail and old keys are still usable.
  static var failureInterval: Duration { .minutes(1) }
  /// The minimum interval between fetches while no keys are cached.
  static var emptyInterval: Duration { .seconds(5) }
  /// The time for which keys stay usable after they expire, while fetches fail.
  static var staleLife: Duration { .hours(24) }

  private var keys: [String: Key] = [:]
  private var freshUntil = Timestamp.distantPast
  private var lastFetch: Timestamp?
  private var isFetching = false

  /// Returns the next step for a token's key.
  ///
  /// - Parameters:
  ///   - id: the key id.
  ///   - now: the current time.
  /// - Returns: the next step.
  func step(for id: String, at now: Timestamp) -> Step {
    let key = keys[id]
    if now < freshUntil {
      if let key { return .use(key) }
      return isFetching || mayFetch(after: Self.unknownKeyInterval, at: now) ? .fetch : .unknown
    }
    let isServing = !keys.isEmpty && now < freshUntil + Self.staleLife
    if isFetching { return .fetch }
    if mayFetch(after: isServing ? Self.failureInterval : Self.emptyInterval, at: now) { return .fetch }
    guard isServing else { return .unavailable }
    return key.map { .use($0) } ?? .unknown
  }

  /// Records the start of a fetch.
  mutating func fetching(at now: Timestamp) {
    lastFetch = now
    isFetching = true
  }

  /// Records a failed fetch.
  ///
  /// - Parameter isAbandoned: whether the fetch ended because its task was cancelled. Without cached keys the next
  ///   fetch may then follow at once; with some, callers that disconnect must not be able to cause many fetches.
  mutating func failed(isAbandoned: Bool) {
    isFetching = false
    if isAbandoned, keys.isEmpty { lastFetch = nil }
  }

  /// Replaces all keys with those of a fetch.
  mutating func fetched(_ keys: [String: Key], fresh: Duration, at now: Timestamp) {
    isFetching = false
    self.keys = keys
    freshUntil = now + fresh
  }

  /// A clock that was set back must not stop fetches until it has caught up.
  private func mayFetch(after interval: Duration, at now: Timestamp) -> Bool {
    lastFetch.map { now >= $0 + interval || now < $0 } ?? true
  }
}

/// The keys of a JWKS document (<https://www.rfc-editor.org/rfc/rfc7517#section-5>).
struct PublicKeySet: Hashable, Sendable {
  /// An RSA public key, its numbers in Base64url.
  struct Key: Hashable, Sendable {
    /// The key id.
    var id: String
    /// The modulus, `n`.
    var modulus: String
    /// The exponent, `e`.
    var exponent: String
  }

  /// The maximum size of a document in bytes.
  static let maximumBytes = 65_536
  /// The maximum number of keys.
  static let maximumKeys = 32

  /// The usable keys, in their order.
  let keys: [Key]

  /// Parses a document; nil if it is invalid or has no usable key.
  ///
  /// Skipped are keys of other types, uses or algorithms, keys that are too short or too long, and keys without an id
  /// or with a repeated one.
  init?(parsing bytes: [UInt8]) {
    let limits = JSONLimits(bytes: Self.maximumBytes, depth: 8)
    guard let values = (try? JSONValue(parsing: bytes, limits: limits))?["keys"]?.array else { return nil }
    var ids = Set<String>()
    keys = values.prefix(Self.maximumKeys).compactMap { Self.key($0) }.filter { ids.insert($0.id).inserted }
    if keys.isEmpty { return nil }
  }

  private static func key(_ value: JSONValue) -> Key? {
    guard value["kty"]?.string == "RSA", value["use"] == nil || value["use"]?.string == "sig",
      value["alg"] == nil || value["alg"]?.string == "RS256",
      let id = value["kid"]?.string, (1...CompactToken.maximumKeyIDBytes).contains(id.utf8.count),
      let modulus = value["n"]?.string, let modulusBytes = Base64URL.decode(Array(modulus.utf8)),
      (256...1_024).contains(modulusBytes.count),
      let exponent = value["e"]?.string, let exponentBytes = Base64URL.decode(Array(exponent.utf8)),
      (1...8).contains(exponentBytes.count)
    else { return nil }
    return Key(id: id, modulus: modulus, exponent: exponent)
  }
}

/// The cache lifetime of a response by its header fields (<https://www.rfc-editor.org/rfc/rfc9111#section-4.2>).
enum CacheLifetime {
  /// The minimum lifetime, so that no header field causes a fetch per request.
  static let shortest = Duration.minutes(1)
  /// The maximum lifetime, so that no header field keeps a revoked key forever.
  static let longest = Duration.days(1)
  /// The lifetime of a response without caching fields.
  static let usual = Duration.minutes(5)

  /// Returns the remaining freshness of a response: its `max-age` less its `Age`, within bounds.
  static func fresh(_ fields: HTTPFields) -> Duration {
    let directives = fields[values: .cacheControl].joined(separator: ",").lowercased().split(separator: ",")
      .map { directive in directive.drop { $0 == " " || $0 == "\t" } }
    if directives.contains(where: { $0.hasPrefix("no-store") || $0.hasPrefix("no-cache") }) { return shortest }
    guard let directive = directives.first(where: { $0.hasPrefix("max-age=") }),
      let seconds = number(directive.dropFirst(8))
    else { return usual }
    let age = fields[.age].flatMap { number($0[...]) } ?? 0
    return min(max(.seconds(seconds - min(age, seconds)), shortest), longest)
  }

  private static func number(_ text: Substring) -> Int64? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let value = Int64(digits.prefix(12)), digits.count <= 12, value >= 0 else { return nil }
    return value
  }
}
#endif
