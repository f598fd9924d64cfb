#if Google
import CloudJobsCore
import CloudJobsHTTP
import HTTPTypes
import Synchronization

/// The keys of an issuer: fetched when they are needed, one fetch at a time, and kept as long as their fields allow.
final class IssuerKeys: Sendable {
  private let url: String
  private let client: any HTTPExchange
  private let clock: any JobClock
  private let cache = Mutex(KeyCache<RS256>())
  private let flight = SingleFlight<Void>(cancelledCode: .keysUnavailable)

  /// Keys that have not been fetched yet.
  init(url: String, client: any HTTPExchange, clock: any JobClock) {
    self.url = url
    self.client = client
    self.clock = clock
  }

  /// The key that a token names.
  ///
  /// - Parameter id: its name.
  /// - Returns: the key; nil where the issuer has none of the name.
  /// - Throws: ``JobError`` `keysUnavailable` where there are no keys that may still serve.
  func key(_ id: String) async throws(JobError) -> RS256? {
    switch step(id) {
    case .use(let key): return key
    case .unknown: return nil
    case .unavailable: throw Self.unavailable("no answer with keys has come yet")
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
    case .unavailable, .fetch: throw failure ?? Self.unavailable("the fetch came to nothing")
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
    let response: HTTPClientResponse
    do throws(HTTPClientError) {
      response = try await client.send(
        HTTPClientRequest(url: url, headers: [.accept: "application/json"], timeout: .seconds(5)))
    } catch {
      throw Self.unavailable(error.message, nativeCode: error.nativeCode)
    }
    guard response.status == 200 else {
      throw Self.unavailable("the issuer refused to send them", nativeCode: "HTTP \(response.status)")
    }
    guard let set = PublicKeySet(parsing: response.body) else {
      throw Self.unavailable("the answer is no JWKS document with an RSA key")
    }
    var keys: [String: RS256] = [:]
    for key in set.keys { keys[key.id] = await RS256(modulus: key.modulus, exponent: key.exponent) }
    guard !keys.isEmpty else { throw Self.unavailable("none of the keys is an RSA key that can be used") }
    return (keys, CacheLifetime.fresh(response.headers))
  }

  private static func unavailable(_ reason: String, nativeCode: String? = nil) -> JobError {
    JobError(
      .keysUnavailable, "The keys of the token's issuer can't be had: \(reason). Deliver again later.",
      nativeCode: nativeCode)
  }
}
#endif
