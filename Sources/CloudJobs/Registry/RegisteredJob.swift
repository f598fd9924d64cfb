import CloudJobsCore

/// A registered job: its handler with the types of input and output erased behind JSON.
struct RegisteredJob: Sendable {
  let definition: JobDefinition
  let execute: @Sendable (JSONText?, JobContext) async -> Outcome
  private let inputType: any Any.Type
  private let check: @Sendable (JSONText?) -> JobError?

  /// Returns whether a value is of the job's input type, so that its JSON need not be checked.
  func takes(_ input: any Encodable & Sendable) -> Bool { type(of: input) == inputType }

  /// Returns the error of a payload that is not the job's input, or nil.
  func fault(in payload: JSONText?) -> JobError? { check(payload) }

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
    execute = { payload, context in
      let input: Handler.Input
      do {
        input = try PayloadCoding.decode(Handler.Input.self, from: payload)
      } catch {
        return .failed(
          RunFailure(kind: "invalidInput", message: PayloadCoding.describe(error)), isPermanent: true,
          retryAfter: nil)
      }
      do {
        switch try await handler.run(input, context: context) {
        case .done(let output): return Self.outcome(ofOutput: output)
        case .snooze(let span): return .snoozed(span)
        case .cancel(let reason): return .cancelled(reason: reason)
        case .continue(let checkpoint, let delay):
          if let checkpoint { context.record.set(checkpoint: try PayloadCoding.checkpoint(checkpoint)) }
          return .continued(after: delay)
        }
      } catch {
        return Self.outcome(of: error)
      }
    }
  }

  /// Returns the success with its result; a permanent failure if the result can't be stored, as a repetition of the
  /// work would not help.
  private static func outcome(ofOutput output: some Encodable) -> Outcome {
    if output is NoOutput { return .succeeded(output: nil) }
    do {
      return .succeeded(output: try PayloadCoding.encode(output))
    } catch {
      let message = (error as? JobError)?.message ?? "The output can't be encoded as JSON."
      return .failed(RunFailure(kind: "invalidOutput", message: message), isPermanent: true, retryAfter: nil)
    }
  }

  /// Returns the outcome of an error that a handler threw.
  static func outcome(of error: any Error) -> Outcome {
    if let failure = error as? JobFailure {
      return .failed(
        RunFailure(kind: failure.kind, message: failure.message), isPermanent: failure.isPermanent,
        retryAfter: failure.retryAfter)
    }
    return .failed(
      RunFailure(kind: String(describing: type(of: error)), message: String(describing: error)), isPermanent: false,
      retryAfter: nil)
  }
}
