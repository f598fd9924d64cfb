#if HTTP
import HTTPTypes

/// One header field as the line that libcurl takes.
///
/// A field with a value is `Name: value`, an empty one is `Name;` (https://curl.se/libcurl/c/CURLOPT_HTTPHEADER.html).
enum HeaderLine {
  /// The fields that belong to the message's framing or to the hop, which the client sets by itself [RFC 9110, 7.6.1].
  static let ownedByClient: Set<String> = [
    "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "te", "trailer", "expect",
    "proxy-connection", "proxy-authorization", "proxy-authenticate",
  ]

  /// The line of a field.
  ///
  /// - Throws: `invalidRequest` where the name is not a token or the value holds a control character [RFC 9110, 5.5].
  static func make(name: String, value: some Collection<UInt8>) throws(HTTPClientError) -> [UInt8] {
    guard HTTPField.Name(name) != nil else {
      throw HTTPClientError(
        .invalidRequest, "A header field's name is not a token: use letters, digits and hyphens.")
    }
    guard value.allSatisfy({ $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) }) else {
      throw HTTPClientError(
        .invalidRequest, "The header field \(name) holds a control character: encode the value before sending it.")
    }
    let isBlank = value.allSatisfy { $0 == 0x09 || $0 == 0x20 }
    return Array(name.utf8) + (isBlank ? Array(";".utf8) : Array(": ".utf8) + Array(value))
  }
}
#endif
