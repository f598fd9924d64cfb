import CloudJobsCore

/// A path below the inbox, as bytes: a file name need not be UTF-8.
struct InboxPath: Hashable, Comparable, Sendable {
  let bytes: [UInt8]

  init(bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// The path of a member of this folder.
  func appending(_ name: [UInt8]) -> InboxPath {
    InboxPath(bytes: bytes.isEmpty ? name : bytes + [UInt8(ascii: "/")] + name)
  }

  /// The path as text: bytes that are not UTF-8 stand as `\xNN`.
  var text: String {
    if let text = String(validating: bytes, as: UTF8.self) { return text }
    var text = ""
    var rest = bytes[...]
    while !rest.isEmpty {
      let length = (1...4).first { length in
        length <= rest.count && String(validating: rest.prefix(length), as: UTF8.self) != nil
      }
      if let length {
        text += String(decoding: rest.prefix(length), as: UTF8.self)
      } else {
        text += "\\x" + SHA256.hex([rest[rest.startIndex]])
      }
      rest = rest.dropFirst(length ?? 1)
    }
    return text
  }

  static func < (left: InboxPath, right: InboxPath) -> Bool {
    left.bytes.lexicographicallyPrecedes(right.bytes)
  }
}

extension InboxPath: Codable {
  /// Reads the path from its bytes in hexadecimal digits.
  init(from decoder: any Decoder) throws {
    let digits = Array(try decoder.singleValueContainer().decode(String.self).utf8)
    var bytes = [UInt8]()
    for start in stride(from: 0, to: digits.count - 1, by: 2) {
      guard let byte = UInt8(String(decoding: digits[start..<start + 2], as: UTF8.self), radix: 16) else {
        throw DecodingError.dataCorrupted(
          DecodingError.Context(codingPath: decoder.codingPath, debugDescription: "not hexadecimal"))
      }
      bytes.append(byte)
    }
    self.init(bytes: bytes)
  }

  /// Writes the path as its bytes in hexadecimal digits.
  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(SHA256.hex(bytes))
  }
}
