#if HTTP
import CloudJobsCore

/// Values as Firestore's REST face writes them: an object with one member, whose name is the type.
///
/// Source: <https://cloud.google.com/firestore/docs/reference/rest/Shared.Types/ArrayValue#Value>.
enum FirestoreValue {
  /// `null`.
  static let null: JSONValue = ["nullValue": nil]

  /// A string.
  static func string(_ text: String) -> JSONValue { ["stringValue": .string(text)] }

  /// A time.
  static func timestamp(_ time: Timestamp) -> JSONValue { ["timestampValue": .string(time.description)] }

  /// A document's resource name.
  static func reference(_ name: String) -> JSONValue { ["referenceValue": .string(name)] }

  /// The plain values of named ones.
  static func fields(_ fields: JSONValue?) -> [String: JSONValue] {
    (fields?.object ?? [:]).mapValues { decode($0) }
  }

  /// The plain value: timestamps as RFC 3339 text, bytes as Base64, references as names.
  ///
  /// What is of no known type becomes null, and an integer that is none, text: the reader of the field then says that
  /// the field can't be read.
  static func decode(_ value: JSONValue) -> JSONValue {
    guard let (type, content) = value.object?.first else { return .null }
    switch type {
    case "booleanValue", "stringValue", "timestampValue", "bytesValue", "referenceValue": return content
    case "integerValue": return integer(content)
    case "doubleValue": return content.double.map { .double($0) } ?? content
    case "geoPointValue":
      return ["latitude": content["latitude"] ?? 0, "longitude": content["longitude"] ?? 0]
    case "arrayValue": return .array((content["values"]?.array ?? []).map { decode($0) })
    case "mapValue": return .object(fields(content["fields"]))
    default: return .null
    }
  }

  private static func integer(_ content: JSONValue) -> JSONValue {
    guard let text = content.string else { return content }
    return Int64(text).map { .integer($0) } ?? content
  }
}
#endif
