/// A status of Google's APIs, with its number on the wire.
///
/// Source: `google.rpc.Code` (<https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto>).
public enum StatusCode: Int, Hashable, Sendable, Codable, CaseIterable {
  /// Success.
  case ok = 0
  /// The caller cancelled.
  case cancelled = 1
  /// An error that has no better code.
  case unknown = 2
  /// The request is wrong, whatever the state of the system.
  case invalidArgument = 3
  /// The time limit ran out.
  case deadlineExceeded = 4
  /// No such entity.
  case notFound = 5
  /// The entity exists, or existed too recently.
  case alreadyExists = 6
  /// The caller may not do this.
  case permissionDenied = 7
  /// A quota is used up.
  case resourceExhausted = 8
  /// The system is not in the state that the request needs.
  case failedPrecondition = 9
  /// A conflict with a concurrent request.
  case aborted = 10
  /// A value lies outside the valid range.
  case outOfRange = 11
  /// The operation is not offered.
  case unimplemented = 12
  /// An invariant is broken.
  case `internal` = 13
  /// The service can't be reached at present.
  case unavailable = 14
  /// Data are lost.
  case dataLoss = 15
  /// The caller is not known.
  case unauthenticated = 16

  /// The name in error bodies, such as `INVALID_ARGUMENT`.
  public var name: String {
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

  /// The HTTP status that carries the code over REST.
  public var httpStatus: Int {
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

  /// The code by which Cloud Tasks and Cloud Scheduler report a target's HTTP status.
  public init(httpStatus: Int) {
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
