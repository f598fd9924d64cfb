/// A header of an HTTP message, stored exactly as the client sent it.
///
/// A type of its own rather than `HTTPField` of swift-http-types: the API returns names and values as the client sent
/// them, which `HTTPField` normalizes. Snapshots store name and value as JSON members.
package struct HeaderField: Hashable, Sendable, Codable {
  /// The name, with its original case.
  package var name: String
  /// The value.
  package var value: String

  /// Creates a header.
  package init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

extension [HeaderField] {
  /// The value of the first header with a name, compared without case.
  package subscript(name: String) -> String? {
    first { $0.name.lowercased() == name.lowercased() }?.value
  }

  /// Sets a header in place of those with its name, compared without case.
  mutating func set(_ name: String, _ value: String) {
    removeAll { $0.name.lowercased() == name.lowercased() }
    append(HeaderField(name, value))
  }

  /// Maximum size of all headers together, in bytes.
  package static var maximumBytes: Int { 80 * 1_024 }

  /// Validates the headers of a target.
  ///
  /// That a header which HTTP can't carry is refused, and not tried for days, is our reading.
  ///
  /// - Parameter target: the name of the target's message in texts, such as `HttpRequest`.
  /// - Throws: ``ServiceFault`` `invalidArgument`.
  func validate(_ target: String) throws(ServiceFault) {
    let size = reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
    guard size < Self.maximumBytes else { throw .invalidArgument("\(target).headers must be less than 80KB.") }
    for field in self {
      guard !field.name.isEmpty, field.name.utf8.allSatisfy(Self.isTokenByte) else {
        throw .invalidArgument("\(target).headers has the key \"\(field.name)\", which is no name of an HTTP header.")
      }
      guard field.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
        throw .invalidArgument("\(target).headers has a control character in the value of \"\(field.name)\".")
      }
    }
  }

  /// Whether a byte may be in a header's name (RFC 9110, <https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2>).
  private static func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "a")...UInt8(ascii: "z"):
      true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
  }

  /// Returns the headers without those that the service sets itself or reserves.
  ///
  /// Source: `HttpRequest.headers` (<https://cloud.google.com/tasks/docs/reference/rest/v2/HttpRequest>).
  func withoutReserved(prefixes: [String]) -> [HeaderField] {
    filter { field in
      let name = field.name.lowercased()
      return !["host", "content-length", "user-agent"].contains(name)
        && !(["x-google-", "x-appengine-"] + prefixes).contains { name.hasPrefix($0) }
    }
  }
}
