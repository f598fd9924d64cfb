import CloudJobsCore
import CloudJobsEmulator
import CloudJobsEmulatorWire

extension EmulatorAPI {
  /// The longest duration of an advance.
  static let longestAdvance = Duration.days(366)
  /// The maximum number of events of an advance until nothing waits.
  static let maximumEvents = 100_000

  /// Resets all services and the time, and makes the initial queues again.
  func reset() async -> RESTResponse {
    let state = initialState()
    await firestore.run { [emulator] in emulator.reset(to: state) }
    for request in startUp { _ = await serve(request) }
    return await durably(RESTResponse(.object([:])))
  }

  /// Serves `POST /_emulator/advance?by=3600s`, and `?to=next`.
  func advance(_ request: RESTRequest) async -> RESTResponse {
    if let place = request.query.first(where: { $0.name == "to" })?.value {
      guard place == "next", request.query.count == 1 else {
        return RESTResponse(.invalidArgument("The time can be advanced to the next event: ?to=next, or ?by=3600s"))
      }
      return await report { try await emulator.advanceToNextEvent() }
    }
    let text = request.query.first { $0.name == "by" }?.value ?? ""
    guard let span = WireDuration.parse(text), span >= .zero, span <= Self.longestAdvance else {
      return RESTResponse(
        .invalidArgument("The time can be advanced by at most 366 days: POST /_emulator/advance?by=3600s"))
    }
    return await report { try await emulator.advance(by: span) }
  }

  /// Serves `POST /_emulator/run-until-idle?limit=1000&within=86400s`.
  func runUntilIdle(_ request: RESTRequest) async -> RESTResponse {
    let limit = request.query.first { $0.name == "limit" }?.value ?? "1000"
    guard let limit = Int(limit), (1...Self.maximumEvents).contains(limit) else {
      return RESTResponse(.invalidArgument("The limit must be a number of events from 1 to \(Self.maximumEvents)."))
    }
    let within = request.query.first { $0.name == "within" }?.value
    guard let span = within.map({ WireDuration.parse($0) }) ?? .days(31), span > .zero, span <= Self.longestAdvance
    else {
      return RESTResponse(
        .invalidArgument("The duration \"within\" must be one such as \"86400s\", at most 366 days."))
    }
    return await report { try await emulator.runUntilIdle(limit: limit, within: span) }
  }

  private func report(_ advance: () async throws -> AdvanceReport) async -> RESTResponse {
    guard let report = try? await advance() else {
      return RESTResponse(ServiceFault(.cancelled, "The emulator was stopped."))
    }
    return await durably(RESTResponse(report.json))
  }
}

extension AdvanceReport {
  /// The report as admin calls answer it.
  var json: JSONValue {
    [
      "from": .string("\(from)"), "now": .string("\(now)"), "events": .integer(Int64(events)),
      "deliveries": .integer(Int64(deliveries.started)), "failed": .integer(Int64(deliveries.failed)),
      "end": .string(end.rawValue),
    ]
  }
}

extension ClockStatus {
  /// The status as admin calls answer it.
  var json: JSONValue {
    [
      "now": .string("\(now)"), "frozen": .bool(isFrozen),
      "aheadSeconds": .double((Double(ahead.microseconds) / 1_000_000)),
      "nextEvent": nextEvent.map { .string("\($0)") } ?? .null, "inFlight": .integer(Int64(inFlight)),
    ]
  }
}
