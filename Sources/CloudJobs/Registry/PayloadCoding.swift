public import CloudJobsCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

extension JSONText {
  /// Decodes the text like a job's input or output: dates from ISO 8601, bytes from base64.
  ///
  /// - Parameter type: the type of the value.
  /// - Returns: the value.
  /// - Throws: `DecodingError` if the text does not match the type.
  public func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    try PayloadCoding.decode(type, from: self)
  }
}

/// The coding of inputs and outputs as JSON: dates as ISO 8601 text, bytes as base64, keys unchanged.
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

  /// Encodes the input that a definition gives to runs that bring none.
  ///
  /// - Returns: the input; null, which the registry refuses, if it can't be encoded.
  static func definedInput(_ input: some Encodable) -> JSONValue {
    (try? encode(input, limits: .payload))?.value ?? .null
  }

  /// Encodes a checkpoint or another value of a handler.
  ///
  /// - Throws: ``JobError`` `invalidInput`, or `tooLarge`.
  static func checkpoint(_ value: some Encodable) throws(JobError) -> JSONText {
    do {
      return try encode(value, limits: .payload)
    } catch let error as JobError {
      throw error
    } catch {
      throw JobError(.invalidInput, "The value can't be encoded as JSON.", field: "checkpoint")
    }
  }

  /// Returns the dotted path of the member that caused an error.
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

  /// Returns a description of an error, by field and without any of the payload's values.
  static func describe(_ error: any Error) -> String {
    guard let error = error as? DecodingError else { return "The payload does not decode." }
    let (context, what): (DecodingError.Context, String) =
      switch error {
      case .keyNotFound(let key, let context): (context, "the field \(key.stringValue) is missing")
      case .typeMismatch(let type, let context): (context, "expected \(type)")
      case .valueNotFound(let type, let context): (context, "expected \(type), not null")
      case .dataCorrupted(let context): (context, "the value has the wrong form")
      @unknown default: (DecodingError.Context(codingPath: [], debugDescription: ""), "it does not decode")
      }
    let path = (["payload"] + context.codingPath.map(\.stringValue)).joined(separator: ".")
    return "The payload does not fit the job's input: at \(path), \(what)."
  }
}
