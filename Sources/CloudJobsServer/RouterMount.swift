#if Server
public import CloudJobs
import CloudJobsCore
public import Hummingbird
public import NIOCore

extension RouterMethods {
  /// Mounts a job runtime: `POST trigger`, `POST scheduled/{jobId}`, `POST master` and `GET health` under a path.
  ///
  /// If the router's context has the remote address (as ``JobRequestContext`` does), it is passed on, as
  /// ``/CloudJobs/Authentication/trustLoopback`` requires.
  ///
  /// - Parameters:
  ///   - runtime: the runtime.
  ///   - path: the mount path.
  /// - Returns: the router.
  @discardableResult
  public func mount(_ runtime: JobRuntime, at path: String = "/jobs") -> Self {
    let mountPath = path.hasSuffix("/") ? String(path.dropLast()) : path
    for method in [HTTPRequest.Method.get, .head, .post, .put, .patch, .delete] {
      on(RouterPath(mountPath + "/**"), method: method) { request, context in
        let response = await Self.answer(request, context, runtime, mountPath)
        let whole = Response(
          status: response.head.status, headers: response.head.headerFields,
          body: ResponseBody(byteBuffer: ByteBuffer(bytes: response.body)))
        return method == .head ? whole.createHeadResponse() : whole
      }
    }
    return self
  }

  private static func answer(
    _ request: Request, _ context: Context, _ runtime: JobRuntime, _ mountPath: String
  ) async -> HandlerResponse {
    await runtime.handle(request.head, peer: Peer(of: context), at: mountPath) { limit throws(JobError) in
      try await RequestBody.collect(request, upTo: limit)
    }
  }
}

extension Peer {
  /// Creates the peer of a request, as far as its context has the address.
  init(of context: some RequestContext) {
    guard let address = (context as? any RemoteAddressRequestContext)?.remoteAddress else {
      self = .unknown
      return
    }
    self = address.ipAddress.map { .address($0) } ?? .local
  }
}

/// A request context with the remote address.
public struct JobRequestContext: RequestContext, RemoteAddressRequestContext {
  /// Hummingbird's storage for the request.
  public var coreContext: CoreRequestContextStorage
  /// The address of the remote peer.
  public let remoteAddress: SocketAddress?

  /// Creates the context of a request from its channel.
  public init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    remoteAddress = source.channel.remoteAddress
  }
}
#endif
