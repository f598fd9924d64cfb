package import CloudJobsCore

/// What may be shown of a payload so that a person can change it and send it again.
package enum PayloadDisclosure: Hashable, Sendable {
  /// There is no payload.
  case none
  /// The whole payload.
  case whole(JSONValue)
  /// The payload has confidential fields, so that what could be shown would not be the payload.
  case confidential
  /// The payload is encrypted.
  case encrypted
}

extension JobRuntime {
  /// Returns what may be shown of a payload so that a person can change it and send it again.
  ///
  /// A payload is shown whole or not at all: one with replaced fields, sent again, would replace what is confidential.
  ///
  /// - Parameter payload: the payload as stored.
  package func disclosure(of payload: JSONText?) -> PayloadDisclosure {
    guard let payload else { return .none }
    if EncryptedPayload(payload) != nil || options.payloadCodec != nil { return .encrypted }
    let value = payload.value
    guard let rule = services.redaction else { return .whole(value) }
    return rule.redacted(value) == value ? .whole(value) : .confidential
  }

  /// Returns whether a payload that a person wrote has the text that stands for a confidential value, in place of it.
  ///
  /// - Parameter value: the payload.
  package func hasReplacedValue(_ value: JSONValue) -> Bool {
    services.redaction.map { $0.hasReplacedValue(value) } ?? false
  }
}

extension RedactionRule {
  /// Whether a confidential field has the text in place of its value.
  fileprivate func hasReplacedValue(_ value: JSONValue) -> Bool {
    switch value {
    case .object(let members):
      members.contains { name, value in
        (fields.contains(name) && value.string == Self.replacement) || hasReplacedValue(value)
      }
    case .array(let values): values.contains { hasReplacedValue($0) }
    case .null, .bool, .integer, .double, .string: false
    }
  }
}
