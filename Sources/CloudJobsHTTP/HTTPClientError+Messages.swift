#if HTTP
/// The messages, with their remedies, in one place.
extension HTTPClientError {
  static let cancelled = HTTPClientError(
    .cancelled, "The request was cancelled with the task that made it; the server may have acted on it.")

  static let shutDown = HTTPClientError(
    .shutDown, "The HTTP client has been shut down: make a new one, or send before shutting down.")

  static func tooManyRequests(limit: Int) -> HTTPClientError {
    HTTPClientError(
      .tooManyRequests, "The client holds \(limit) requests already: send fewer at a time, or raise maxRequests.")
  }

  static func outOfResources(_ what: String) -> HTTPClientError {
    HTTPClientError(.transferFailed, "\(what): the machine is out of memory, threads or file descriptors.")
  }

  static func timedOut(host: String, native: CurlCode?) -> HTTPClientError {
    HTTPClientError(
      .timedOut, "No complete answer from \(host) in time: check that it is up, or allow a longer timeout.",
      nativeCode: native?.description)
  }

  static func responseTooLarge(host: String, what: String, native: CurlCode) -> HTTPClientError {
    HTTPClientError(
      .responseTooLarge, "The answer of \(host) was given up, as its \(what): ask for less, or raise the limit.",
      nativeCode: native.description)
  }

  static func addressRefused(host: String, native: CurlCode) -> HTTPClientError {
    HTTPClientError(
      .addressRefused,
      "No connection to \(host): the peer filter refuses its address. Call one that is allowed, or allow this one.",
      nativeCode: native.description)
  }

  static func transfer(_ code: CurlCode, host: String, detail: String) -> HTTPClientError {
    let reason = detail.isEmpty ? code.text : detail
    let native = code.description
    switch code.meaning {
    case .timedOut:
      return .timedOut(host: host, native: code)
    case .couldNotResolve:
      return HTTPClientError(
        .couldNotResolve, "The name of \(host) does not resolve: check its spelling and the machine's DNS.",
        nativeCode: native)
    case .couldNotConnect:
      return HTTPClientError(
        .couldNotConnect, "No connection to \(host): check that the server runs and that the port is right.",
        nativeCode: native)
    case .connectionClosed:
      return HTTPClientError(
        .connectionClosed,
        "\(host) closed the connection before its answer was complete: find out whether it acted, then send again.",
        nativeCode: native)
    case .tls:
      return HTTPClientError(
        .tls, "No secure connection to \(host) (\(reason)): check its certificate, the scheme and the port.",
        nativeCode: native)
    case .invalidResponse:
      return HTTPClientError(
        .invalidResponse, "\(host) does not answer in HTTP: check the port and what listens there.",
        nativeCode: native)
    case .invalidURL:
      return HTTPClientError(.invalidURL, "The URL can't be used (\(code.text)): correct it.", nativeCode: native)
    default:
      return HTTPClientError(
        .transferFailed, "The exchange with \(host) failed (\(code.text)): send again, and report it if it stays.",
        nativeCode: native)
    }
  }
}
#endif
