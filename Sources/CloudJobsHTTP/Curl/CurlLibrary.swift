#if HTTP
import CCurl

/// The library, initialized once per process.
struct CurlLibrary: Sendable {
  /// The run-time version, such as `7.88.1`.
  let version: String
  /// Whether the library supports HTTP/2.
  let hasHTTP2: Bool

  /// The shared instance, initialized on first use.
  static let shared = CurlLibrary()

  private init() {
    curl_global_init(Int(CURL_GLOBAL_DEFAULT))
    // Registered after the exit handlers of libcurl and its dependencies, so that this one runs first.
    IOThread.stopAllAtExit()
    let info = cloud_jobs_version()
    version = info?.pointee.version.map { String(cString: $0) } ?? ""
    hasHTTP2 = ((info?.pointee.features ?? 0) & CURL_VERSION_HTTP2) != 0
  }
}

/// A result code of libcurl: the one table of names and of the error codes that they map to.
///
/// The numbers are part of libcurl's ABI (https://curl.se/libcurl/c/libcurl-errors.html).
struct CurlCode: Hashable, Sendable, CustomStringConvertible {
  /// The number.
  let number: UInt32

  /// The peer closed the connection without a complete header section.
  static let gotNothing = CurlCode(number: CURLE_GOT_NOTHING.rawValue)

  /// A callback aborted the transfer: the gate that prevents a second sending.
  static let abortedByCallback = CurlCode(number: CURLE_ABORTED_BY_CALLBACK.rawValue)

  /// Whether the code means success.
  var isSuccess: Bool { number == 0 }
  /// The library's description of the code.
  var text: String { String(cString: curl_easy_strerror(CURLcode(number))) }
  /// The name and the number, such as `CURLE_COULDNT_CONNECT (7)`.
  var description: String { "\(Self.table[number]?.name ?? "CURLE") (\(number))" }
  /// The error code for callers.
  var meaning: HTTPExchangeError.Code { Self.table[number]?.meaning ?? .transferFailed }

  private static let table: [UInt32: (name: String, meaning: HTTPExchangeError.Code)] = [
    1: ("CURLE_UNSUPPORTED_PROTOCOL", .invalidResponse),
    2: ("CURLE_FAILED_INIT", .transferFailed),
    3: ("CURLE_URL_MALFORMAT", .invalidURL),
    4: ("CURLE_NOT_BUILT_IN", .transferFailed),
    6: ("CURLE_COULDNT_RESOLVE_HOST", .couldNotResolve),
    7: ("CURLE_COULDNT_CONNECT", .couldNotConnect),
    8: ("CURLE_WEIRD_SERVER_REPLY", .invalidResponse),
    16: ("CURLE_HTTP2", .connectionClosed),
    18: ("CURLE_PARTIAL_FILE", .connectionClosed),
    23: ("CURLE_WRITE_ERROR", .transferFailed),
    27: ("CURLE_OUT_OF_MEMORY", .transferFailed),
    28: ("CURLE_OPERATION_TIMEDOUT", .timedOut),
    35: ("CURLE_SSL_CONNECT_ERROR", .tls),
    42: ("CURLE_ABORTED_BY_CALLBACK", .connectionClosed),
    43: ("CURLE_BAD_FUNCTION_ARGUMENT", .transferFailed),
    45: ("CURLE_INTERFACE_FAILED", .couldNotConnect),
    52: ("CURLE_GOT_NOTHING", .connectionClosed),
    53: ("CURLE_SSL_ENGINE_NOTFOUND", .tls),
    54: ("CURLE_SSL_ENGINE_SETFAILED", .tls),
    55: ("CURLE_SEND_ERROR", .connectionClosed),
    56: ("CURLE_RECV_ERROR", .connectionClosed),
    58: ("CURLE_SSL_CERTPROBLEM", .tls),
    59: ("CURLE_SSL_CIPHER", .tls),
    60: ("CURLE_PEER_FAILED_VERIFICATION", .tls),
    61: ("CURLE_BAD_CONTENT_ENCODING", .invalidResponse),
    63: ("CURLE_FILESIZE_EXCEEDED", .responseTooLarge),
    64: ("CURLE_USE_SSL_FAILED", .tls),
    65: ("CURLE_SEND_FAIL_REWIND", .connectionClosed),
    66: ("CURLE_SSL_ENGINE_INITFAILED", .tls),
    77: ("CURLE_SSL_CACERT_BADFILE", .tls),
    80: ("CURLE_SSL_SHUTDOWN_FAILED", .tls),
    82: ("CURLE_SSL_CRL_BADFILE", .tls),
    83: ("CURLE_SSL_ISSUER_ERROR", .tls),
    90: ("CURLE_SSL_PINNEDPUBKEYNOTMATCH", .tls),
    91: ("CURLE_SSL_INVALIDCERTSTATUS", .tls),
    92: ("CURLE_HTTP2_STREAM", .connectionClosed),
    98: ("CURLE_SSL_CLIENTCERT", .tls),
  ]
}

/// libcurl's URL parser, so that the URL checked is the URL connected to.
enum CurlURL {
  /// Returns the host and the port of a URL.
  ///
  /// - Throws: `invalidURL`.
  static func parse(_ text: String) throws(HTTPExchangeError) -> (host: String, port: Int) {
    guard let url = curl_url() else { throw .outOfResources("A URL could not be read") }
    defer { curl_url_cleanup(url) }
    let flags = UInt32(CURLU_PATH_AS_IS) | UInt32(CURLU_DISALLOW_USER)
    let code = curl_url_set(url, CURLUPART_URL, text, flags)
    if code == CURLUE_USER_NOT_ALLOWED {
      throw HTTPExchangeError(
        .invalidURL, "The URL holds credentials, which end up in logs: send an Authorization header instead.")
    }
    guard code == CURLUE_OK, let host = part(CURLUPART_HOST, of: url), !host.isEmpty,
      let port = part(CURLUPART_PORT, of: url).flatMap({ Int($0) }), (1...65_535).contains(port)
    else {
      let reason = code == CURLUE_OK ? "" : " (error \(code.rawValue) of the URL parser)"
      throw HTTPExchangeError(
        .invalidURL, "The URL has no valid host and port\(reason): write it as http://host:port/path.")
    }
    return (host.lowercased(), port)
  }

  private static func part(_ part: CURLUPart, of url: OpaquePointer) -> String? {
    var text: UnsafeMutablePointer<CChar>?
    defer { curl_free(text) }
    guard curl_url_get(url, part, &text, UInt32(CURLU_DEFAULT_PORT)) == CURLUE_OK else { return nil }
    return text.map { String(cString: $0) }
  }
}
#endif
