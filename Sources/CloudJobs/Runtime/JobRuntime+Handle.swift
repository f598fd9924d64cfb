public import CloudJobsCore
public import HTTPTypes
import Logging

/// An answer of the handler: the head and a body of JSON.
public struct HandlerResponse: Sendable {
  /// Status and headers.
  public var head: HTTPResponse
  /// JSON in UTF-8.
  public var body: [UInt8]

  /// An answer.
  public init(head: HTTPResponse, body: [UInt8]) {
    self.head = head
    self.body = body
  }

  /// The answer that carries an error, with the status of its code.
  public init(_ error: JobError) {
    self = JobRuntime.response(to: error)
  }
}

extension JobRuntime {
  /// Takes an HTTP request: authenticates, decodes, decides, executes, answers.
  ///
  /// Routes under the mount path: `POST trigger`, `POST scheduled/{jobId}`, `POST master`, `GET jobs`,
  /// `GET jobs/{jobId}`, `PATCH jobs/{jobId}`, `GET runs`, `GET runs/{runId}`, `GET health`.
  ///
  /// | status | meaning |
  /// | --- | --- |
  /// | 200 | done, duplicate, skipped, snoozed, retried by the runtime, or dead-lettered: durably |
  /// | 400 | the envelope is malformed |
  /// | 401, 403 | the caller is not trusted |
  /// | 404, 405 | no such job or route; the wrong method |
  /// | 409 | another attempt holds the lease |
  /// | 413 | too large |
  /// | 429 | overloaded, or before its time: deliver again after `Retry-After` |
  /// | 500 | the handler failed, and the caller owns the retry |
  /// | 503 | the store or the queue is not reachable, or the instance shuts down: deliver again |
  ///
  /// - Parameters:
  ///   - request: the request's head.
  ///   - body: the whole body; more than 1 MiB is refused.
  ///   - peer: where the request came from, for ``Authentication/trustLoopback``.
  ///   - mountPath: the path under which the handler is mounted.
  /// - Returns: the answer; errors are `{"error":{"code":…,"message":…,"field":…}}`.
  public func handle(
    _ request: HTTPRequest, body: [UInt8] = [], peer: Peer = .unknown, at mountPath: String = "/jobs"
  ) async -> HandlerResponse {
    await handle(request, peer: peer, at: mountPath) { _ in body }
  }

  /// Takes an HTTP request whose body has not been received yet; else like ``handle(_:body:peer:at:)``.
  ///
  /// A request that is refused for its route, its method or its caller costs no memory: its body is never asked for.
  ///
  /// - Parameters:
  ///   - request: the request's head.
  ///   - peer: where the request came from, for ``Authentication/trustLoopback``.
  ///   - mountPath: the path under which the handler is mounted.
  ///   - collectBody: receives the whole body, at most `limit` bytes of it; called once at most. It throws ``JobError``
  ///     `tooLarge` for a longer one and `malformedEnvelope` for one that broke off.
  /// - Returns: the answer; errors are `{"error":{"code":…,"message":…,"field":…}}`.
  public func handle(
    _ request: HTTPRequest, peer: Peer = .unknown, at mountPath: String = "/jobs",
    collectBody: (_ limit: Int) async throws(JobError) -> [UInt8]
  ) async -> HandlerResponse {
    do throws(JobError) {
      return try await respond(to: request, peer: peer, at: mountPath, collectBody)
    } catch {
      var response = Self.response(to: error)
      switch error.code {
      // Both fields are demanded by RFC 9110, sections 15.5.2 and 15.5.6.
      case .unauthenticated:
        logRefusal(error)
        response.head.headerFields[.wwwAuthenticate] = "Bearer"
      case .methodNotAllowed:
        response.head.headerFields[.allow] = Route(path: request.path ?? "", mountPath: mountPath)?.allow
      case .permissionDenied: logRefusal(error)
      default: break
      }
      return response
    }
  }

  /// Tells the operator why a caller is not trusted; an error never has a credential's text.
  private func logRefusal(_ error: JobError) {
    options.logger.notice(
      "A request was refused.",
      metadata: ["code": "\(error.code)", "reason": "\(error.nativeCode ?? error.message)"])
  }

  /// Takes a request of any HTTP server as plain values.
  ///
  /// - Parameters:
  ///   - body: the whole body.
  ///   - headers: the header fields.
  ///   - path: the path under the mount path: `trigger`, `scheduled/{jobId}` or `master`.
  ///   - peer: where the request came from.
  /// - Returns: the HTTP status and a body of JSON.
  public func handleRequest(
    body: [UInt8], headers: [String: String] = [:], path: String = "trigger", peer: Peer = .unknown
  ) async -> (status: Int, body: [UInt8]) {
    var fields = HTTPFields()
    for (name, value) in headers {
      if let name = HTTPField.Name(name) { fields.append(HTTPField(name: name, value: value)) }
    }
    let request = HTTPRequest(
      method: .post, scheme: nil, authority: nil, path: "/jobs/" + path, headerFields: fields)
    let response = await handle(request, body: body, peer: peer)
    return (response.head.status.code, response.body)
  }

  private func respond(
    to request: HTTPRequest, peer: Peer, at mountPath: String, _ collectBody: (Int) async throws(JobError) -> [UInt8]
  ) async throws(JobError) -> HandlerResponse {
    let target = request.path ?? ""
    guard let route = Route(path: target, mountPath: mountPath) else {
      throw JobError(
        .notFound,
        "Nothing is here. Under \(mountPath)/, POST to trigger, scheduled/{jobId} or master; GET jobs, runs or health.")
    }
    guard route.methods.contains(request.method) else {
      throw JobError(.methodNotAllowed, "This path takes \(route.allow) only.")
    }
    if route == .health {
      try authentication.authenticateProbe(request, peer: peer)
      return await healthResponse()
    }
    try await authentication.authenticate(request, peer: peer)
    switch route {
    case .health: return await healthResponse()
    case .runs: return try await listRuns(target)
    case .run(let id): return try await showRun(id)
    case .jobs: return try await listJobs(target)
    case .job(let text):
      let id = try JobID(text)
      if request.method == .patch {
        let body = try await collectBody(JSONLimits.envelope.bytes)
        _ = try await configure(id, merging: try JSONValue(parsing: body, limits: .envelope))
      }
      return try await showJob(id)
    case .envelope(let path):
      let body = try await collectBody(JSONLimits.envelope.bytes)
      let headers = EnvelopeHeaders(request.headerFields.map { (name: $0.name.rawName, value: $0.value) })
      let delivery = try Envelope.decode(EnvelopeRequest(path: path, headers: headers, body: body))
      if delivery.job == .master { return Self.response(to: await pass()) }
      return Self.response(to: await deliver(delivery), now: clock.now())
    }
  }

  /// A degraded runtime answers 200 too: to restart it would not help.
  private func healthResponse() async -> HandlerResponse {
    let report = await healthReport()
    return Self.response(report.status == .draining ? .serviceUnavailable : .ok, report.json)
  }
}

/// A route of the handler.
private enum Route: Equatable {
  case health
  case runs
  case run(String)
  case jobs
  case job(String)
  case envelope(EnvelopePath)

  /// The methods that the route takes.
  var methods: [HTTPRequest.Method] {
    switch self {
    case .health, .runs, .run, .jobs: [.get, .head]
    case .job: [.get, .head, .patch]
    case .envelope: [.post]
    }
  }

  /// The methods as the field `Allow` lists them.
  var allow: String { methods.map(\.rawValue).joined(separator: ", ") }

  init?(path: String, mountPath: String) {
    let path = path.prefix { $0 != "?" && $0 != "#" }
    guard path.hasPrefix(mountPath + "/") else { return nil }
    let segments = path.dropFirst(mountPath.count + 1).split(separator: "/", omittingEmptySubsequences: false)
    switch (segments.count, segments.first) {
    case (1, "trigger"): self = .envelope(.trigger)
    case (1, "master"): self = .envelope(.master)
    case (1, "health"): self = .health
    case (1, "runs"): self = .runs
    case (2, "runs"): self = .run(PercentEncoding.decode(segments[1], plusIsSpace: false))
    case (1, "jobs"): self = .jobs
    case (2, "jobs"): self = .job(PercentEncoding.decode(segments[1], plusIsSpace: false))
    case (2, "scheduled"): self = .envelope(.scheduled(PercentEncoding.decode(segments[1], plusIsSpace: false)))
    default: return nil
    }
  }
}
