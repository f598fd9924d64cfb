#if HTTP
/// A host with a port or without, as environment variables name servers: `127.0.0.1:8085`, `localhost`, `[::1]:8085`.
struct HostAndPort: Hashable {
  /// The text, fit to stand in a URL.
  let text: String

  /// Takes a text with or without the prefix `http://`, as some tools write it; nil where anything else is in it.
  init?(_ text: String) {
    let text = text.hasPrefix("http://") ? text.dropFirst(7) : text[...]
    var rest = text
    if rest.first == "[" {
      guard let end = rest.firstIndex(of: "]") else { return nil }
      let address = rest[rest.index(after: rest.startIndex)..<end]
      guard !address.isEmpty, address.utf8.allSatisfy({ Self.isHexadecimal($0) || $0 == UInt8(ascii: ":") }) else {
        return nil
      }
      rest = rest[rest.index(after: end)...]
    } else {
      let host = rest.prefix { $0 != ":" }
      guard !host.isEmpty, host.utf8.allSatisfy({ Self.isHostByte($0) }) else { return nil }
      rest = rest[host.endIndex...]
    }
    if !rest.isEmpty {
      let digits = rest.dropFirst()
      guard rest.first == ":", !digits.isEmpty, digits.utf8.allSatisfy({ Self.isDigit($0) }),
        let port = UInt16(digits), port > 0
      else { return nil }
    }
    self.text = String(text)
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
  }

  private static func isHostByte(_ byte: UInt8) -> Bool {
    isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
      || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
  }
}
#endif
