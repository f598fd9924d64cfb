#if HTTP
import HTTPTypes

/// An answer as it came off the wire; the caller's task parses it, so that the I/O thread need not.
struct RawResponse: Sendable {
  /// The status code.
  var status: Int
  /// The status line and the field lines of the final answer, with their terminators.
  var head: [UInt8]
  /// The body.
  var body: [UInt8]

  /// The answer with its header parsed.
  ///
  /// A line that continues the one before it is joined by a space [RFC 9112, 5.2]; a line without a colon or with a
  /// name that is not a token is left out, as the peer's fault must not hide its answer.
  func parsed() -> HTTPClientResponse {
    var fields: [(name: HTTPField.Name, value: [UInt8])] = []
    for line in head.split(separator: 0x0A).dropFirst() {
      if Self.isBlank(line[line.startIndex]) {
        if !fields.isEmpty { fields[fields.count - 1].value += [0x20] + Self.trimmed(line) }
      } else if let colon = line.firstIndex(of: 0x3A) {
        guard let name = HTTPField.Name(String(decoding: line[..<colon], as: UTF8.self)) else { continue }
        fields.append((name, Array(Self.trimmed(line[(colon + 1)...]))))
      }
    }
    var headers = HTTPFields()
    for field in fields { headers.append(HTTPField(name: field.name, value: field.value)) }
    return HTTPClientResponse(status: status, headers: headers, body: body)
  }

  private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var rest = line
    while let first = rest.first, isBlank(first) { rest = rest.dropFirst() }
    while let last = rest.last, isBlank(last) { rest = rest.dropLast() }
    return rest
  }

  /// Space, tab, and the carriage return that ends a line.
  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
}
#endif
