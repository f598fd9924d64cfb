#if HTTP
import CloudJobsCore
import CloudJobsHTTP

/// Why a call to one of Google's services failed, and what that means: the one table of its statuses.
struct GoogleFault: Error {
  /// The service, as messages name it.
  var service: String
  /// The HTTP status; nil where there was no answer.
  var status: Int?
  /// What failed and the remedy, as sentences.
  var message: String
  /// The transport's or the service's own code.
  var nativeCode: String?
  /// Whether the same call may succeed in a moment.
  var isTransient: Bool
  /// Whether the service gave the call up for another's sake: a 409 like ALREADY_EXISTS, and its very opposite.
  var isAborted = false
  /// How long the service asks to wait before it is called again, where it does.
  var retryAfter: Duration?

  /// The fault of an answer that came at a time.
  init(_ service: String, _ response: HTTPClientResponse, at time: Timestamp) {
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

  /// The fault of a call without an answer.
  init(_ service: String, _ error: HTTPClientError) {
    self.service = service
    status = nil
    nativeCode = error.nativeCode
    isTransient = Self.isTransient(error.code)
    message = "\(service) could not be reached: \(error.message)"
  }

  /// The error that callers get.
  var jobError: JobError { JobError(.queueUnavailable, message, nativeCode: nativeCode) }

  /// Whether a status says that the service is busy or ailing.
  ///
  /// Source: <https://cloud.google.com/apis/design/errors#error_retries>, and 429 as the quota of a short while.
  static func isTransient(_ status: Int) -> Bool {
    switch status {
    case 408, 429, 500, 502, 503, 504: true
    default: false
    }
  }

  /// Whether a call without an answer may be repeated: all calls made here mean the same when they come twice.
  static func isTransient(_ code: HTTPClientError.Code) -> Bool {
    switch code {
    case .couldNotResolve, .couldNotConnect, .connectionClosed, .timedOut, .tooManyRequests, .transferFailed: true
    default: false
    }
  }

  /// What a person does about a status.
  static func remedy(_ status: Int) -> String? {
    switch status {
    case 400: "Correct what the message names."
    case 401: "The credentials are not valid: renew them."
    case 403: "Give the service account the role that the call needs, and enable the service in the project."
    case 404: "Create it first, or correct project, location and name."
    case 413: "Send less."
    case 429: "The quota is used up for now: slow down, or ask for more."
    case 500...: "Try again in a moment."
    default: nil
    }
  }
}
#endif
