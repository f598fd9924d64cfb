#if Server
public import CloudJobs
import CloudJobsCore
public import Hummingbird
import NIOCore

extension RouterMethods {
  /// Mounts a job runtime: `POST trigger`, `POST scheduled/{jobId}`, `POST master` and `GET health` under a path.
  ///
  /// Where the router's context tells the remote address (``JobRequestContext`` does), it is passed on, which
  /// ``CloudJobs/Authentication/trustLoopback`` needs.
  ///
  /// - Parameters:
  ///   - runtime: the runtime.
  ///   - path: where it is mounted.
  /// - Returns: the router.
  @discardableResult
  public func mount(_ runtime: JobRuntime, at path: String = "/jobs") -> Self {
    let mountPath = path.hasSuffix("/") ? String(path.dropLast()) : path
    for method in [HTTPRequest.Method.get, .head, .post, .put, .patch, .delete] {
      on(RouterPath(mountPath + "/**"), method: method) { request, context in
        let response = await Self.answer(request, context, runtime, mountPath)
        return Response(
          status: response.head.status, headers: response.head.headerFields,
          body: ResponseBody(byteBuffer: ByteBuffer(bytes: response.body)))
      }
    }
    return self
  }

  private static func answer(
    _ request: Request, _ context: Context, _ runtime: JobRuntime, _ mountPath: String
  ) async -> HandlerResponse {
    await runtime.handle(request.head, peer: Peer(of: context), at: mountPath) { limit throws(JobError) in
      do {
        let body = try await request.body.collect(upTo: limit)
        // A body that ends because the server does looks whole.
        try Task.checkCancellation()
        return Array(body.readableBytesView)
      } catch is NIOTooManyBytesError {
        throw JobError(.tooLarge, "The body is too long; at most \(limit) bytes are allowed.")
      } catch {
        throw JobError(.malformedEnvelope, "The body broke off. Send it again.")
      }
    }
  }
}

extension Peer {
  /// Where a request came from, as far as its context tells.
  init(of context: some RequestContext) {
    guard let address = (context as? any RemoteAddressRequestContext)?.remoteAddress else {
      self = .unknown
      return
    }
    self = address.ipAddress.map { .address($0) } ?? .local
  }
}
#endif
