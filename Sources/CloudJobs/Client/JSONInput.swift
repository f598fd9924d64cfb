package import CloudJobsCore

/// An input that is JSON already.
package struct JSONInput: Encodable, Sendable {
  let value: JSONValue

  /// Creates an input of JSON.
  package init(value: JSONValue) { self.value = value }

  /// Encodes the value.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch value {
    case .null: try container.encodeNil()
    case .bool(let truth): try container.encode(truth)
    case .integer(let number): try container.encode(number)
    case .double(let number): try container.encode(number)
    case .string(let text): try container.encode(text)
    case .array(let elements): try container.encode(elements.map { JSONInput(value: $0) })
    case .object(let members): try container.encode(members.mapValues { JSONInput(value: $0) })
    }
  }
}
