#if HTTP
import CloudJobs
import CloudJobsCore
import CloudJobsHTTP
import HTTPTypes

/// A REST client for one Google service: authenticated calls, retried on transient errors within a bound.
///
/// All calls are idempotent, because the resources that they create have names.
struct GoogleCaller: Sendable {
  /// The service's name in error messages.
  let name: String
  /// The endpoint and its credentials.
  let access: GoogleAccess
  /// The HTTP client.
  let client: any HTTPExchange
  /// The clock for retry delays.
  let clock: any JobClock
  /// The source of their jitter.
  let random: RandomSource
  /// The retry policy.
  let retry: CallRetry
  /// The timeout of one attempt.
  let timeout: Duration

  /// Creates a client for one service of Google Cloud.
  init(_ name: String, _ access: GoogleAccess, in google: GoogleCloud, retry: CallRetry, timeout: Duration) {
    self.name = name
    self.access = access
    client = google.client
    clock = google.clock
    random = google.random
    self.retry = retry
    self.timeout = timeout
  }

  /// Calls a method, with retries.
  ///
  /// - Parameters:
  ///   - method: the HTTP method.
  ///   - path: the path after the service's base URL.
  ///   - body: the request's body; nil for none.
  ///   - accepted: statuses besides 2xx that count as success; `ABORTED` never does, though its status is 409.
  /// - Returns: the response's body; `null` for an accepted status or a body that is not JSON.
  /// - Throws: ``JobError`` `queueUnavailable`, or the credentials' error.
  func call(
    _ method: HTTPRequest.Method, _ path: String, _ body: JSONValue? = nil, accepting accepted: Set<Int> = []
  ) async throws(JobError) -> JSONValue {
    let bytes = body?.encoded ?? []
    var delays = RetryDelays(first: retry.delay)
    for number in 1... {
      var fields = try await access.credentials.headers()
      if body != nil { fields[.contentType] = "application/json" }
      let request = HTTPExchangeRequest(
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
    preconditionFailure("The attempts are bounded.")
  }

  private func attempt(_ request: HTTPExchangeRequest, _ accepted: Set<Int>) async -> Result<JSONValue, GoogleFault> {
    do throws(HTTPExchangeError) {
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

/// Attempts and delays of a call to a Google service.
public struct CallRetry: Hashable, Sendable {
  /// The number of attempts in all, at least one.
  public var tries = 3
  /// The delay before the second attempt; it doubles with each further one, reduced by up to half as jitter.
  public var delay = Duration.milliseconds(200)

  /// Creates the default policy of three attempts.
  public init() {}
}

/// The delay that a response asks for before the next call.
enum RequestedDelay {
  private static let retryInfo = "type.googleapis.com/google.rpc.RetryInfo"

  /// Returns the delay of the `Retry-After` header, or else of the error's `RetryInfo` detail.
  ///
  /// Source: <https://google.aip.dev/194> and `google/rpc/error_details.proto`.
  ///
  /// - Parameters:
  ///   - response: the response.
  ///   - error: the error in its body.
  ///   - time: the time at which it was received.
  /// - Returns: the delay; nil if the response asks for none.
  static func span(_ response: HTTPExchangeResponse, error: JSONValue?, at time: Timestamp) -> Duration? {
    if let span = RetryAfter.span(response.headers[.retryAfter], at: time) { return span }
    let details = error?["details"]?.array ?? []
    let text = details.first { $0["@type"]?.string == retryInfo }?["retryDelay"]?.string
    return text.flatMap { WireDuration.parse($0) }.map { max(.zero, $0) }
  }
}

/// A failed call to a Google service, and the one table of what its statuses mean.
struct GoogleFault: Error {
  /// The service's name in messages.
  var service: String
  /// The HTTP status; nil if there was no response.
  var status: Int?
  /// What failed and the remedy, as sentences.
  var message: String
  /// The native code of the transport or the service.
  var nativeCode: String?
  /// Whether the same call may succeed shortly.
  var isTransient: Bool
  /// Whether the service aborted the call because of contention: a 409 like `ALREADY_EXISTS`, but not a success.
  var isAborted = false
  /// The delay that the service asked for; nil if it asked for none.
  var retryAfter: Duration?

  /// Creates the failure of a response received at a time.
  init(_ service: String, _ response: HTTPExchangeResponse, at time: Timestamp) {
    let error = try? JSONValue(parsing: response.body, limits: .service)["error"]
    let text = error?["message"]?.string ?? "It gives no reason"
    self.service = service
    status = response.status
    nativeCode = "HTTP \(response.status)"
    isAborted = error?["status"]?.string == "ABORTED"
    isTransient = isAborted || Self.isTransient(response.status)
    retryAfter = RequestedDelay.span(response, error: error, at: time)
    let reason = text.hasSuffix(".") ? text : text + "."
    message = "\(service) refused the call: \(reason)" + (Self.remedy(response.status).map { " \($0)" } ?? "")
  }

  /// Creates the failure of a call without a response.
  init(_ service: String, _ error: HTTPExchangeError) {
    self.service = service
    status = nil
    nativeCode = error.nativeCode
    isTransient = Self.isTransient(error.code)
    message = "\(service) could not be reached: \(error.message)"
  }

  /// The error for the caller.
  var jobError: JobError { JobError(.queueUnavailable, message, nativeCode: nativeCode) }

  /// Whether a status means that the service is overloaded or temporarily failing.
  ///
  /// Source: <https://cloud.google.com/apis/design/errors#error_retries>; 429 is a short-term quota.
  static func isTransient(_ status: Int) -> Bool {
    switch status {
    case 408, 429, 500, 502, 503, 504: true
    default: false
    }
  }

  /// Whether a call without a response may be repeated; all calls made here are idempotent.
  static func isTransient(_ code: HTTPExchangeError.Code) -> Bool {
    switch code {
    case .couldNotResolve, .couldNotConnect, .connectionClosed, .timedOut, .tooManyRequests, .transferFailed: true
    default: false
    }
  }

  /// The remedy for a status.
  static func remedy(_ status: Int) -> String? {
    switch status {
    case 400: "Correct the request as the message says."
    case 401: "The credentials are not valid: renew them."
    case 403: "Give the service account the role that the call needs, and enable the service in the project."
    case 404: "Create it first, or correct project, location and name."
    case 413: "Send less."
    case 429: "The quota is exhausted: slow down, or request a higher one."
    case 500...: "Retry shortly."
    default: nil
    }
  }
}
#endif
