import CloudJobsCore
package import CloudJobsEmulator
package import CloudJobsEmulatorWire
import Synchronization

/// The emulator's HTTP API, independent of any server: the REST APIs of the services and the admin methods.
///
/// | method | result |
/// | --- | --- |
/// | `GET /` | identification of the emulator |
/// | `POST /_emulator/reset` | resets all services to the initial queues, and the time to the clock's |
/// | `GET /_emulator/clock` | the time, whether it stands, and the time of the next attempt |
/// | `POST /_emulator/advance?by=3600s` | advances the time and processes everything that becomes due |
/// | `POST /_emulator/advance?to=next` | advances to the next attempt of any task or job |
/// | `POST /_emulator/run-until-idle?limit=1000&within=86400s` | advances until no task or retry waits for time |
/// | `POST /_emulator/freeze` | stops the time, so that only advances start what is due |
/// | `POST /_emulator/unfreeze` | lets the time go on from where it stands |
/// | `GET` or `POST /_emulator/idle?timeout=30s` | waits until no delivery is in flight, due or waiting for a retry |
/// | `GET /_emulator/deliveries` | the latest deliveries, and why each task and job is waiting |
/// | `GET /oauth2/v3/certs` | the key that signs delivery tokens, as a JWKS document |
/// | `GET /.well-known/openid-configuration` | the discovery document of the tokens' issuer |
/// | `GET /_emulator/usage` | the number of billable Firestore operations |
package struct EmulatorAPI: Sendable {
  let emulator: LiveEmulator
  /// Where requests to Firestore run, so that waiting for a long one takes no thread from deliveries.
  let firestore = FirestoreThread()
  let initialState: @Sendable () -> EmulatorState
  let startUp: [RESTRequest]
  let document: @Sendable (_ path: [String]) -> RESTResponse?
  private let router = HTTPRouter.google

  /// Creates the API of an emulator.
  ///
  /// - Parameters:
  ///   - emulator: the emulator, which must be running for deliveries to be made.
  ///   - startUp: the requests of the start, which a reset repeats.
  ///   - document: returns the issuer's document at a path, or nil if there is none.
  ///   - initialState: returns the state after a reset.
  package init(
    _ emulator: LiveEmulator, startUp: [RESTRequest] = [],
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
  package func respond(to request: RESTRequest) async -> RESTResponse {
    switch (request.method, request.path.first, request.path.count) {
    case ("GET", nil, _):
      return RESTResponse(["emulator": "cloud-jobs", "services": ["tasks.v2", "scheduler.v1", "firestore.v1"]])
    case (_, "_emulator", 2): return await administer(request)
    case ("GET", "oauth2", _), ("GET", ".well-known", _):
      return document(request.path)
        ?? RESTResponse(ServiceFault(.notFound, "The emulator does not publish this document."))
    default: return await serve(request)
    }
  }

  private func administer(_ request: RESTRequest) async -> RESTResponse {
    switch (request.method, request.path[1]) {
    case ("POST", "reset"): return await reset()
    case ("POST", "advance"): return await advance(request)
    case ("POST", "run-until-idle"): return await runUntilIdle(request)
    case ("POST", "freeze"), ("POST", "unfreeze"):
      let now = request.path[1] == "freeze" ? emulator.freeze() : emulator.unfreeze()
      return await durably(RESTResponse(["now": .string("\(now)")]))
    case ("GET", "clock"): return RESTResponse(emulator.clockStatus.json)
    case ("GET", "idle"), ("POST", "idle"):
      let text = request.query.first { $0.name == "timeout" }?.value ?? "60s"
      guard let limit = WireDuration.parse(text), limit > .zero, limit <= .hours(1) else {
        return RESTResponse(.invalidArgument("The timeout must be a duration such as \"30s\", at most one hour."))
      }
      return RESTResponse(["idle": .bool(await isIdle(within: limit))])
    case ("GET", "deliveries"): return deliveries()
    case ("GET", "usage"): return await usage()
    default:
      return RESTResponse(
        ServiceFault(
          .notFound,
          "The admin methods are POST /_emulator/reset, /_emulator/advance, /_emulator/run-until-idle, "
            + "/_emulator/freeze and /_emulator/unfreeze, GET /_emulator/clock, /_emulator/idle, "
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

  private func usage() async -> RESTResponse {
    let usage = await firestore.run { [emulator] in emulator.withFirestore { firestore, _ in firestore.usage } }
    return RESTResponse([
      "firestore": [
        "reads": .integer(Int64(usage.reads)), "writes": .integer(Int64(usage.writes)),
        "deletes": .integer(Int64(usage.deletes)),
      ]
    ])
  }

  private func deliveries() -> RESTResponse {
    let waiting = emulator.withServices { state, now in state.waiting(at: now) }
    return RESTResponse([
      "deliveries": .array(emulator.traceEntries.map { Self.json($0) }),
      "waiting": .array(waiting.map { ["name": .string($0.name), "reason": .string($0.reason)] }),
    ])
  }

  private static func json(_ entry: TraceEntry) -> JSONValue {
    var object: [String: JSONValue] = ["time": .string("\(entry.time)"), "text": .string("\(entry)")]
    switch entry.event {
    case .deliveryStarted(let id, let subject, let attempt, let method, let url, let reason):
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

  /// Serves a request to a service.
  func serve(_ request: RESTRequest) async -> RESTResponse {
    switch router.call(for: request) {
    case .failure(let fault): RESTResponse(fault)
    case .success(let call): router.answer(call, await perform(call.call))
    }
  }

  /// Performs a call; with a write-ahead log, the response to a change waits until it is durable.
  ///
  /// - Parameter call: the call.
  /// - Returns: one response, those of a stream, or why the call was refused.
  package func perform(_ call: MethodCall) async -> Result<[Message], ServiceFault> {
    let record = call.mayChangeState && emulator.hasWriteAheadLog ? call.json : JSONValue?.none
    let result =
      call.entry.isOfFirestore
      ? await firestore.run { [emulator] in emulator.perform(call, recording: record) }
      : emulator.perform(call, recording: record)
    guard record != nil else { return result }
    do throws(ServiceFault) {
      try await makeDurable()
      return result
    } catch {
      return .failure(error)
    }
  }

  /// Creates the initial queues, before other requests are served.
  ///
  /// - Throws: ``JobError`` `invalidField` if the service rejects one.
  func makeQueues(_ requests: [RESTRequest]) async throws(JobError) {
    for request in requests {
      let answer = await serve(request)
      guard answer.status != 200 else { continue }
      let name = request.path.dropFirst().joined(separator: "/")
      let reason = answer.body["error"]?["message"]?.string ?? "It was refused."
      throw JobError(
        .invalidField, "\(name): \(reason) Change the file's queue, or choose another data folder.",
        field: "--queues", nativeCode: "HTTP \(answer.status)")
    }
  }

  /// Returns a response once the changes that it reports are durable.
  func durably(_ answer: RESTResponse) async -> RESTResponse {
    do throws(ServiceFault) {
      try await makeDurable()
      return answer
    } catch {
      return RESTResponse(error)
    }
  }

  /// Waits until all changes so far are durable.
  ///
  /// - Throws: ``ServiceFault`` `unavailable` if the write-ahead log can't be written.
  func makeDurable() async throws(ServiceFault) {
    do throws(JobError) {
      try await emulator.makeDurable()
    } catch {
      throw ServiceFault(.unavailable, error.message)
    }
  }
}

extension LiveEmulator {
  /// Performs a call under the lock of the services that it needs.
  ///
  /// - Parameters:
  ///   - call: the call.
  ///   - record: what the write-ahead log gets; nil for a read.
  /// - Returns: one response, those of a stream, or why the call was refused.
  func perform(_ call: MethodCall, recording record: JSONValue?) -> Result<[Message], ServiceFault> {
    let methods = MethodTable.google
    guard call.entry.isOfFirestore else {
      return withServices(recording: record) { state, now in
        Result { () throws(ServiceFault) in try methods.perform(call, &state, at: now) }
      }
    }
    return withFirestore(recording: record) { firestore, now in
      Result { () throws(ServiceFault) in try methods.perform(call, &firestore, at: now) }
    }
  }
}

/// A guard against requests from web pages in a local browser, and from other machines if the emulator listens locally.
struct RequestGuard: Sendable {
  private let rule: LocalCallerRule

  /// Creates a guard for a server's address; a server open to other machines accepts any host name.
  init(host: String) {
    let isLocal = Self.isLocal(host)
    rule = LocalCallerRule(servesOthers: !isLocal, alternative: "have the emulator listen at another address (--host)")
  }

  /// Returns whether a server at an address is reached from this machine alone.
  static func isLocal(_ host: String) -> Bool {
    host.lowercased() == "localhost" || IPAddress(host)?.isLoopback ?? false
  }

  /// Returns why a request is rejected, or nil if it may be served.
  func refusal(of request: LocalCallerRule.Request) -> ServiceFault? {
    rule.refusal(of: request).map { ServiceFault(.permissionDenied, $0) }
  }
}

/// The emulator's origin, which is known only once its port is bound.
final class EmulatorOrigin: Sendable {
  private let text: Mutex<String>

  /// Creates a provisional origin until the port is bound.
  init(_ text: String) {
    self.text = Mutex(text)
  }

  /// Scheme, host and port.
  var value: String { text.withLock { $0 } }

  /// Sets the origin of the bound port.
  func set(_ text: String) {
    self.text.withLock { $0 = text }
  }
}
