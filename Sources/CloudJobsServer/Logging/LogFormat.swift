#if Server
/// The form of a program's log on standard error.
public enum LogFormat: String, Hashable, Sendable, CaseIterable {
  /// JSON on Cloud Run, where the variable `K_SERVICE` is set, and text elsewhere.
  case auto
  /// One line of JSON for each record, as Cloud Logging reads it.
  case json
  /// One line of text for each record.
  case text

  /// Whether records are JSON.
  ///
  /// - Parameter environment: the environment variables.
  /// - Returns: the choice.
  func isJSON(in environment: [String: String]) -> Bool {
    switch self {
    case .auto: !(environment["K_SERVICE"] ?? "").isEmpty
    case .json: true
    case .text: false
    }
  }
}
#endif
