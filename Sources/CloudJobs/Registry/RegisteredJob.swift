import CloudJobsCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A job whose input and output types are hidden behind JSON.
struct RegisteredJob: Sendable {
  let definition: JobDefinition
  let execute: @Sendable (JSONText?, JobContext) async -> Outcome
  private let inputType: any Any.Type
  private let check: @Sendable (JSONText?) -> JobError?

  /// Whether a value is of the job's input type, so that its JSON need not be checked.
  func takes(_ input: any Encodable & Sendable) -> Bool { type(of: input) == inputType }

  /// Why a payload is not the job's input; nil where it is.
  func fault(in payload: JSONText?) -> JobError? { check(payload) }

  init<Handler: JobHandler>(erasing handler: Handler) {
    definition = handler.definition
    inputType = Handler.Input.self
    check = { payload in
      if Handler.Input.self == NoInput.self {
        guard let payload, payload.value.object?.isEmpty != true, !payload.value.isNull else { return nil }
        return JobError(
          .invalidInput, "The job \(handler.definition.id) takes no input. Leave the payload out.", field: "payload")
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
        }
      } catch {
        return Self.outcome(of: error)
      }
    }
  }

  /// The success with its result.
  ///
  /// The work is done: where the result can't be kept, doing it again would not help.
  private static func outcome(ofOutput output: some Encodable) -> Outcome {
    if output is NoOutput { return .succeeded(output: nil) }
    do {
      return .succeeded(output: try PayloadCoding.encode(output))
    } catch {
      let message = (error as? JobError)?.message ?? "The output can't be encoded as JSON."
      return .failed(RunFailure(kind: "invalidOutput", message: message), isPermanent: true, retryAfter: nil)
    }
  }

  /// What an error that a handler threw means.
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

/// How inputs and outputs become JSON: dates as ISO 8601 text, bytes as base64, keys as they are.
enum PayloadCoding {
  static func decode<Value: Decodable>(_: Value.Type, from payload: JSONText?) throws -> Value {
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .iso8601
    return try decoder.decode(Value.self, from: Data((payload ?? JSONText([:])).bytes))
  }

  static func encode(_ value: some Encodable, limits: JSONLimits = .envelope) throws -> JSONText {
    let encoder = JSONEncoder()
    encoder.dateEncodingStrategy = .iso8601
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try JSONText(checking: Array(try encoder.encode(value)), limits: limits)
  }

  /// Where a payload does not fit, as a dotted path.
  static func path(of error: any Error) -> String {
    let keys: [any CodingKey] =
      switch error as? DecodingError {
      case .keyNotFound(let key, let context): context.codingPath + [key]
      case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
        context.codingPath
      default: []
      }
    return (["payload"] + keys.map(\.stringValue)).joined(separator: ".")
  }

  /// What is wrong with a payload, by field and without any of its values.
  static func describe(_ error: any Error) -> String {
    guard let error = error as? DecodingError else { return "The payload does not decode." }
    let (context, what): (DecodingError.Context, String) =
      switch error {
      case .keyNotFound(let key, let context): (context, "the field \(key.stringValue) is missing")
      case .typeMismatch(let type, let context): (context, "this is no \(type)")
      case .valueNotFound(let type, let context): (context, "this is null and should be a \(type)")
      case .dataCorrupted(let context): (context, "the value has the wrong form")
      @unknown default: (DecodingError.Context(codingPath: [], debugDescription: ""), "it does not decode")
      }
    let path = (["payload"] + context.codingPath.map(\.stringValue)).joined(separator: ".")
    return "The payload does not fit the job's input: at \(path), \(what)."
  }
}
