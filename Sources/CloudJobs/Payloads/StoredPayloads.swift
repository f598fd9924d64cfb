import CloudJobsCore

/// The one place where payloads are encoded for the store, and decoded.
struct StoredPayloads: Sendable {
  /// The delay after which a run whose key is not available is attempted again.
  static let keyRetryDelay = Duration.minutes(5)

  let codec: (any PayloadCodec)?

  /// Returns the stored form of a payload.
  func sealed(_ payload: JSONText?, job: JobID, run: RunID, _ field: String) throws(JobError) -> JSONText? {
    guard let payload, let codec else { return payload }
    return try codec.encode(payload, at: PayloadPlace(jobID: job, runID: run, field: field))
  }

  /// Returns a payload of its stored form.
  ///
  /// - Throws: ``JobError`` `payloadKeyUnavailable`, also for an encrypted payload in a runtime without a codec, or
  ///   another error of the codec.
  func opened(_ payload: JSONText?, job: JobID, run: RunID, _ field: String) throws(JobError) -> JSONText? {
    guard let payload else { return nil }
    if let codec { return try codec.decode(payload, at: PayloadPlace(jobID: job, runID: run, field: field)) }
    guard let encrypted = EncryptedPayload(payload) else { return payload }
    throw JobError(
      .payloadKeyUnavailable,
      "The payload is encrypted with the key \(encrypted.keyID), but this runtime has no payload codec. Set "
        + "RuntimeOptions.payloadCodec.")
  }

  /// Returns a run with the payloads of another one, to which their encryption may be bound.
  func moved(_ run: Run, from other: Run) throws(JobError) -> Run {
    guard codec != nil else { return run }
    var run = run
    run.input = try sealed(
      try opened(other.input, job: other.job, run: other.id, "input"), job: run.job, run: run.id, "input")
    run.checkpoint = try sealed(
      try opened(other.checkpoint, job: other.job, run: other.id, "checkpoint"), job: run.job, run: run.id, "checkpoint"
    )
    return run
  }

  /// Returns an outcome as it is stored: with its output encoded.
  func sealed(_ outcome: Outcome, of run: Run) -> Outcome {
    guard case .succeeded(let output) = outcome else { return outcome }
    do throws(JobError) {
      return .succeeded(output: try sealed(output, job: run.job, run: run.id, "output"))
    } catch {
      return .failed(RunFailure(kind: "invalidOutput", message: error.message), isPermanent: true, retryAfter: nil)
    }
  }

  /// Returns a result with its output decoded, for the caller.
  func opened(_ result: DeliveryResult) -> DeliveryResult {
    guard let output = result.output, let job = result.job, let run = result.runID else { return result }
    var result = result
    do throws(JobError) {
      result.output = try opened(output, job: job, run: run, "output")
    } catch {
      (result.output, result.outputError) = (nil, error)
    }
    return result
  }
}

/// What a handler's call, or the attempt to decode its input, resulted in.
struct CalledHandler: Sendable {
  /// The run with its input decoded.
  var run: Run
  /// The outcome as the handler returned it.
  var outcome: Outcome
  /// The outcome as it is stored.
  var stored: Outcome
  /// Whether the shutdown had cancelled the handler by then.
  var isShutdown = false
  /// Whether the handler ignored its cancellation, and may still be executing.
  var isAbandoned = false
  /// The reason why the run is kept for later although its handler was not called.
  var holdReason: String?

  init(_ run: Run, _ outcome: Outcome, stored: Outcome, isShutdown: Bool) {
    self.run = run
    (self.outcome, self.stored, self.isShutdown) = (outcome, stored, isShutdown)
  }

  /// Creates the result of a handler that exceeded its time limit and ignored its cancellation.
  init(abandoned run: Run, after limit: Duration) {
    let outcome = Outcome.timedOut(after: limit)
    self.init(run, outcome, stored: outcome, isShutdown: false)
    isAbandoned = true
  }

  /// Creates the result of an input that can't be decoded.
  ///
  /// A key that is missing can come back: the run waits for it, as it would for any part of the configuration, and
  /// counts no failure. A payload that was changed counts as a failure, so that the run ends by its retry policy.
  init(unreadable run: Run, _ error: JobError) {
    self.run = run
    if error.code == .payloadKeyUnavailable {
      outcome = .snoozed(StoredPayloads.keyRetryDelay)
      holdReason = error.message
    } else {
      let failure = RunFailure(kind: error.code.rawValue, message: error.message)
      outcome = .failed(failure, isPermanent: false, retryAfter: nil)
    }
    stored = outcome
  }

  /// Makes the attempt one that failed for good.
  mutating func fail(with failure: RunFailure) {
    outcome = .failed(failure, isPermanent: true, retryAfter: nil)
    (stored, holdReason) = (outcome, nil)
  }
}

extension RunFailure {
  /// The failure of an attempt whose end the store refuses.
  init(refusal error: StoreError) {
    self.init(
      kind: JobError.Code.storeRejected.rawValue,
      message: "The store refuses what the attempt leaves: \(error.message) Return, store and enqueue less, and keep "
        + "large values elsewhere.")
  }
}
