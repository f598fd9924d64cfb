#if HTTP
import CCurl

/// A result code of libcurl, with its name and with what it means to a caller: the one table of both.
///
/// The numbers are part of libcurl's ABI (https://curl.se/libcurl/c/libcurl-errors.html).
struct CurlCode: Hashable, Sendable, CustomStringConvertible {
  /// The number.
  let number: UInt32

  /// The peer closed the connection without a whole header.
  static let gotNothing = CurlCode(number: CURLE_GOT_NOTHING.rawValue)

  /// A callback ended the transfer: the gate, which lets no request through a second time.
  static let abortedByCallback = CurlCode(number: CURLE_ABORTED_BY_CALLBACK.rawValue)

  /// Whether it says that all went well.
  var isSuccess: Bool { number == 0 }
  /// What the library says of it.
  var text: String { String(cString: curl_easy_strerror(CURLcode(number))) }
  /// The name and the number, such as `CURLE_COULDNT_CONNECT (7)`.
  var description: String { "\(Self.table[number]?.name ?? "CURLE") (\(number))" }
  /// The code under which a caller meets it.
  var meaning: HTTPClientError.Code { Self.table[number]?.meaning ?? .transferFailed }

  private static let table: [UInt32: (name: String, meaning: HTTPClientError.Code)] = [
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
#endif
