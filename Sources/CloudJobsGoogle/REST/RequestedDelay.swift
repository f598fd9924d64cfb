#if HTTP
import CloudJobsCore
import CloudJobsHTTP
import HTTPTypes

/// How long an answer asks to wait before the service is called again.
enum RequestedDelay {
  private static let retryInfo = "type.googleapis.com/google.rpc.RetryInfo"

  /// The span that the answer's Retry-After asks for, or else the detail `RetryInfo` of its error.
  ///
  /// Source: <https://google.aip.dev/194> and `google/rpc/error_details.proto`.
  ///
  /// - Parameters:
  ///   - response: the answer.
  ///   - error: the error in its body.
  ///   - time: when it came.
  /// - Returns: the span; nil where the answer asks for none.
  static func span(_ response: HTTPClientResponse, error: JSONValue?, at time: Timestamp) -> Duration? {
    if let span = RetryAfter.span(response.headers[.retryAfter], at: time) { return span }
    let details = error?["details"]?.array ?? []
    let text = details.first { $0["@type"]?.string == retryInfo }?["retryDelay"]?.string
    return text.flatMap { WireDuration.parse($0) }.map { max(.zero, $0) }
  }
}
#endif
