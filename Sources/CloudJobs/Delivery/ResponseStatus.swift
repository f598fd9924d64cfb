public import CloudJobsCore
import HTTPTypes

/// The one table of HTTP statuses: those of delivery results, and those of error codes.
enum ResponseStatus {
  /// Returns the status of a delivery's result.
  static func status(of result: DeliveryResult) -> HTTPResponse.Status {
    switch result.status {
    case .succeeded, .retrying, .scheduled, .snoozed, .cancelled, .deadLettered, .skipped, .duplicate, .waiting: .ok
    case .failed, .rejected: result.error.map { status(of: $0.code) } ?? .internalServerError
    case .busy, .leaseLost: status(of: .busy)
    case .early: status(of: .overloaded)
    }
  }

  /// Returns the status of an error code.
  static func status(of code: JobError.Code) -> HTTPResponse.Status {
    switch code {
    case .unauthenticated: .unauthorized
    case .permissionDenied: .forbidden
    case .unknownJob, .notFound: .notFound
    case .methodNotAllowed: .methodNotAllowed
    case .busy, .cancelled, .storeConflict: .conflict
    case .tooLarge: .contentTooLarge
    case .overloaded: .tooManyRequests
    case .shuttingDown, .timedOut, .storeUnavailable, .queueUnavailable, .credentialsUnavailable, .keysUnavailable,
      .payloadKeyUnavailable:
      .serviceUnavailable
    case .addressUnavailable, .invalidCredentials, .handlerFailed, .leaseLost, .storeRejected, .payloadDamaged,
      .internalError:
      .internalServerError
    default: .badRequest
    }
  }
}

extension HandlerResponse {
  /// Creates the response that carries an error, with the status of its code.
  public init(_ error: JobError) {
    self.init(error, ResponseStatus.status(of: error.code))
  }

  private init(_ error: JobError, _ status: HTTPResponse.Status, retryAt: Timestamp? = nil, now: Timestamp? = nil) {
    var members: [String: JSONValue] = ["code": .string(error.code.rawValue), "message": .string(error.message)]
    members["field"] = error.field.map { .string($0) }
    self.init(status, ["error": .object(members)])
    if let retryAt, let now {
      let seconds = max(1, ((retryAt - now).microseconds + 999_999) / 1_000_000)
      head.headerFields[.retryAfter] = String(seconds)
    }
  }

  /// Creates the response to a delivery.
  init(_ result: DeliveryResult, now: Timestamp) {
    let status = ResponseStatus.status(of: result)
    if let error = result.error ?? result.refusal {
      self.init(error, status, retryAt: result.retryAt, now: now)
      return
    }
    var members: [String: JSONValue] = ["status": .string(result.status.rawValue)]
    members["jobId"] = result.job.map { .string($0.rawValue) }
    members["runId"] = result.runID.map { .string($0.rawValue) }
    members["attempt"] = result.attempt.map { .integer(Int64($0)) }
    members["reason"] = result.reason.map { .string($0) }
    members["next"] = result.retryAt.map { .string($0.description) }
    self.init(status, .object(members))
  }

  /// Creates the response to a master pass.
  init(_ summary: PassSummary) {
    if let error = summary.error {
      self.init(error)
      return
    }
    self.init(
      .ok,
      [
        "status": "passed", "due": .integer(Int64(summary.due)), "started": .integer(Int64(summary.started)),
        "skipped": .integer(Int64(summary.skipped)), "recovered": .integer(Int64(summary.recovered)),
        "quarantined": .integer(Int64(summary.quarantined)), "complete": .bool(summary.isComplete),
      ])
  }

  /// Creates the response to a drain.
  init(_ summary: QueueDrainSummary) {
    if let error = summary.error {
      self.init(error)
      return
    }
    self.init(
      .ok,
      ["status": "drained", "started": .integer(Int64(summary.started)), "complete": .bool(summary.isComplete)])
  }

  /// Creates the response to a health probe.
  ///
  /// A degraded runtime answers 200 too: a restart would not help it.
  init(_ report: JobHealth) {
    self.init(report.status == .draining ? .serviceUnavailable : .ok, report.json)
  }
}

extension DeliveryResult {
  /// The error that a response carries for a delivery that must be repeated later.
  fileprivate var refusal: JobError? {
    switch status {
    case .busy, .leaseLost: JobError(.busy, "Another attempt of this run is under way. Deliver again later.")
    case .early: JobError(.overloaded, "The delivery came before the run's time. Deliver it again then.")
    default: nil
    }
  }
}
