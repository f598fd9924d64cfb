/// A status code of Google's APIs, with its number on the wire.
///
/// Source: `google.rpc.Code` (<https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto>).
package enum StatusCode: Int, Hashable, Sendable, Codable, CaseIterable {
  /// Success.
  case ok = 0
  /// The operation was cancelled.
  case cancelled = 1
  /// An error without a more specific code.
  case unknown = 2
  /// The request is invalid regardless of the system's state.
  case invalidArgument = 3
  /// The deadline expired.
  case deadlineExceeded = 4
  /// The entity does not exist.
  case notFound = 5
  /// The entity exists or existed too recently.
  case alreadyExists = 6
  /// The caller lacks permission.
  case permissionDenied = 7
  /// A quota is exhausted.
  case resourceExhausted = 8
  /// The system is not in the required state.
  case failedPrecondition = 9
  /// The request conflicts with a concurrent one.
  case aborted = 10
  /// A value is outside the valid range.
  case outOfRange = 11
  /// The operation is not supported.
  case unimplemented = 12
  /// An internal invariant is violated.
  case `internal` = 13
  /// The service is currently unavailable.
  case unavailable = 14
  /// Data was lost.
  case dataLoss = 15
  /// The caller is not authenticated.
  case unauthenticated = 16

  /// The name in error bodies, such as `INVALID_ARGUMENT`.
  package var name: String {
    switch self {
    case .ok: "OK"
    case .cancelled: "CANCELLED"
    case .unknown: "UNKNOWN"
    case .invalidArgument: "INVALID_ARGUMENT"
    case .deadlineExceeded: "DEADLINE_EXCEEDED"
    case .notFound: "NOT_FOUND"
    case .alreadyExists: "ALREADY_EXISTS"
    case .permissionDenied: "PERMISSION_DENIED"
    case .resourceExhausted: "RESOURCE_EXHAUSTED"
    case .failedPrecondition: "FAILED_PRECONDITION"
    case .aborted: "ABORTED"
    case .outOfRange: "OUT_OF_RANGE"
    case .unimplemented: "UNIMPLEMENTED"
    case .internal: "INTERNAL"
    case .unavailable: "UNAVAILABLE"
    case .dataLoss: "DATA_LOSS"
    case .unauthenticated: "UNAUTHENTICATED"
    }
  }

  /// The HTTP status of the code in REST responses.
  package var httpStatus: Int {
    switch self {
    case .ok: 200
    case .cancelled: 499
    case .invalidArgument, .failedPrecondition, .outOfRange: 400
    case .deadlineExceeded: 504
    case .notFound: 404
    case .alreadyExists, .aborted: 409
    case .permissionDenied: 403
    case .resourceExhausted: 429
    case .unimplemented: 501
    case .unavailable: 503
    case .unauthenticated: 401
    case .unknown, .internal, .dataLoss: 500
    }
  }

  /// Creates the code that Cloud Tasks and Cloud Scheduler report for a target's HTTP status.
  package init(httpStatus: Int) {
    switch httpStatus {
    case 200..<300: self = .ok
    case 401: self = .unauthenticated
    case 403: self = .permissionDenied
    case 404: self = .notFound
    case 409: self = .aborted
    case 429: self = .resourceExhausted
    case 499: self = .cancelled
    case 400: self = .invalidArgument
    case 402..<500: self = .failedPrecondition
    case 501: self = .unimplemented
    case 503: self = .unavailable
    case 504: self = .deadlineExceeded
    case 500...: self = .internal
    default: self = .unknown
    }
  }
}

/// The result of an attempt as a `google.rpc.Status`.
package struct RPCStatus: Hashable, Sendable, Codable {
  /// The code; `ok` for success.
  package var code: StatusCode
  /// A message such as `INTERNAL(13): HTTP status code 502`; empty for success.
  package var message: String

  /// Creates a status.
  package init(code: StatusCode, message: String) {
    self.code = code
    self.message = message
  }

  /// Creates the status that the services record for an outcome.
  package init(_ outcome: DeliveryOutcome) {
    switch outcome {
    case .response(let status, _):
      code = StatusCode(httpStatus: status)
      message = code == .ok ? "" : "\(code.name)(\(code.rawValue)): HTTP status code \(status)"
    case .timedOut:
      code = .deadlineExceeded
      message = "\(code.name)(\(code.rawValue)): HTTP status code 504"
    case .connectionFailed(let reason):
      code = .unavailable
      message = "\(code.name)(\(code.rawValue)): \(reason)"
    }
  }
}
