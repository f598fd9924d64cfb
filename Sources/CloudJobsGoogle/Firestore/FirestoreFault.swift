#if HTTP
import CloudJobsCore
import CloudJobsHTTP

/// Why a call to Firestore has no result.
enum FirestoreFault: Error, Sendable {
  /// The service refused the call.
  case refused(Code, status: Int, message: String, retryAfter: Duration?)
  /// There is no complete answer.
  case unanswered(HTTPClientError)
  /// No credentials could be had.
  case unauthorized(JobError)
  /// The answer is not what the service documents.
  case unreadable(status: Int)

  /// The service's own codes.
  ///
  /// Source: <https://cloud.google.com/apis/design/errors#handling_errors>.
  enum Code: String, Sendable {
    case cancelled = "CANCELLED"
    case unknown = "UNKNOWN"
    case invalidArgument = "INVALID_ARGUMENT"
    case deadlineExceeded = "DEADLINE_EXCEEDED"
    case notFound = "NOT_FOUND"
    case alreadyExists = "ALREADY_EXISTS"
    case permissionDenied = "PERMISSION_DENIED"
    case unauthenticated = "UNAUTHENTICATED"
    case resourceExhausted = "RESOURCE_EXHAUSTED"
    case failedPrecondition = "FAILED_PRECONDITION"
    case aborted = "ABORTED"
    case outOfRange = "OUT_OF_RANGE"
    case unimplemented = "UNIMPLEMENTED"
    case `internal` = "INTERNAL"
    case unavailable = "UNAVAILABLE"
    case dataLoss = "DATA_LOSS"

    /// The code of a refusal that names none, as a proxy's.
    init(status: Int) {
      switch status {
      case 400, 405, 411, 413: self = .invalidArgument
      case 401: self = .unauthenticated
      case 403: self = .permissionDenied
      case 404: self = .notFound
      case 408, 504: self = .deadlineExceeded
      case 409: self = .aborted
      case 429: self = .resourceExhausted
      case 501: self = .unimplemented
      case 503: self = .unavailable
      default: self = .unknown
      }
    }
  }

  /// The fault of an answer whose status is no success, or which reports an error in its list.
  init(status: Int, error: JSONValue?, retryAfter: Duration?) {
    let code = error?["status"]?.string.flatMap { Code(rawValue: $0) } ?? Code(status: status)
    self = .refused(code, status: status, message: error?["message"]?.string ?? "", retryAfter: retryAfter)
  }

  /// Whether the call was refused with a code.
  func isRefusal(_ code: Code) -> Bool {
    if case .refused(code, _, _, _) = self { true } else { false }
  }
}
#endif
