import CloudJobsCore
public import CloudJobsEmulator

/// All that the emulator answers over HTTP, free of any server: the services' REST faces and the admin calls.
///
/// | call | answer |
/// | --- | --- |
/// | `GET /` | that the emulator is there |
/// | `POST /_emulator/reset` | empties all services but for the queues of the start, and resets the time |
/// | `POST /_emulator/advance?by=3600s` | moves the time ahead, through all that comes due on the way |
/// | `GET` or `POST /_emulator/idle?timeout=30s` | waits until nothing is in flight, due or to be tried again |
/// | `GET /_emulator/deliveries` | what was delivered lately, and why each task and job waits |
/// | `GET /oauth2/v3/certs` | the key that signs the tokens of deliveries, as a JWKS document |
/// | `GET /.well-known/openid-configuration` | the discovery document of these tokens' issuer |
/// | `GET /_emulator/usage` | how many operations were made that Firestore bills |
public struct EmulatorAPI: Sendable {
  let emulator: LocalEmulator
  private let initialState: @Sendable () -> EmulatorState
  private let startUp: [RESTRequest]
  private let document: @Sendable (_ path: [String]) -> RESTResponse?
  let face = RESTFace()

  /// The answers of an emulator.
  ///
  /// - Parameters:
  ///   - emulator: the emulator, which must be running for deliveries to be made.
  ///   - startUp: requests that a reset makes again, as they were made at the start.
  ///   - document: the document of the tokens' issuer at a path, in parts; nil where there is none.
  ///   - initialState: what a reset goes back to.
  public init(
    _ emulator: LocalEmulator, startUp: [RESTRequest] = [],
    document: @escaping @Sendable (_ path: [String]) -> RESTResponse? = { _ in nil },
    initialState: @escaping @Sendable () -> EmulatorState
  ) {
    self.emulator = emulator
    self.startUp = startUp
    self.document = document
    self.initialState = initialState
  }

  /// Serves a request.
  ///
  /// - Parameter request: the request.
  /// - Returns: the answer.
  public func respond(to request: RESTRequest) async -> RESTResponse {
    switch (request.method, request.path.first, request.path.count) {
    case ("GET", nil, _):
      return RESTResponse(["emulator": "cloud-jobs", "services": ["tasks.v2", "scheduler.v1", "firestore.v1"]])
    case (_, "_emulator", 2): return await administer(request)
    case ("GET", "oauth2", _), ("GET", ".well-known", _):
      return document(request.path)
        ?? RESTResponse(ServiceFault(.notFound, "The emulator publishes no such document."))
    default: return await serve(request)
    }
  }

  private func administer(_ request: RESTRequest) async -> RESTResponse {
    switch (request.method, request.path[1]) {
    case ("POST", "reset"):
      emulator.reset(to: initialState())
      for request in startUp { _ = await serve(request) }
      return await durably(RESTResponse(.object([:])))
    case ("POST", "advance"): return await advance(request)
    case ("GET", "idle"), ("POST", "idle"):
      let text = request.query.first { $0.name == "timeout" }?.value ?? "60s"
      guard let limit = WireDuration.parse(text), limit > .zero, limit <= .hours(1) else {
        return RESTResponse(.invalidArgument("The timeout is a duration such as \"30s\", at most an hour."))
      }
      return RESTResponse(["idle": .bool(await isIdle(within: limit))])
    case ("GET", "deliveries"): return deliveries()
    case ("GET", "usage"): return usage()
    default:
      return RESTResponse(
        ServiceFault(
          .notFound,
          "The admin calls are POST /_emulator/reset and /_emulator/advance, GET /_emulator/idle, "
            + "/_emulator/deliveries and /_emulator/usage."))
    }
  }

  private func isIdle(within limit: Duration) async -> Bool {
    let deadline = emulator.clock.now() + limit
    return await withTaskGroup(of: Bool.self) { group in
      group.addTask { (try? await self.emulator.waitUntilIdle()) != nil }
      group.addTask {
        try? await self.emulator.clock.sleep(until: deadline)
        return false
      }
      let isIdle = await group.next() ?? false
      group.cancelAll()
      return isIdle
    }
  }

  private func usage() -> RESTResponse {
    let usage = emulator.withState { state, _ in state.firestore.usage }
    return RESTResponse([
      "firestore": [
        "reads": .integer(Int64(usage.reads)), "writes": .integer(Int64(usage.writes)),
        "deletes": .integer(Int64(usage.deletes)),
      ]
    ])
  }

  private func deliveries() -> RESTResponse {
    let waiting = emulator.withState { state, now in state.waiting(at: now) }
    return RESTResponse([
      "deliveries": .array(emulator.traceEntries.map { Self.json($0) }),
      "waiting": .array(waiting.map { ["name": .string($0.name), "reason": .string($0.reason)] }),
    ])
  }

  private static func json(_ entry: TraceEntry) -> JSONValue {
    var object: [String: JSONValue] = ["time": .string("\(entry.time)"), "text": .string("\(entry)")]
    switch entry.event {
    case .dispatched(let id, let subject, let attempt, let method, let url, let reason):
      object["event"] = "dispatched"
      object["id"] = .string("\(id)")
      object["name"] = .string(subject)
      object["attempt"] = .integer(Int64(attempt))
      object["method"] = .string(method.name)
      object["url"] = .string(url)
      object["reason"] = .string(reason)
    case .settled(let settlement):
      object["event"] = "settled"
      object["id"] = settlement.id.map { .string("\($0)") }
      object["name"] = .string(settlement.subject)
      object["attempt"] = .integer(Int64(settlement.attempt))
      object["outcome"] = settlement.outcome.map { .string("\($0)") }
    case .note: object["event"] = "note"
    }
    return .object(object)
  }
}
