#if HTTP
import HTTPTypes

/// An HTTP client over libcurl with kept connections, deadlines, cancellation and limits, on one I/O thread.
///
/// It never follows redirects, never uses proxies or `.netrc` files of the environment, never stores cookies, and only
/// speaks HTTP/1.1 and, over TLS 1.2 or later, HTTP/2 if libcurl supports it.
///
/// A kept connection that the server closed while idle is replaced before anything is sent. If it ends later, before
/// the first byte of the response, the request is sent again, up to five times, if it is idempotent
/// (``HTTPExchangeRequest/isIdempotent``) or no byte of it was written; any other request fails with
/// `connectionClosed`.
///
/// The thread runs from the initializer to ``shutDown()``, the release of the client, or the exit of the process.
/// ``withCurlHTTPClient(_:_:)`` always shuts the client down.
public final class CurlHTTPClient: HTTPExchange {
  /// The client's limits and rules.
  public let options: CurlHTTPClient.Options
  private let mailbox: TransferMailbox

  /// Creates a client and starts its I/O thread.
  public init(_ options: CurlHTTPClient.Options = CurlHTTPClient.Options()) {
    precondition(options.maxConnectionsPerHost > 0 && options.maxTotalConnections > 0, "a client needs connections")
    precondition(!options.allowedSchemes.isEmpty, "a client needs a scheme")
    self.options = options
    // Not on the thread: a process that exits early must find the library either fully initialized or untouched.
    _ = CurlLibrary.shared
    mailbox = TransferMailbox(maxRequests: options.maxRequests)
    TransferLoop.start(mailbox: mailbox, options: options)
  }

  deinit {
    mailbox.stop()
  }

  /// The run-time version of libcurl, such as `7.88.1`.
  public static var libraryVersion: String { CurlLibrary.shared.version }

  /// Sends a request and waits for the complete response.
  ///
  /// If the calling task is cancelled, the call returns immediately and the transfer is aborted.
  ///
  /// - Parameter request: the request and its timeout.
  /// - Returns: the response, whatever its status.
  /// - Throws: an ``HTTPExchangeError``.
  public func send(_ request: HTTPExchangeRequest) async throws(HTTPExchangeError) -> HTTPExchangeResponse {
    let start = MonotonicTime.now()
    let prepared = try PreparedRequest(request, options: options)
    guard request.timeout > .zero else { throw .timedOut(host: prepared.host, native: nil) }
    let deadline = start.advanced(by: request.timeout)
    let id = mailbox.nextID()
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let submission = TransferSubmission(id: id, request: prepared, deadline: deadline)
        if let refusal = mailbox.submit(submission, continuation) {
          continuation.resume(returning: .failure(refusal))
        }
      }
    } onCancel: {
      mailbox.cancel(id)
    }
    return try result.get().parsed()
  }

  /// Stops the I/O thread, closes all connections and fails requests in progress with `shutDown`.
  ///
  /// Returns once the thread has released libcurl. Later requests fail; a second call waits for the same end.
  public func shutDown() async {
    await mailbox.stopAndWait()
  }
}

/// Runs a body with an HTTP client, which is shut down in any case.
///
/// - Parameters:
///   - options: the client's limits and rules.
///   - body: the work with the client.
/// - Returns: the body's result.
/// - Throws: the body's error.
public func withCurlHTTPClient<Result, Failure: Error>(
  _ options: CurlHTTPClient.Options = CurlHTTPClient.Options(), _ body: (CurlHTTPClient) async throws(Failure) -> Result
) async throws(Failure) -> Result {
  let client = CurlHTTPClient(options)
  do throws(Failure) {
    let result = try await body(client)
    await client.shutDown()
    return result
  } catch {
    await client.shutDown()
    throw error
  }
}

extension CurlHTTPClient {
  /// The limits and rules of a ``CurlHTTPClient``; the defaults suit a service that calls a few hosts.
  public struct Options: Sendable {
    /// A permitted URL scheme.
    public enum Scheme: String, Sendable, CaseIterable {
      /// Plain-text HTTP.
      case http
      /// HTTP over TLS 1.2 or later; the peer's certificate and name are verified.
      case https
    }

    /// The maximum number of requests in progress, and of connections, per host and port; at least 1.
    public var maxConnectionsPerHost = 64
    /// The maximum number of requests in progress and of open connections; at least 1.
    public var maxTotalConnections = 256
    /// The maximum number of requests in progress and waiting; one more fails with `tooManyRequests`.
    public var maxRequests = 10_000
    /// The maximum size of a response body in bytes.
    public var maxResponseBytes = 16 * 1024 * 1024
    /// The maximum size of a response's header section in bytes.
    public var maxResponseHeaderBytes = 128 * 1024
    /// The timeout of connecting, TLS included; the request's own timeout applies as well.
    public var connectTimeout: Duration = .seconds(10)
    /// The `User-Agent` of requests without one; empty for none.
    public var userAgent = "swift-cloud-jobs"
    /// The permitted URL schemes.
    public var allowedSchemes: Set<Scheme> = [.http, .https]
    /// A filter for the addresses that may be connected to; nil permits all.
    ///
    /// It receives the numeric address that a name resolved to, immediately before connecting: `127.0.0.1`, `::1`, and
    /// an IPv4-mapped IPv6 address as IPv4. It runs on the client's I/O thread and must not block. If it rejects all
    /// addresses of a host, the request fails with `addressRefused`. ``PeerAddress`` offers rules.
    public var peerFilter: (@Sendable (_ address: String) -> Bool)?
    /// Fixed addresses for a host and port instead of the resolver's, such as `["api.test:80": "127.0.0.1"]`.
    public var hostAddresses: [String: String] = [:]
    /// A PEM file of certificate authorities to trust instead of the system's; nil for the system's.
    public var certificateAuthorityFile: String?

    /// Creates the default options.
    public init() {}
  }
}
#endif
