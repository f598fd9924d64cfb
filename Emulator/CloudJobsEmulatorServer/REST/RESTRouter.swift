package import CloudJobsCore
package import CloudJobsEmulator

/// The REST face of the emulated services: a request in, a typed call on the state, a JSON answer out.
///
/// It knows the paths of Cloud Tasks v2 (`/v2/projects/…/queues/…`) and Cloud Scheduler v1 (`/v1/projects/…/jobs/…`),
/// and takes both without their prefix, as some clients post without it; and those of Cloud Firestore v1
/// (`/v1/projects/…/databases/…`). It holds no state and reads no clock.
package struct RESTRouter: Sendable {
  /// A face.
  package init() {}

  /// Serves a request.
  ///
  /// - Parameters:
  ///   - request: the request.
  ///   - state: the services.
  ///   - now: the time.
  /// - Returns: the answer; a refusal in the shape of Google's errors.
  package func respond(to request: RESTRequest, state: inout EmulatorState, at now: Timestamp) -> RESTResponse {
    if let call = FirestoreCall(request, at: now) { return call.respond(&state.firestore) }
    do {
      return RESTResponse(try serve(request, &state, now))
    } catch {
      return RESTResponse(error)
    }
  }

  private func serve(
    _ request: RESTRequest, _ state: inout EmulatorState, _ now: Timestamp
  ) throws(ServiceFault) -> JSONValue {
    var call = RESTCall(request, at: now)
    if call.administersFirestore { throw call.unsupported }
    if call.isBatch { return try call.serveBatch(&state) }
    switch (call.version, call.collection) {
    case (_, "queues") where call.isPolicyCall: return try call.servePolicies(&state)
    case ("v2", "queues"), (nil, "queues"):
      return call.resource.count > 6
        ? try call.serveTasks(&state.tasks) : try call.serveQueues(&state.tasks)
    case ("v1", "jobs"), (nil, "jobs"): return try call.serveJobs(&state.scheduler)
    case (_, nil), (_?, "operations"), (_?, "cmekConfig"): return try call.serveLocations(&state)
    default: throw call.unknownRoute
    }
  }
}
