#if HTTP
import CloudJobs
import CloudJobsCore
import CloudJobsHTTP
import HTTPTypes

/// One of Google's services over REST: authenticated calls, tried again within a bound while the service is ailing.
struct GoogleCaller: Sendable {
  /// The service, as messages name it.
  var name: String
  /// Sends the requests.
  var client: any HTTPExchange
  /// Makes the header fields that authenticate a call.
  var authorize: @Sendable () async throws(JobError) -> HTTPFields
  /// Measures the delays between tries.
  var clock: any JobClock
  /// Spreads them.
  var random: RandomSource
  /// How often a call is tried.
  var retry: CallRetry
  /// The longest that one try may take.
  var timeout: Duration

  /// Makes a call.
  ///
  /// - Parameters:
  ///   - method: the HTTP method.
  ///   - url: where to.
  ///   - body: the body; nil for none.
  ///   - accepted: statuses besides 2xx that are no failure here.
  /// - Returns: the answer's body; `null` for an accepted status or a body that is no JSON.
  /// - Throws: ``JobError`` `queueUnavailable`, or what the credentials throw.
  func call(
    _ method: HTTPRequest.Method, _ url: String, _ body: JSONValue? = nil, accepting accepted: Set<Int> = []
  ) async throws(JobError) -> JSONValue {
    let bytes = body?.encoded ?? []
    var delay = retry.delay
    for number in 1... {
      var fields = try await authorize()
      if body != nil { fields[.contentType] = "application/json" }
      let request = HTTPClientRequest(method: method, url: url, headers: fields, body: bytes, timeout: timeout)
      switch await attempt(request, accepted) {
      case .success(let value): return value
      case .failure(let fault):
        guard fault.isTransient, number < retry.tries, await pause(delay) else { throw fault.jobError }
        delay = delay + delay
      }
    }
    preconditionFailure("The tries are bounded.")
  }

  private func attempt(_ request: HTTPClientRequest, _ accepted: Set<Int>) async -> Result<JSONValue, GoogleFault> {
    do throws(HTTPClientError) {
      let response = try await client.send(request)
      if accepted.contains(response.status) { return .success(.null) }
      guard (200..<300).contains(response.status) else { return .failure(GoogleFault(name, response)) }
      return .success((try? JSONValue(parsing: response.body, limits: .service)) ?? .null)
    } catch {
      return .failure(GoogleFault(name, error))
    }
  }

  /// Waits, less up to half by chance; false where the task is cancelled.
  private func pause(_ delay: Duration) async -> Bool {
    let half = max(0, delay.microseconds / 2)
    let jitter = random.draw { Int64.random(in: 0...half, using: &$0) }
    return (try? await clock.sleep(until: clock.now() + delay - .microseconds(jitter))) != nil
  }
}
#endif
