import CloudJobsCore

extension Firestore.Value: Codable {
  private enum CodingKeys: String, CodingKey {
    case null, boolean, integer, double, timestamp, string, bytes, reference, geoPoint, array, map
  }

  /// The value of an object whose one member tells the kind.
  public init(from decoder: any Decoder) throws {
    let object = try decoder.container(keyedBy: CodingKeys.self)
    guard let kind = object.allKeys.first else {
      throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "no kind of value"))
    }
    func content<Content: Decodable>() throws -> Content { try object.decode(Content.self, forKey: kind) }
    switch kind {
    case .null: self = .null
    case .boolean: self = .boolean(try content())
    case .integer: self = .integer(try content())
    case .double: self = .double(try content())
    case .timestamp: self = .timestamp(try content())
    case .string: self = .string(try content())
    case .bytes: self = .bytes(try object.decode(Base64Bytes.self, forKey: kind).wrappedValue)
    case .reference: self = .reference(try content())
    case .geoPoint:
      var pair = try object.nestedUnkeyedContainer(forKey: kind)
      self = .geoPoint(latitude: try pair.decode(Double.self), longitude: try pair.decode(Double.self))
    case .array: self = .array(try content())
    case .map: self = .map(try content())
    }
  }

  /// The value as an object whose one member tells the kind.
  public func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .null: try object.encode(true, forKey: .null)
    case .boolean(let truth): try object.encode(truth, forKey: .boolean)
    case .integer(let number): try object.encode(number, forKey: .integer)
    case .double(let number): try object.encode(number, forKey: .double)
    case .timestamp(let time): try object.encode(time, forKey: .timestamp)
    case .string(let text): try object.encode(text, forKey: .string)
    case .bytes(let bytes): try object.encode(Base64Bytes(wrappedValue: bytes), forKey: .bytes)
    case .reference(let name): try object.encode(name, forKey: .reference)
    case .geoPoint(let latitude, let longitude): try object.encode([latitude, longitude], forKey: .geoPoint)
    case .array(let elements): try object.encode(elements, forKey: .array)
    case .map(let fields): try object.encode(fields, forKey: .map)
    }
  }
}
