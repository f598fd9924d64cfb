#if Server && HTTP
import CloudJobsCore
package import CloudJobsEmulator
import CloudJobsEmulatorWire
import CloudJobsHTTPServer
import CloudJobsPages
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
public import ServiceLifecycle

/// The emulator as a server: Cloud Tasks v2, Cloud Scheduler v1 and Firestore v1 over gRPC and REST on one port.
public struct EmulatorServer: Service {
  /// The server's configuration.
  public let configuration: EmulatorConfiguration
  /// The underlying emulator, for requests within this process.
  package let emulator: LiveEmulator
  private let deliverer: HTTPDeliverer
  private let origin: EmulatorOrigin
  #if Google
  private let identity: EmulatorIdentity
  #endif

  /// Creates a server that has not been started.
  public init(configuration: EmulatorConfiguration) {
    self.configuration = configuration
    let origin = EmulatorOrigin(Self.origin(configuration, port: configuration.port))
    self.origin = origin
    let clock = SystemClock()
    #if Google
    let identity = EmulatorIdentity(issuer: configuration.issuer, origin: origin)
    self.identity = identity
    let deliverer = HTTPDeliverer(
      allowedHosts: configuration.allowedHosts, hostAddresses: configuration.hostAddresses
    ) { authorization, url in
      identity.header(for: authorization, url: url, at: clock.now())
    }
    #else
    let deliverer = HTTPDeliverer(
      allowedHosts: configuration.allowedHosts, hostAddresses: configuration.hostAddresses)
    #endif
    self.deliverer = deliverer
    emulator = LiveEmulator(state: Self.initialState(configuration), clock: clock) { await deliverer.deliver($0) }
  }

  /// Serves until the task is cancelled or the service group shuts down.
  ///
  /// - Throws: ``/CloudJobsCore/JobError`` if the configuration is invalid, the data folder or its key is unusable, or
  ///   an initial queue is rejected; the server's error if the address cannot be bound.
  public func run() async throws {
    try configuration.validate()
    let folder = try configuration.dataFolder.map { path throws(JobError) in try DataFolder(path) }
    #if Google
    try identity.takeKey(from: folder)
    #endif
    try recover(from: folder)
    let configuration = configuration
    let origin = origin
    let startUp = configuration.queues?.requests ?? []
    let api = EmulatorAPI(emulator, startUp: startUp, document: { document(at: $0) }) {
      Self.initialState(configuration)
    }
    try await api.makeQueues(startUp)
    let grpc = GRPCResponder(api)
    let check = RequestGuard(host: configuration.host)
    let dashboard = configuration.hasDashboard ? dashboard(of: api) : nil
    let logger = configuration.logger
    let responder = CallbackResponder<EmulatorRequestContext> { request, context in
      if let dashboard, !configuration.isLocal, EmulatorDashboard.isTarget(request.head.path ?? "") {
        // Browsers of other machines are for the rule of the dashboard itself.
        return await Self.respond(to: request, dashboard)
      }
      if let fault = check.refusal(of: context.callerRequest(request.head)) {
        logger.notice("Request rejected.", metadata: ["reason": "\(fault.message)"])
        return GRPCResponder.isCall(request.head) ? GRPCResponder.response(fault) : Self.response(RESTResponse(fault))
      }
      if GRPCResponder.isCall(request.head) { return grpc.response(to: request) }
      if let dashboard {
        if EmulatorDashboard.isTarget(request.head.path ?? "") { return await Self.respond(to: request, dashboard) }
        if let redirect = EmulatorDashboard.redirect(of: request.head) { return Self.response(redirect) }
      }
      return try await Self.respond(to: request, api: api, limit: configuration.maximumBodyBytes)
    }
    var server = BoundedHTTPServer(
      responder, host: configuration.host, port: configuration.port, portRemedy: "choose another with --port",
      logger: configuration.logger, refusalBody: { RESTResponse($0.fault).body.encoded })
    server.serverName = "cloud-jobs-emulator"
    server.acceptsHTTP2 = true
    server.limits.maxConnections = max(1, configuration.maxConnections)
    server.limits.requestTimeout = configuration.requestTimeout
    server.limits.idleTimeout = configuration.idleTimeout
    server.onReady = { port in
      origin.set(Self.origin(configuration, port: port))
      let lines = configuration.environmentLines(port: port).joined(separator: " ")
      configuration.logger.info("The emulator is ready at http://\(configuration.host):\(port); \(lines)")
      await configuration.onReady?(port)
    }
    let http = server
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await http.run() }
      group.addTask { try await emulator.run() }
      try await group.next()
      group.cancelAll()
    }
    await deliverer.shutDown()
  }

  /// Serves until the process receives SIGINT or SIGTERM.
  ///
  /// The process then ends within 9 seconds even if connections are open; a second signal ends it at once.
  ///
  /// - Throws: the errors of ``run()``.
  public func runUntilSignal() async throws {
    try await ProcessLifetime(exitLimit: .seconds(9), logger: configuration.logger).run([.init(service: self)])
  }

  private func dashboard(of api: EmulatorAPI) -> EmulatorDashboard {
    #if Google
    let identity = identity
    let tokens = DashboardTokens(
      issuer: { identity.issuerName }, mint: { identity.token(audience: $0, email: $1, at: $2) },
      issued: { identity.issued.map { .init(time: $0.time, url: $0.url, claims: $0.claims) } })
    return EmulatorDashboard(api, tokens: tokens, origin: origin, host: configuration.host)
    #else
    return EmulatorDashboard(api, tokens: nil, origin: origin, host: configuration.host)
    #endif
  }

  private static func respond(to request: Request, _ dashboard: EmulatorDashboard) async -> Response {
    response(
      await dashboard.respond(to: request.head) { limit in
        let body = Array(buffer: try await request.body.collect(upTo: limit))
        // A body cut short by the server's shutdown looks complete.
        try Task.checkCancellation()
        return body
      })
  }

  private static func response(_ page: PageResponse) -> Response {
    Response(status: page.status, headers: page.fields, body: .init(byteBuffer: ByteBuffer(bytes: page.body)))
  }

  private func document(at path: [String]) -> RESTResponse? {
    #if Google
    identity.document(at: path)
    #else
    nil
    #endif
  }

  /// Returns the emulator's origin; a server that listens on all addresses uses the loopback address.
  private static func origin(_ configuration: EmulatorConfiguration, port: Int) -> String {
    let host = ["0.0.0.0", "::", ""].contains(configuration.host) ? "127.0.0.1" : configuration.host
    return "http://\(host.contains(":") ? "[\(host)]" : host):\(port)"
  }

  static func initialState(_ configuration: EmulatorConfiguration) -> EmulatorState {
    EmulatorState(
      tasks: configuration.tasks, scheduler: configuration.scheduler, zones: configuration.zones,
      indexes: configuration.indexes, seed: configuration.seed)
  }

  private static func respond(to request: Request, api: EmulatorAPI, limit: Int) async throws -> Response {
    var body: [UInt8]
    do {
      body = Array(buffer: try await request.body.collect(upTo: limit))
      // A body cut short by the server's shutdown looks complete.
      try Task.checkCancellation()
    } catch {
      return response(
        RESTResponse(
          ServiceFault(.invalidArgument, "The request body could not be read or is larger than \(limit) bytes.")))
    }
    do throws(ServiceFault) {
      body = try decoded(body, request.headers[.contentEncoding], limit: limit)
    } catch {
      return response(RESTResponse(error))
    }
    let call = RESTRequest(method: method(of: request), target: request.head.path ?? "/", body: body)
    return response(await api.respond(to: call))
  }

  /// Returns a body without the encoding that its header names.
  private static func decoded(_ body: [UInt8], _ encoding: String?, limit: Int) throws(ServiceFault) -> [UInt8] {
    switch encoding?.lowercased() {
    case nil, "identity": return body
    case "gzip", "x-gzip": return body.isEmpty ? [] : try Gzip.decompress(body, limit: limit)
    case let encoding?:
      throw .invalidArgument("The Content-Encoding \(encoding) is not supported. Use gzip, or send the body as it is.")
    }
  }

  /// Returns the method of a request; clients that can't send every method name it in a header of a POST.
  private static func method(of request: Request) -> String {
    guard request.method == .post, let name = HTTPField.Name("X-HTTP-Method-Override"),
      let method = request.headers[name]
    else { return request.method.rawValue }
    return method.uppercased()
  }

  private static func response(_ answer: RESTResponse) -> Response {
    var headers: HTTPFields = [.contentType: "application/json; charset=UTF-8"]
    for field in answer.headers {
      if let name = HTTPField.Name(field.name) { headers[name] = field.value }
    }
    return Response(
      status: .init(code: answer.status), headers: headers,
      body: .init(byteBuffer: ByteBuffer(bytes: answer.body.encoded)))
  }
}

extension HTTPRefusal {
  /// The refusal as an error of the services.
  fileprivate var fault: ServiceFault {
    switch self {
    case .missingHost, .severalHosts, .slowBody: .invalidArgument(message)
    case .shuttingDown, .processEnds: ServiceFault(.unavailable, message)
    }
  }
}

/// A request context with the peer's address.
private struct EmulatorRequestContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  let remoteAddress: SocketAddress?

  init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    remoteAddress = source.channel.remoteAddress
  }

  /// Returns the request in the form of the rule for local callers.
  func callerRequest(_ head: HTTPRequest) -> LocalCallerRule.Request {
    LocalCallerRule.Request(
      method: head.method.rawValue, scheme: head.scheme, authority: head.authority,
      fields: head.headerFields.map { (name: $0.name.rawName, value: $0.value) },
      peer: remoteAddress.map { $0.ipAddress.map { .address($0) } ?? .withoutAddress } ?? .unknown)
  }
}

extension EmulatorServer {
  /// Restores the state from the write-ahead log in the data folder; has no effect without a folder.
  ///
  /// - Throws: ``JobError`` if the folder or the log cannot be used.
  func recover(from folder: DataFolder?) throws(JobError) {
    guard let folder else { return }
    let header = WriteAheadLogHeader(
      tasks: configuration.tasks, scheduler: configuration.scheduler, seed: configuration.seed)
    let reader = WriteAheadLogReader(folder: folder, header: header)
    let (recovery, position) = try reader.recover(from: Self.initialState(configuration))
    emulator.resume(recovery, log: FileWriteAheadLog(in: folder, header: header, from: position))
  }
}
#endif
