/// Reads the Retry-After header: seconds, or an HTTP date.
///
/// Source: RFC 9110, 10.2.3 (<https://www.rfc-editor.org/rfc/rfc9110#field.retry-after>).
package enum RetryAfter {
  /// The span from now that a header asks for, or nil where there is none that can be read.
  package static func span(_ value: String?, at now: Timestamp) -> Duration? {
    guard let value else { return nil }
    if let seconds = Int64(value), seconds >= 0 { return .seconds(min(seconds, 86_400)) }
    let parts = value.split(separator: " ")
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    guard parts.count == 6, parts[5] == "GMT", parts[1].utf8.count == 2,
      let month = months.firstIndex(of: String(parts[2]))
    else { return nil }
    let number = month + 1
    let text = "\(parts[3])-\(number < 10 ? "0" : "")\(number)-\(parts[1])T\(parts[4])Z"
    return Timestamp(rfc3339: text).map { max(.zero, $0 - now) }
  }
}
