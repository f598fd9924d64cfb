import CloudJobsCore
import CloudJobsEmulator

extension EmulatorAPI {
  /// Serves a request to a service; with a journal, a change is answered once it is durable.
  func serve(_ request: RESTRequest) async -> RESTResponse {
    let record = request.mayChangeState && emulator.isJournaled ? request.json : JSONValue?.none
    let answer = emulator.withState(journaling: record) { state, now in
      face.respond(to: request, state: &state, at: now)
    }
    guard record != nil else { return answer }
    return await durably(answer)
  }

  /// Makes the queues of the start, before anyone else is served.
  ///
  /// - Throws: ``JobError`` `invalidField` where the service refuses one.
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

  /// Serves `POST /_emulator/advance?by=3600s`.
  func advance(_ request: RESTRequest) async -> RESTResponse {
    let text = request.query.first { $0.name == "by" }?.value ?? ""
    guard let span = WireDuration.parse(text), span >= .zero, span <= .days(366) else {
      return RESTResponse(
        .invalidArgument("The time is moved by a duration of at most 366 days: POST /_emulator/advance?by=3600s"))
    }
    guard let now = try? await emulator.advance(by: span) else {
      return RESTResponse(ServiceFault(.cancelled, "The emulator was stopped."))
    }
    return await durably(RESTResponse(["now": .string("\(now)")]))
  }

  /// An answer, once what it tells of is durable.
  func durably(_ answer: RESTResponse) async -> RESTResponse {
    do throws(JobError) {
      try await emulator.makeDurable()
      return answer
    } catch {
      return RESTResponse(ServiceFault(.unavailable, error.message))
    }
  }
}
