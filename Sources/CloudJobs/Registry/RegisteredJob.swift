import CloudJobsCore

/// A registered job: its handler with the types of input and output erased behind JSON.
struct RegisteredJob: Sendable {
  var definition: JobDefinition
  let hooks: JobHooks
  private var call: JobMiddleware.Next
  private let inputType: any Any.Type
  private let check: @Sendable (JSONText?) -> JobError?

  /// Returns whether a value is of the job's input type, so that its JSON need not be checked.
  func takes(_ input: any Encodable & Sendable) -> Bool { type(of: input) == inputType }

  /// Returns the error of a payload that is not the job's input, or nil.
  func fault(in payload: JSONText?) -> JobError? { check(payload) }

  /// The fault of the input that the definition gives to runs that bring none.
  var inputFault: JobError? {
    guard let input = definition.policy.input, let fault = check(JSONText(input)) else { return nil }
    return JobError(.invalidRegistry, "\(definition.id): the input does not fit. \(fault.message)")
  }

  /// Returns the job with a function around its handler, or in the handler's place.
  func wrappingHandler(_ wrap: (@escaping JobMiddleware.Next) -> JobMiddleware.Next) -> RegisteredJob {
    var job = self
    job.call = wrap(call)
    return job
  }

  init<Handler: JobHandler>(erasing handler: Handler) {
    definition = handler.definition
    inputType = Handler.Input.self
    check = { payload in
      if Handler.Input.self == NoInput.self {
        guard let payload, payload.value.object?.isEmpty != true, !payload.value.isNull else { return nil }
        return JobError(
          .invalidInput, "The job \(handler.definition.id) takes no input. Omit the payload.", field: "payload")
      }
      do {
        _ = try PayloadCoding.decode(Handler.Input.self, from: payload)
        return nil
      } catch {
        return JobError(.invalidInput, PayloadCoding.describe(error), field: PayloadCoding.path(of: error))
      }
    }
    hooks = JobHooks(of: handler)
    call = { attempt in
      let input: Handler.Input
      do {
        input = try PayloadCoding.decode(Handler.Input.self, from: attempt.input)
      } catch {
        throw JobFailure.permanent(PayloadCoding.describe(error), kind: "invalidInput")
      }
      switch try await handler.run(input, context: attempt.context) {
      case .done(let output): return .done(try Self.encoded(output))
      case .snooze(let span): return .snooze(span)
      case .cancel(let reason): return .cancel(reason: reason)
      case .continue(let checkpoint, let delay): return .continue(from: checkpoint, after: delay)
      }
    }
  }

  /// Executes an attempt: the hooks of its start, the middleware, and the handler.
  ///
  /// - Parameters:
  ///   - input: the input, decrypted.
  ///   - context: the context of the attempt.
  /// - Returns: the outcome; an error that the middleware or the handler throws is a failure.
  func execute(_ input: JSONText?, _ context: JobContext) async -> Outcome {
    await HookCaller(hooks, context.services).started(context)
    let call = context.services.options.middleware.around(call)
    do {
      switch try await call(JobAttempt(input: input, context: context)) {
      case .done(let output): return .succeeded(output: output)
      case .snooze(let span): return .snoozed(span)
      case .cancel(let reason): return .cancelled(reason: context.redacted(reason))
      case .continue(let checkpoint, let delay):
        if let checkpoint { context.record.set(checkpoint: try context.sealed(checkpoint: checkpoint)) }
        return .continued(after: delay)
      }
    } catch {
      return Self.outcome(of: error, redacted: context.redacted)
    }
  }

  /// Returns a result as JSON.
  ///
  /// - Throws: ``JobFailure``, a permanent one, if it can't be stored: a repetition of the work would not help.
  private static func encoded(_ output: some Encodable) throws -> JSONText? {
    if output is NoOutput { return nil }
    do {
      return try PayloadCoding.encode(output)
    } catch {
      throw JobFailure.permanent(
        (error as? JobError)?.message ?? "The output can't be encoded as JSON.", kind: "invalidOutput")
    }
  }

  /// Returns the outcome of an error that a handler threw.
  ///
  /// - Parameters:
  ///   - error: the error.
  ///   - redacted: replaces confidential values, before a long message is cut.
  /// - Returns: the failure.
  static func outcome(of error: any Error, redacted: (String) -> String) -> Outcome {
    if let failure = error as? JobFailure {
      return .failed(
        RunFailure(kind: redacted(failure.kind), message: redacted(failure.message)), isPermanent: failure.isPermanent,
        retryAfter: failure.retryAfter)
    }
    return .failed(
      RunFailure(kind: String(describing: type(of: error)), message: redacted(String(describing: error))),
      isPermanent: false, retryAfter: nil)
  }
}
