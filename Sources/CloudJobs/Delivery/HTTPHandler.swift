import CloudJobsCore
public import HTTPTypes
import Logging
import Tracing

/// The HTTP face of a runtime: routes, authenticates, decodes, and maps results to responses.
struct HTTPHandler: Sendable {
  private let services: RuntimeServices
  private let authentication: Authentication
  private let mountPath: String

  init(_ services: RuntimeServices, _ authentication: Authentication, mountPath: String) {
    self.services = services
    self.authentication = authentication
    self.mountPath = mountPath
  }

  /// Processes a request.
  ///
  /// - Parameters:
  ///   - request: the head of the request.
  ///   - peer: the other end of the connection.
  ///   - collectBody: receives the body; called at most once.
  /// - Returns: the response.
  func handle(
    _ request: HTTPRequest, peer: Peer, _ collectBody: (Int) async throws(JobError) -> [UInt8]
  ) async -> HandlerResponse {
    guard let trace = TraceContext.of(request.headerFields) else {
      return await answer(request, peer: peer, collectBody)
    }
    var context = ServiceContext.current ?? .topLevel
    context.trace = trace
    return await ServiceContext.$current.withValue(context) { await answer(request, peer: peer, collectBody) }
  }

  private func answer(
    _ request: HTTPRequest, peer: Peer, _ collectBody: (Int) async throws(JobError) -> [UInt8]
  ) async -> HandlerResponse {
    do throws(JobError) {
      return try await respond(to: request, peer: peer, collectBody)
    } catch {
      var response = HandlerResponse(error)
      switch error.code {
      // Both fields are required by RFC 9110, sections 15.5.2 and 15.5.6.
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

  private func respond(
    to request: HTTPRequest, peer: Peer, _ collectBody: (Int) async throws(JobError) -> [UInt8]
  ) async throws(JobError) -> HandlerResponse {
    let target = request.path ?? ""
    guard let route = Route(path: target, mountPath: mountPath) else {
      throw JobError(
        .notFound,
        "There is no such route. Under \(mountPath)/, POST to trigger, scheduled/{jobId}, master or drain; GET jobs, "
          + "runs, workers, metrics, health, health/live, health/ready or health/started.")
    }
    guard route.methods.contains(request.method) else {
      throw JobError(.methodNotAllowed, "This path takes \(route.allow) only.")
    }
    switch route {
    case .probe: break
    case .health: try authentication.authenticateProbe(request, peer: peer)
    default: try await authentication.authenticate(request, peer: peer)
    }
    let inspection = InspectionRoutes(services)
    switch route {
    case .probe(let probe): return HandlerResponse(await HealthReporter(services).answer(to: probe))
    case .health: return HandlerResponse(await HealthReporter(services).report())
    case .drain: return HandlerResponse(await QueueDrain(services).run())
    case .metrics: return await MetricsReporter(services).answer()
    case .workers: return try await inspection.listWorkers()
    case .runs: return try await inspection.listRuns(target)
    case .run(let id): return try await inspection.showRun(id)
    case .runExplanation(let id): return try await inspection.explainRun(id)
    case .jobExplanation(let id): return try await inspection.explainJob(try JobID(id), target)
    case .jobs: return try await inspection.listJobs(target)
    case .job(let text):
      let id = try JobID(text)
      if request.method == .patch {
        let body = try await collectBody(JSONLimits.envelope.bytes)
        try await JobConfigurator(services).configure(id, merging: try JSONValue(parsing: body, limits: .envelope))
      }
      return try await inspection.showJob(id)
    case .envelope(let path):
      let body = try await collectBody(JSONLimits.envelope.bytes)
      let headers = EnvelopeHeaders(request.headerFields.map { (name: $0.name.rawName, value: $0.value) })
      let delivery = try Envelope.decode(EnvelopeRequest(path: path, headers: headers, body: body))
      let span = RunSpan(delivering: delivery, continuing: ServiceContext.current?.trace)
      return await span.run {
        if delivery.job == .master { return HandlerResponse(await MasterPass(services).run()) }
        let result = await DeliveryProcessor(services).process(delivery)
        span.end(with: result)
        return HandlerResponse(result, now: services.clock.now())
      }
    }
  }

  /// Logs why a caller is not trusted; an error never contains a credential.
  private func logRefusal(_ error: JobError) {
    services.logger.notice(
      "A request was refused.",
      metadata: ["code": "\(error.code)", "reason": "\(error.nativeCode ?? error.message)"])
  }
}

/// A route of the handler.
private enum Route: Equatable {
  case health
  case drain
  case metrics
  case workers
  case probe(HealthProbe)
  case runs
  case run(String)
  case runExplanation(String)
  case jobs
  case job(String)
  case jobExplanation(String)
  case envelope(EnvelopePath)

  /// The methods of the route.
  var methods: [HTTPRequest.Method] {
    switch self {
    case .health, .probe, .metrics, .workers, .runs, .run, .runExplanation, .jobs, .jobExplanation: [.get, .head]
    case .job: [.get, .head, .patch]
    case .envelope, .drain: [.post]
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
    case (1, "drain"): self = .drain
    case (1, "metrics"): self = .metrics
    case (1, "workers"): self = .workers
    case (2, "health"):
      guard let probe = HealthProbe(rawValue: String(segments[1])) else { return nil }
      self = .probe(probe)
    case (1, "runs"): self = .runs
    case (2, "runs"): self = .run(PercentEncoding.decode(segments[1], plusIsSpace: false))
    case (3, "runs") where segments[2] == "why":
      self = .runExplanation(PercentEncoding.decode(segments[1], plusIsSpace: false))
    case (3, "jobs") where segments[2] == "why":
      self = .jobExplanation(PercentEncoding.decode(segments[1], plusIsSpace: false))
    case (1, "jobs"): self = .jobs
    case (2, "jobs"): self = .job(PercentEncoding.decode(segments[1], plusIsSpace: false))
    case (2, "scheduled"): self = .envelope(.scheduled(PercentEncoding.decode(segments[1], plusIsSpace: false)))
    default: return nil
    }
  }
}

/// A response of the handler: the head and a body of JSON.
public struct HandlerResponse: Sendable {
  /// The status and the header fields.
  public var head: HTTPResponse
  /// JSON in UTF-8.
  public var body: [UInt8]

  /// Creates a response.
  public init(head: HTTPResponse, body: [UInt8]) {
    self.head = head
    self.body = body
  }

  init(_ status: HTTPResponse.Status, _ body: JSONValue) {
    let fields: HTTPFields = [.contentType: "application/json; charset=utf-8", .cacheControl: "no-store"]
    self.init(head: HTTPResponse(status: status, headerFields: fields), body: body.encoded)
  }
}
