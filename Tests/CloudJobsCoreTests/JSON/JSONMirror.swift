import CloudJobsCore

/// A JSON value as Foundation's decoder sees it.
struct JSONMirror: Decodable {
  let value: JSONValue

  init(from decoder: any Decoder) throws {
    if let container = try? decoder.container(keyedBy: Key.self) {
      var members = [String: JSONValue]()
      for key in container.allKeys {
        members[key.stringValue] = try container.decode(JSONMirror.self, forKey: key).value
      }
      value = .object(members)
      return
    }
    if var container = try? decoder.unkeyedContainer() {
      var values = [JSONValue]()
      while !container.isAtEnd { values.append(try container.decode(JSONMirror.self).value) }
      value = .array(values)
      return
    }
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      value = .null
    } else if let bool = try? container.decode(Bool.self) {
      value = .bool(bool)
    } else if let text = try? container.decode(String.self) {
      value = .string(text)
    } else {
      value = .double(try container.decode(Double.self))
    }
  }

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
}
