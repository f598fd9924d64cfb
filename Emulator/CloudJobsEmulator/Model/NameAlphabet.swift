/// The characters and the length that one part of a resource name may have.
struct NameAlphabet: Sendable {
  private let extra: [UInt8]
  private let maximumLength: Int

  /// A project's id: letters, digits, hyphens, colons, periods.
  static let project = NameAlphabet(extra: "-:.", maximumLength: 128)
  /// A location's id.
  static let location = NameAlphabet(extra: "-", maximumLength: 64)
  /// A queue's id: letters, digits, hyphens.
  static let queue = NameAlphabet(extra: "-", maximumLength: 100)
  /// A task's or a scheduler job's id: letters, digits, hyphens, underscores.
  static let task = NameAlphabet(extra: "-_", maximumLength: 500)

  private init(extra: String, maximumLength: Int) {
    self.extra = Array(extra.utf8)
    self.maximumLength = maximumLength
  }

  /// Whether a text is such a part.
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
