#if Server
public import CloudJobs
import CloudJobsCore
import CloudJobsPages
import HTTPTypes
public import Hummingbird
import NIOCore

extension RouterMethods {
  /// Mounts the dashboard of a job runtime.
  ///
  /// ```swift
  /// router.mountDashboard(runtime)  // this machine's browsers, at /dashboard
  /// ```
  ///
  /// If the router's context has the remote address (as ``JobRequestContext`` does), it is passed on, as
  /// ``DashboardAccess/loopback(_:)`` requires.
  ///
  /// Mount it before a handler under whose path it is: a router takes the first route that fits.
  ///
  /// - Parameters:
  ///   - runtime: the runtime.
  ///   - options: the path, which must be one, the title and who may look.
  /// - Returns: the router.
  @discardableResult
  public func mountDashboard(_ runtime: JobRuntime, _ options: DashboardOptions = .loopback) -> Self {
    var options = options
    if let fault = options.pathFault { preconditionFailure(fault.message) }
    options.path = options.normalizedPath
    let dashboard = Dashboard(runtime, options)
    for path in [options.path, options.path + "/**"] {
      // Those that pages don't take are answered by 405.
      for method in [HTTPRequest.Method.get, .head, .post, .put, .patch, .delete, .options] {
        on(RouterPath(path), method: method) { request, context in
          let reply = await dashboard.respond(to: request.head, peer: Peer(of: context)) { limit throws(JobError) in
            try await RequestBody.collect(request, upTo: limit)
          }
          return Self.response(reply, to: method)
        }
      }
    }
    return self
  }

  private static func response(_ reply: Dashboard.Reply, to method: HTTPRequest.Method) -> Response {
    switch reply {
    case .page(let page):
      let response = Response(
        status: page.status, headers: page.fields, body: ResponseBody(byteBuffer: ByteBuffer(bytes: page.body)))
      return method == .head ? response.createHeadResponse() : response
    case .events(let events):
      var fields = PageResponse.confinement
      fields[.contentType] = "text/event-stream"
      fields[.cacheControl] = "no-store"
      // nginx would keep events back.
      if let buffering = HTTPField.Name("X-Accel-Buffering") { fields[buffering] = "no" }
      if method == .head { return Response(status: .ok, headers: fields) }
      return Response(
        status: .ok, headers: fields,
        body: ResponseBody { writer in
          for await event in events { try await writer.write(ByteBuffer(bytes: event)) }
          try await writer.finish(nil)
        })
    }
  }
}

/// The body of a request.
enum RequestBody {
  /// Returns the bytes of a body.
  ///
  /// - Parameters:
  ///   - request: the request.
  ///   - limit: the maximum number of bytes.
  /// - Returns: the bytes.
  /// - Throws: ``/CloudJobsCore/JobError`` `tooLarge`, or `malformedEnvelope` for a body that does not end.
  static func collect(_ request: Request, upTo limit: Int) async throws(JobError) -> [UInt8] {
    do {
      let body = try await request.body.collect(upTo: limit)
      // After a shutdown of the server, a truncated body looks complete.
      try Task.checkCancellation()
      return Array(body.readableBytesView)
    } catch is NIOTooManyBytesError {
      throw JobError(.tooLarge, "The body is too long; at most \(limit) bytes are allowed.")
    } catch {
      throw JobError(.malformedEnvelope, "The body is incomplete. Send it again.")
    }
  }
}
#endif
