#if HTTP
import CloudJobs
import CloudJobsCore
import CloudJobsHTTP
import HTTPTypes

/// One of Google's services over REST: authenticated calls, tried again within a bound while the service is ailing.
///
/// All calls made by it mean the same when they come twice, as what they create has a name.
struct GoogleCaller: Sendable {
  /// The service, as messages name it.
  let name: String
  /// Where it is, and what authenticates a call.
  let access: GoogleAccess
  /// Sends the requests.
  let client: any HTTPExchange
  /// Measures the delays between tries.
  let clock: any JobClock
  /// Spreads them.
  let random: RandomSource
  /// How often a call is tried.
  let retry: CallRetry
  /// The longest that one try may take.
  let timeout: Duration

  /// What calls one of Google Cloud's services.
  init(_ name: String, _ access: GoogleAccess, in google: GoogleCloud, retry: CallRetry, timeout: Duration) {
    self.name = name
    self.access = access
    client = google.client
    clock = google.clock
    random = google.random
    self.retry = retry
    self.timeout = timeout
  }

  /// Makes a call.
  ///
  /// - Parameters:
  ///   - method: the HTTP method.
  ///   - path: where to: what follows the service's address.
  ///   - body: the body; nil for none.
  ///   - accepted: statuses besides 2xx that are no failure here; ABORTED is one nevertheless, though it is a 409.
  /// - Returns: the answer's body; `null` for an accepted status or a body that is no JSON.
  /// - Throws: ``JobError`` `queueUnavailable`, or what the credentials throw.
  func call(
    _ method: HTTPRequest.Method, _ path: String, _ body: JSONValue? = nil, accepting accepted: Set<Int> = []
  ) async throws(JobError) -> JSONValue {
    let bytes = body?.encoded ?? []
    var delays = RetryDelays(first: retry.delay)
    for number in 1... {
      var fields = try await access.credentials.headers()
      if body != nil { fields[.contentType] = "application/json" }
      let request = HTTPClientRequest(
        method: method, url: access.endpoint + path, headers: fields, body: bytes, timeout: timeout, isIdempotent: true)
      switch await attempt(request, accepted) {
      case .success(let value): return value
      case .failure(let fault):
        guard fault.isTransient, number < retry.tries,
          let delay = random.draw({ delays.next(asked: fault.retryAfter, random: &$0) }),
          (try? await clock.sleep(until: clock.now() + delay)) != nil
        else { throw fault.jobError }
      }
    }
    preconditionFailure("The tries are bounded.")
  }

  private func attempt(_ request: HTTPClientRequest, _ accepted: Set<Int>) async -> Result<JSONValue, GoogleFault> {
    do throws(HTTPClientError) {
      let response = try await client.send(request)
      guard (200..<300).contains(response.status) else {
        let fault = GoogleFault(name, response, at: clock.now())
        return accepted.contains(response.status) && !fault.isAborted ? .success(.null) : .failure(fault)
      }
      return .success((try? JSONValue(parsing: response.body, limits: .service)) ?? .null)
    } catch {
      return .failure(GoogleFault(name, error))
    }
  }
}
#endif
