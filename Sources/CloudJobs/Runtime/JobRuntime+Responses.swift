import CloudJobsCore
import HTTPTypes

extension JobRuntime {
  /// The answer to a delivery.
  static func response(to handling: Handling, now: Timestamp) -> HandlerResponse {
    if let error = handling.error { return response(to: error, retryAt: handling.retryAt, now: now) }
    var members: [String: JSONValue] = ["status": .string(handling.status.rawValue)]
    members["jobId"] = handling.job.map { .string($0.rawValue) }
    members["runId"] = handling.run.map { .string($0.rawValue) }
    members["attempt"] = handling.attempt.map { .integer(Int64($0)) }
    members["reason"] = handling.reason.map { .string($0) }
    members["next"] = handling.retryAt.map { .string($0.description) }
    switch handling.status {
    case .busy, .leaseLost:
      let error = JobError(.busy, "Another attempt of this run is under way. Deliver again later.")
      return response(to: error, retryAt: handling.retryAt, now: now)
    case .early:
      let error = JobError(.overloaded, "The delivery came before the run's time. Deliver it again then.")
      return response(to: error, retryAt: handling.retryAt, now: now)
    default: return response(.ok, .object(members))
    }
  }

  /// The answer to a master tick.
  static func response(to summary: PassSummary) -> HandlerResponse {
    if let error = summary.error { return response(to: error) }
    return response(
      .ok,
      [
        "status": "passed", "due": .integer(Int64(summary.due)), "started": .integer(Int64(summary.started)),
        "skipped": .integer(Int64(summary.skipped)), "recovered": .integer(Int64(summary.recovered)),
        "quarantined": .integer(Int64(summary.quarantined)), "complete": .bool(summary.isComplete),
      ])
  }

  /// The answer that carries an error.
  static func response(to error: JobError, retryAt: Timestamp? = nil, now: Timestamp? = nil) -> HandlerResponse {
    var members: [String: JSONValue] = ["code": .string(error.code.rawValue), "message": .string(error.message)]
    members["field"] = error.field.map { .string($0) }
    var response = response(error.code.httpStatus, ["error": .object(members)])
    if let retryAt, let now {
      let seconds = max(1, ((retryAt - now).microseconds + 999_999) / 1_000_000)
      response.head.headerFields[.retryAfter] = String(seconds)
    }
    return response
  }

  static func response(_ status: HTTPResponse.Status, _ body: JSONValue) -> HandlerResponse {
    let fields: HTTPFields = [.contentType: "application/json; charset=utf-8", .cacheControl: "no-store"]
    return HandlerResponse(head: HTTPResponse(status: status, headerFields: fields), body: body.encoded)
  }
}

extension JobError.Code {
  /// The HTTP status that carries an error of this code.
  var httpStatus: HTTPResponse.Status {
    switch self {
    case .unauthenticated: .unauthorized
    case .permissionDenied: .forbidden
    case .unknownJob, .notFound: .notFound
    case .methodNotAllowed: .methodNotAllowed
    case .busy: .conflict
    case .tooLarge: .contentTooLarge
    case .overloaded: .tooManyRequests
    case .shuttingDown, .storeUnavailable, .queueUnavailable, .credentialsUnavailable, .keysUnavailable:
      .serviceUnavailable
    case .addressUnavailable, .invalidCredentials, .handlerFailed, .timedOut, .leaseLost, .internalError:
      .internalServerError
    default: .badRequest
    }
  }
}
