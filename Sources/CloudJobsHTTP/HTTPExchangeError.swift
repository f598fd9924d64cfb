#if HTTP
/// The error of an exchange without a complete response.
///
/// The message says what failed and what to do. It names the host, never a path, a header field or a body.
public struct HTTPExchangeError: Error, Hashable, Sendable {
  /// A stable, lower-camel-case identifier of the failure; new ones may be added.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    /// The code as text.
    public let rawValue: String
    /// The raw value.
    public var description: String { rawValue }

    package init(_ rawValue: String) {
      self.rawValue = rawValue
    }

    /// The URL is not an absolute `http` or `https` URL in valid form.
    public static let invalidURL = Code("invalidURL")
    /// The request can't be sent: a control character in a header field, or an unsupported method.
    public static let invalidRequest = Code("invalidRequest")
    /// The host's name does not resolve.
    public static let couldNotResolve = Code("couldNotResolve")
    /// No connection to the host could be established.
    public static let couldNotConnect = Code("couldNotConnect")
    /// The peer filter rejected every address of the host.
    public static let addressRefused = Code("addressRefused")
    /// The handshake or the certificate failed, or the peer does not speak TLS.
    public static let tls = Code("tls")
    /// The request's timeout or the connect timeout expired.
    public static let timedOut = Code("timedOut")
    /// The calling task was cancelled; the transfer was aborted.
    public static let cancelled = Code("cancelled")
    /// The peer closed the connection before the response was complete.
    public static let connectionClosed = Code("connectionClosed")
    /// The response is not HTTP.
    public static let invalidResponse = Code("invalidResponse")
    /// The response's body or header section exceeds the client's limit.
    public static let responseTooLarge = Code("responseTooLarge")
    /// The client's limit of requests in progress and waiting is reached.
    public static let tooManyRequests = Code("tooManyRequests")
    /// The client has been shut down.
    public static let shutDown = Code("shutDown")
    /// Any other failure of the transfer or the machine; the native code identifies it.
    public static let transferFailed = Code("transferFailed")
  }

  /// The kind of failure.
  public var code: Code
  /// What failed, and the remedy, as one or two sentences.
  public var message: String
  /// The native code and number, such as `CURLE_COULDNT_CONNECT (7)`, if there is one.
  public var nativeCode: String?

  /// Creates an error.
  public init(_ code: Code, _ message: String, nativeCode: String? = nil) {
    self.code = code
    self.message = message
    self.nativeCode = nativeCode
  }

  /// Whether the request certainly never reached the server, so that it can safely be sent again.
  public var requestWasNotSent: Bool {
    switch code {
    case .invalidURL, .invalidRequest, .couldNotResolve, .couldNotConnect, .addressRefused, .tooManyRequests: true
    default: false
    }
  }
}

extension HTTPExchangeError: CustomStringConvertible {
  /// The code, the message, and the native code if there is one.
  public var description: String {
    let native = nativeCode.map { " [\($0)]" } ?? ""
    return "\(code.rawValue): \(message)\(native)"
  }
}

/// The messages, with their remedies.
extension HTTPExchangeError {
  static let cancelled = HTTPExchangeError(
    .cancelled, "The request was cancelled with the task that made it; the server may have acted on it.")

  static let shutDown = HTTPExchangeError(
    .shutDown, "The HTTP client has been shut down: create a new one, or send before shutting down.")

  static func tooManyRequests(limit: Int) -> HTTPExchangeError {
    HTTPExchangeError(
      .tooManyRequests, "The client holds \(limit) requests already: send fewer at a time, or raise maxRequests.")
  }

  static func outOfResources(_ what: String) -> HTTPExchangeError {
    HTTPExchangeError(.transferFailed, "\(what): the machine is out of memory, threads or file descriptors.")
  }

  static func timedOut(host: String, native: CurlCode?) -> HTTPExchangeError {
    HTTPExchangeError(
      .timedOut, "No complete response from \(host) in time: check that it is up, or allow a longer timeout.",
      nativeCode: native?.description)
  }

  static func responseTooLarge(host: String, what: String, native: CurlCode) -> HTTPExchangeError {
    HTTPExchangeError(
      .responseTooLarge, "The response of \(host) was aborted, because its \(what): request less, or raise the limit.",
      nativeCode: native.description)
  }

  static func addressRefused(host: String, native: CurlCode) -> HTTPExchangeError {
    HTTPExchangeError(
      .addressRefused,
      "No connection to \(host): the peer filter rejects its address. Call an allowed host, or allow this address.",
      nativeCode: native.description)
  }

  static func transfer(_ code: CurlCode, host: String, detail: String) -> HTTPExchangeError {
    let reason = detail.isEmpty ? code.text : detail
    let native = code.description
    switch code.meaning {
    case .timedOut:
      return .timedOut(host: host, native: code)
    case .couldNotResolve:
      return HTTPExchangeError(
        .couldNotResolve, "The name of \(host) does not resolve: check its spelling and the machine's DNS.",
        nativeCode: native)
    case .couldNotConnect:
      return HTTPExchangeError(
        .couldNotConnect, "No connection to \(host): check that the server runs and that the port is right.",
        nativeCode: native)
    case .connectionClosed:
      return HTTPExchangeError(
        .connectionClosed,
        "\(host) closed the connection before its response was complete: check whether it acted, then send again.",
        nativeCode: native)
    case .tls:
      return HTTPExchangeError(
        .tls, "No secure connection to \(host) (\(reason)): check its certificate, the scheme and the port.",
        nativeCode: native)
    case .invalidResponse:
      return HTTPExchangeError(
        .invalidResponse, "\(host) does not respond with HTTP: check the port and the server that listens there.",
        nativeCode: native)
    case .invalidURL:
      return HTTPExchangeError(.invalidURL, "The URL is invalid (\(code.text)): correct it.", nativeCode: native)
    default:
      return HTTPExchangeError(
        .transferFailed,
        "The exchange with \(host) failed (\(code.text)): send it again, and report the failure if it persists.",
        nativeCode: native)
    }
  }
}
#endif
