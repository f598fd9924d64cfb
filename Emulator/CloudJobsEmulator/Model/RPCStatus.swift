/// The result of an attempt, as `google.rpc.Status` carries it.
public struct RPCStatus: Hashable, Sendable, Codable {
  /// The code; `ok` for a success.
  public var code: StatusCode
  /// Words for a person, such as `INTERNAL(13): HTTP status code 502`; empty for a success.
  public var message: String

  /// A status with its message.
  public init(code: StatusCode, message: String) {
    self.code = code
    self.message = message
  }

  /// The status that the services record for an outcome.
  public init(_ outcome: DispatchOutcome) {
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
