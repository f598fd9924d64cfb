#if HTTP
import HTTPTypes

/// An HTTP client over libcurl: kept connections, deadlines, cancellation and limits, on one I/O thread.
///
/// Redirects are never followed, proxies and `.netrc` files of the environment are never used, cookies are never kept,
/// and no protocol but HTTP is spoken: HTTP/1.1, and HTTP/2 over TLS, from TLS 1.2 on, where the library has it.
///
/// A kept connection that the server has closed while it was idle is replaced before anything is sent. Where it ends
/// later, before any byte of the answer, the request is sent again, up to five times, if it is idempotent
/// (``HTTPClientRequest/isIdempotent``) or no byte of it was written; any other fails with `connectionClosed`.
///
/// The thread lives from the initialiser to ``shutDown()``, until the client is released, or until the process exits;
/// ``withHTTPClient(_:_:)`` shuts the client down however the work with it ends.
public final class HTTPClient: HTTPExchange {
  /// The limits and rules that the client was made with.
  public let options: HTTPClientOptions
  private let mailbox: TransferMailbox

  /// A client, with its I/O thread.
  public init(_ options: HTTPClientOptions = HTTPClientOptions()) {
    precondition(options.maxConnectionsPerHost > 0 && options.maxTotalConnections > 0, "a client needs connections")
    precondition(!options.allowedSchemes.isEmpty, "a client needs a scheme")
    self.options = options
    // Here, not on the thread: a process that exits at once must find the library either whole or untouched.
    _ = CurlLibrary.shared
    mailbox = TransferMailbox(maxRequests: options.maxRequests)
    TransferLoop.start(mailbox: mailbox, options: options)
  }

  deinit {
    mailbox.stop()
  }

  /// The version of libcurl at run time, such as `7.88.1`.
  public static var libraryVersion: String { CurlLibrary.shared.version }

  /// Sends a request and waits for the whole answer.
  ///
  /// When the calling task is cancelled, the call returns at once and the transfer is aborted.
  ///
  /// - Parameter request: what to send, and how long it may take.
  /// - Returns: the answer, whatever its status.
  /// - Throws: an ``HTTPClientError``.
  public func send(_ request: HTTPClientRequest) async throws(HTTPClientError) -> HTTPClientResponse {
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

  /// Stops the I/O thread, closes all connections and fails what is in progress with `shutDown`.
  ///
  /// Returns when the thread has let go of libcurl. Later requests fail; a second call waits for the same end.
  public func shutDown() async {
    await mailbox.stopAndWait()
  }
}

/// Works with an HTTP client, and shuts it down however the work ends.
///
/// - Parameters:
///   - options: the client's limits and rules.
///   - body: the work.
/// - Returns: what the work returns.
/// - Throws: what the work throws.
public func withHTTPClient<Result, Failure: Error>(
  _ options: HTTPClientOptions = HTTPClientOptions(), _ body: (HTTPClient) async throws(Failure) -> Result
) async throws(Failure) -> Result {
  let client = HTTPClient(options)
  do throws(Failure) {
    let result = try await body(client)
    await client.shutDown()
    return result
  } catch {
    await client.shutDown()
    throw error
  }
}
#endif
