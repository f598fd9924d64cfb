#if HTTP
import HTTPTypes

/// A request that has been checked and put in the form that a transfer takes.
struct PreparedRequest: Sendable {
  /// The method's token.
  let method: String
  /// The URL, checked.
  let url: String
  /// Host and port: what connections are counted by, and what error messages name.
  let host: String
  /// The lines of the header, without terminators.
  let headerLines: [[UInt8]]
  /// The body; empty for none.
  let body: [UInt8]
  /// Whether it may be sent again after bytes of it were written.
  let isIdempotent: Bool
  /// Whether it goes over TLS.
  var isSecure: Bool { url.prefix(6).lowercased() == "https:" }

  /// Checks a request against a client's rules.
  ///
  /// - Throws: `invalidURL` or `invalidRequest`.
  init(_ request: HTTPClientRequest, options: HTTPClientOptions) throws(HTTPClientError) {
    host = try Self.host(of: request.url, schemes: options.allowedSchemes)
    guard request.method != .connect else {
      throw HTTPClientError(.invalidRequest, "CONNECT makes a tunnel, which this client doesn't: use another method.")
    }
    guard request.method != .head || request.body.isEmpty else {
      throw HTTPClientError(.invalidRequest, "A HEAD request has no body: send none, or use another method.")
    }
    method = request.method.rawValue
    url = request.url
    body = request.body
    isIdempotent = request.isIdempotent ?? Self.idempotentMethods.contains(request.method)
    headerLines = try Self.lines(of: request, userAgent: options.userAgent)
  }

  /// The methods that mean the same when they come twice [RFC 9110, 9.2.2]; any other is taken not to.
  private static let idempotentMethods: Set<HTTPRequest.Method> = [.get, .head, .options, .trace, .put, .delete]

  /// The longest URL that is sent, in bytes; RFC 9110, 4.1 asks for at least 8,000.
  static let maxURLBytes = 16 * 1024

  private static func host(
    of url: String, schemes: Set<HTTPClientOptions.Scheme>
  ) throws(HTTPClientError) -> String {
    guard url.utf8.count <= maxURLBytes else {
      throw HTTPClientError(.invalidURL, "The URL is longer than \(maxURLBytes) bytes: send the data in the body.")
    }
    guard url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw HTTPClientError(
        .invalidURL, "The URL holds a space, a control character or one outside ASCII: percent-encode it.")
    }
    let scheme = url.prefix { $0 != ":" }.lowercased()
    let rest = url.dropFirst(scheme.count)
    guard rest.hasPrefix("://"), rest.dropFirst(3).first != "/", schemes.contains(where: { $0.rawValue == scheme })
    else {
      let names = schemes.map { "\($0.rawValue)://" }.sorted().joined(separator: " or ")
      throw HTTPClientError(.invalidURL, "The URL does not start with \(names): give the whole address.")
    }
    let parts = try CurlURL.parse(url)
    return "\(parts.host):\(parts.port)"
  }

  private static func lines(of request: HTTPClientRequest, userAgent: String) throws(HTTPClientError) -> [[UInt8]] {
    var lines: [[UInt8]] = []
    for field in request.headers where !HeaderLine.ownedByClient.contains(field.name.canonicalName) {
      let value = field.withUnsafeBytesOfValue { Array($0) }
      lines.append(try HeaderLine.make(name: field.name.rawName, value: value))
    }
    if !userAgent.isEmpty, request.headers[.userAgent] == nil {
      lines.append(try HeaderLine.make(name: "User-Agent", value: userAgent.utf8))
    }
    // A name with a colon and nothing after it takes away what libcurl would add of its own accord.
    lines.append(Array("Expect:".utf8))
    if request.headers[.accept] == nil { lines.append(Array("Accept:".utf8)) }
    if request.headers[.contentType] == nil { lines.append(Array("Content-Type:".utf8)) }
    return lines
  }
}
#endif
