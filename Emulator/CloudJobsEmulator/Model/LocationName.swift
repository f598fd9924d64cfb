/// The name of a location: `projects/P/locations/L`.
package struct LocationName: Hashable, Comparable, Sendable {
  /// The full name.
  package let text: String

  /// Parses and validates a name.
  ///
  /// - Throws: ``ServiceFault`` `invalidArgument`.
  package init(_ text: String) throws(ServiceFault) {
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

  /// The ID of the location.
  package var id: Substring { text[(text.lastIndex(of: "/").map { text.index(after: $0) } ?? text.startIndex)...] }

  /// The ID of the project.
  package var project: Substring { text.dropFirst("projects/".count).prefix { $0 != "/" } }

  /// Orders names alphabetically.
  package static func < (left: LocationName, right: LocationName) -> Bool { left.text < right.text }
}

extension LocationName: CustomStringConvertible {
  /// The full name.
  package var description: String { text }
}

/// The allowed characters and length of one part of a resource name.
struct NameAlphabet: Sendable {
  private let extra: [UInt8]
  private let maximumLength: Int

  /// Project IDs: letters, digits, hyphens, colons, periods.
  static let project = NameAlphabet(extra: "-:.", maximumLength: 128)
  /// Location IDs: letters, digits, hyphens.
  static let location = NameAlphabet(extra: "-", maximumLength: 64)
  /// Queue IDs: letters, digits, hyphens.
  static let queue = NameAlphabet(extra: "-", maximumLength: 100)
  /// Task and scheduler job IDs: letters, digits, hyphens, underscores.
  static let task = NameAlphabet(extra: "-_", maximumLength: 500)

  private init(extra: String, maximumLength: Int) {
    self.extra = Array(extra.utf8)
    self.maximumLength = maximumLength
  }

  /// Returns whether a text is a valid part.
  func allows(_ text: some StringProtocol) -> Bool {
    guard (1...maximumLength).contains(text.utf8.count) else { return false }
    return text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: extra.contains(byte)
      }
    }
  }
}
