/// An error of an emulated service, as reported to the client.
package struct ServiceFault: Error, Hashable, Sendable {
  /// The status code.
  package var code: StatusCode
  /// The message for the client.
  package var message: String
  /// More about it, for programs.
  package var details: [FaultDetail]

  /// Creates an error.
  package init(_ code: StatusCode, _ message: String, details: [FaultDetail] = []) {
    self.code = code
    self.message = message
    self.details = details
  }

  /// Creates an error of a field of the request.
  ///
  /// - Parameters:
  ///   - code: the status code.
  ///   - message: the message.
  ///   - field: the field as a dotted path.
  package init(_ code: StatusCode, _ message: String, field: String) {
    self.init(code, message, details: [.badRequest([FieldViolation(field: field, description: message)])])
  }

  /// Creates the `invalidArgument` error of several fields, with a line for each.
  package static func invalidArgument(_ violations: [FieldViolation]) -> ServiceFault {
    ServiceFault(
      .invalidArgument, violations.map(\.description).joined(separator: "\n"), details: [.badRequest(violations)])
  }

  /// Creates an `invalidArgument` error.
  package static func invalidArgument(_ message: String) -> ServiceFault {
    ServiceFault(.invalidArgument, message)
  }
}

/// More about an error, for programs.
///
/// Source: `google.rpc` (<https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto>).
package enum FaultDetail: Hashable, Sendable {
  /// The fields of the request that are invalid.
  case badRequest([FieldViolation])
  /// The reason as a constant of a service, with values.
  case reason(String, domain: String, metadata: [String: String])
  /// Where the rule is explained.
  case help(description: String, url: String)
}

/// A field of a request that is invalid.
package struct FieldViolation: Hashable, Sendable {
  /// The field as a dotted path.
  package var field: String
  /// What is wrong.
  package var description: String

  /// Creates a violation.
  package init(field: String, description: String) {
    self.field = field
    self.description = description
  }
}

extension ServiceFault: CustomStringConvertible {
  /// The code and the message.
  package var description: String { "\(code.name): \(message)" }
}
