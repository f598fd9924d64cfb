/// The name of a location: `projects/P/locations/L`.
public struct LocationName: Hashable, Comparable, Sendable {
  /// The whole name.
  public let text: String

  /// Checks a name.
  ///
  /// - Throws: ``ServiceFault`` `invalidArgument`.
  public init(_ text: String) throws(ServiceFault) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 4, parts[0] == "projects", parts[2] == "locations",
      NameAlphabet.project.allows(parts[1]), NameAlphabet.location.allows(parts[3])
    else {
      throw .invalidArgument(
        "Location name must be formatted: \"projects/<PROJECT_ID>/locations/<LOCATION_ID>\".")
    }
    self.text = text
  }

  init(unchecked text: String) {
    self.text = text
  }

  /// Alphabetical order.
  public static func < (left: LocationName, right: LocationName) -> Bool { left.text < right.text }
}

extension LocationName: CustomStringConvertible {
  /// The whole name.
  public var description: String { text }
}
