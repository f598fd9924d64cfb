/// How a delivery ended.
public enum DispatchOutcome: Hashable, Sendable {
  /// The target answered.
  case response(status: Int, headers: [HeaderField] = [])
  /// The deadline passed first.
  case timedOut
  /// The target could not be reached, or hung up; with the reason.
  case connectionFailed(String)

  /// Whether the answer's status is 2xx.
  public var isSuccess: Bool {
    if case .response(let status, _) = self { (200..<300).contains(status) } else { false }
  }

  /// The HTTP status that the services report: 504 for a timeout, 503 where there was no connection.
  public var reportedStatus: Int {
    switch self {
    case .response(let status, _): status
    case .timedOut: 504
    case .connectionFailed: 503
    }
  }

  /// Whether an answer came.
  public var hasResponse: Bool {
    if case .response = self { true } else { false }
  }
}

extension DispatchOutcome: CustomStringConvertible {
  /// The outcome in a word or two.
  public var description: String {
    switch self {
    case .response(let status, _): "HTTP \(status)"
    case .timedOut: "timeout"
    case .connectionFailed(let reason): "no connection (\(reason))"
    }
  }
}
