#if HTTP
import HTTPTypes

/// A validated request in the form that a transfer needs.
struct PreparedRequest: Sendable {
  /// The method's token.
  let method: String
  /// The validated URL.
  let url: String
  /// The host and port, by which connections are counted and which errors name.
  let host: String
  /// The header lines, without terminators.
  let headerLines: [[UInt8]]
  /// The body; empty for none.
  let body: [UInt8]
  /// Whether the request may be sent again after bytes of it were written.
  let isIdempotent: Bool
  /// Whether the request uses TLS.
  var isSecure: Bool { url.prefix(6).lowercased() == "https:" }

  /// Validates a request against a client's rules.
  ///
  /// - Throws: `invalidURL` or `invalidRequest`.
  init(_ request: HTTPExchangeRequest, options: CurlHTTPClient.Options) throws(HTTPExchangeError) {
    host = try Self.host(of: request.url, schemes: options.allowedSchemes)
    guard request.method != .connect else {
      throw HTTPExchangeError(.invalidRequest, "CONNECT is not supported: use another method.")
    }
    guard request.method != .head || request.body.isEmpty else {
      throw HTTPExchangeError(.invalidRequest, "A HEAD request can't have a body: omit it, or use another method.")
    }
    method = request.method.rawValue
    url = request.url
    body = request.body
    isIdempotent = request.isIdempotent ?? Self.idempotentMethods.contains(request.method)
    headerLines = try Self.lines(of: request, userAgent: options.userAgent)
  }

  /// The idempotent methods [RFC 9110, 9.2.2]; all others are treated as not idempotent.
  private static let idempotentMethods: Set<HTTPRequest.Method> = [.get, .head, .options, .trace, .put, .delete]

  /// The maximum size of a URL in bytes; RFC 9110, 4.1 recommends at least 8,000.
  static let maxURLBytes = 16 * 1024

  private static func host(
    of url: String, schemes: Set<CurlHTTPClient.Options.Scheme>
  ) throws(HTTPExchangeError) -> String {
    guard url.utf8.count <= maxURLBytes else {
      throw HTTPExchangeError(.invalidURL, "The URL is longer than \(maxURLBytes) bytes: send the data in the body.")
    }
    guard url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw HTTPExchangeError(
        .invalidURL, "The URL holds a space, a control character or one outside ASCII: percent-encode it.")
    }
    let scheme = url.prefix { $0 != ":" }.lowercased()
    let rest = url.dropFirst(scheme.count)
    guard rest.hasPrefix("://"), rest.dropFirst(3).first != "/", schemes.contains(where: { $0.rawValue == scheme })
    else {
      let names = schemes.map { "\($0.rawValue)://" }.sorted().joined(separator: " or ")
      throw HTTPExchangeError(.invalidURL, "The URL does not start with \(names): give an absolute URL.")
    }
    let parts = try CurlURL.parse(url)
    return "\(parts.host):\(parts.port)"
  }

  private static func lines(of request: HTTPExchangeRequest, userAgent: String) throws(HTTPExchangeError) -> [[UInt8]] {
    var lines: [[UInt8]] = []
    for field in request.headers where !HeaderLine.ownedByClient.contains(field.name.canonicalName) {
      let value = field.withUnsafeBytesOfValue { Array($0) }
      lines.append(try HeaderLine.make(name: field.name.rawName, value: value))
    }
    if !userAgent.isEmpty, request.headers[.userAgent] == nil {
      lines.append(try HeaderLine.make(name: "User-Agent", value: userAgent.utf8))
    }
    // A name with a colon and no value removes a field that libcurl would add.
    lines.append(Array("Expect:".utf8))
    if request.headers[.accept] == nil { lines.append(Array("Accept:".utf8)) }
    if request.headers[.contentType] == nil { lines.append(Array("Content-Type:".utf8)) }
    return lines
  }
}

/// A header field as a line in libcurl's form.
///
/// A field with a value is `Name: value`, an empty one is `Name;` (https://curl.se/libcurl/c/CURLOPT_HTTPHEADER.html).
enum HeaderLine {
  /// The fields of message framing and connection, which the client sets itself [RFC 9110, 7.6.1].
  static let ownedByClient: Set<String> = [
    "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "te", "trailer", "expect",
    "proxy-connection", "proxy-authorization", "proxy-authenticate",
  ]

  /// Returns the line of a field.
  ///
  /// - Throws: `invalidRequest` if the name is not a token or the value holds a control character [RFC 9110, 5.5].
  static func make(name: String, value: some Collection<UInt8>) throws(HTTPExchangeError) -> [UInt8] {
    guard HTTPField.Name(name) != nil else {
      throw HTTPExchangeError(
        .invalidRequest, "A header field's name is not a token: use letters, digits and hyphens.")
    }
    guard value.allSatisfy({ $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) }) else {
      throw HTTPExchangeError(
        .invalidRequest, "The header field \(name) holds a control character: encode the value before sending it.")
    }
    let isBlank = value.allSatisfy { $0 == 0x09 || $0 == 0x20 }
    return Array(name.utf8) + (isBlank ? Array(";".utf8) : Array(": ".utf8) + Array(value))
  }
}
#endif
