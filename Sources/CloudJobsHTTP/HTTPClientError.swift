#if HTTP
/// Why an exchange has no complete answer.
///
/// The message says what failed and what to do about it. It names the host, never a path, a header or a body.
public struct HTTPClientError: Error, Hashable, Sendable {
  /// A stable, lower-camel-case identifier of the failure; new ones may be added.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    /// The code as text.
    public let rawValue: String
    /// The raw value.
    public var description: String { rawValue }

    package init(_ rawValue: String) {
      self.rawValue = rawValue
    }

    /// The URL is not an absolute `http` or `https` URL that can be sent as it is.
    public static let invalidURL = Code("invalidURL")
    /// The request can't be put on the wire: a control character in a header field, a method without meaning here.
    public static let invalidRequest = Code("invalidRequest")
    /// The host's name does not resolve.
    public static let couldNotResolve = Code("couldNotResolve")
    /// No connection to the host could be made.
    public static let couldNotConnect = Code("couldNotConnect")
    /// The peer filter refused every address of the host.
    public static let addressRefused = Code("addressRefused")
    /// The handshake or the certificate failed, or the peer does not speak TLS.
    public static let tls = Code("tls")
    /// The request's timeout, or the connect timeout, has passed.
    public static let timedOut = Code("timedOut")
    /// The calling task was cancelled; the transfer was aborted.
    public static let cancelled = Code("cancelled")
    /// The peer closed the connection before the answer was complete.
    public static let connectionClosed = Code("connectionClosed")
    /// The answer is not HTTP.
    public static let invalidResponse = Code("invalidResponse")
    /// The answer's body or header is longer than the client's limit.
    public static let responseTooLarge = Code("responseTooLarge")
    /// As many requests are in progress and waiting as the client admits.
    public static let tooManyRequests = Code("tooManyRequests")
    /// The client has been shut down.
    public static let shutDown = Code("shutDown")
    /// Any other failure of the transfer or of the machine; the native code says which.
    public static let transferFailed = Code("transferFailed")
  }

  /// Which failure this is.
  public var code: Code
  /// What failed, and the remedy, as one or two sentences.
  public var message: String
  /// The library's own code and number, such as `CURLE_COULDNT_CONNECT (7)`, where there is one.
  public var nativeCode: String?

  /// An error of a code, with its message.
  public init(_ code: Code, _ message: String, nativeCode: String? = nil) {
    self.code = code
    self.message = message
    self.nativeCode = nativeCode
  }

  /// Whether the request certainly never reached the server, so that sending it again repeats nothing.
  public var requestWasNotSent: Bool {
    switch code {
    case .invalidURL, .invalidRequest, .couldNotResolve, .couldNotConnect, .addressRefused, .tooManyRequests: true
    default: false
    }
  }
}

extension HTTPClientError: CustomStringConvertible {
  /// The code, the message, and the native code where there is one.
  public var description: String {
    let native = nativeCode.map { " [\($0)]" } ?? ""
    return "\(code.rawValue): \(message)\(native)"
  }
}
#endif
