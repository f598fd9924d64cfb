/// A header of an HTTP message.
public struct HeaderField: Hashable, Sendable, Codable {
  /// The name, in the case it was given.
  public var name: String
  /// The value.
  public var value: String

  /// A header with its value.
  public init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

extension [HeaderField] {
  /// The value of the first header of a name, whatever its case.
  public subscript(name: String) -> String? {
    first { $0.name.lowercased() == name.lowercased() }?.value
  }

  /// The headers a caller asked for, without those that the service sets itself or reserves.
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
