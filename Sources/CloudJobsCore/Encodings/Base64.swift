/// The base64 encoding of bytes as text (RFC 4648, <https://www.rfc-editor.org/rfc/rfc4648>).
///
/// It is written by hand because the core depends on no package and Foundation's decoder has neither the URL-safe
/// alphabet nor optional padding. All targets use this implementation.
package enum Base64 {
  /// Returns the bytes of text in the standard or the URL-safe alphabet, with or without padding.
  ///
  /// The protobuf JSON mapping, which Pub/Sub uses, allows senders each of these forms
  /// (<https://protobuf.dev/programming-guides/json/>).
  ///
  /// - Parameter text: the encoded text.
  /// - Returns: the bytes, or nil if the text has other characters or an impossible length.
  package static func decode(_ text: String) -> [UInt8]? {
    let bytes = Array(text.utf8)
    var count = bytes.count
    while count > 0, bytes.count - count < 2, bytes[count - 1] == UInt8(ascii: "=") { count -= 1 }
    guard count == bytes.count || bytes.count % 4 == 0 else { return nil }
    return decodeUnpadded(bytes[..<count]) { digits[Int($0)] }?.bytes
  }

  /// Returns the text of bytes in the standard alphabet, with padding.
  package static func encode(_ bytes: [UInt8]) -> String {
    var text = [UInt8]()
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let count = min(3, bytes.count - start)
      var word: UInt32 = 0
      for index in 0..<3 { word = word << 8 | (index < count ? UInt32(bytes[start + index]) : 0) }
      for place in 0..<4 {
        text.append(place <= count ? alphabet[Int(word >> UInt32(18 - 6 * place) & 63)] : UInt8(ascii: "="))
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Decodes digits without padding.
  ///
  /// - Parameters:
  ///   - text: the digits.
  ///   - digit: maps a character to its value, or to a value above 63 if it is not in the alphabet.
  /// - Returns: the bytes and the value of the unused bits at the end, or nil if the text is not base64.
  fileprivate static func decodeUnpadded(
    _ text: some Collection<UInt8>, digit: (UInt8) -> UInt8
  ) -> (bytes: [UInt8], unusedBits: UInt32)? {
    guard text.count % 4 != 1 else { return nil }
    var bytes = [UInt8]()
    bytes.reserveCapacity(text.count / 4 * 3 + 2)
    var bits: UInt32 = 0
    var pending: UInt32 = 0
    for byte in text {
      let digit = digit(byte)
      guard digit < 64 else { return nil }
      bits = bits << 6 | UInt32(digit)
      pending += 6
      if pending >= 8 {
        pending -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> pending))
        bits &= (1 << pending) - 1
      }
    }
    return (bytes, bits)
  }

  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// The value of each character in either alphabet; 255 for all others.
  fileprivate static let digits: [UInt8] = {
    var table = [UInt8](repeating: 255, count: 256)
    for (value, byte) in alphabet.enumerated() { table[Int(byte)] = UInt8(value) }
    table[Int(UInt8(ascii: "-"))] = 62
    table[Int(UInt8(ascii: "_"))] = 63
    return table
  }()
}

/// The base64url encoding of JSON Web Tokens: the URL-safe alphabet without padding, and one spelling for each value
/// (RFC 7515, section 2, <https://www.rfc-editor.org/rfc/rfc7515#section-2>).
package enum Base64URL {
  /// Returns the bytes of canonical base64url text.
  ///
  /// - Parameter text: the encoded text in ASCII.
  /// - Returns: the bytes, or nil for padding, other characters, an impossible length, or nonzero unused bits.
  package static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
    let decoded = Base64.decodeUnpadded(text) { byte in
      byte == UInt8(ascii: "+") || byte == UInt8(ascii: "/") ? 255 : Base64.digits[Int(byte)]
    }
    return decoded?.unusedBits == 0 ? decoded?.bytes : nil
  }

  /// Returns the base64url text of bytes.
  package static func encode(_ bytes: [UInt8]) -> String {
    let text = Base64.encode(bytes).utf8.compactMap { byte -> UInt8? in
      switch byte {
      case UInt8(ascii: "+"): UInt8(ascii: "-")
      case UInt8(ascii: "/"): UInt8(ascii: "_")
      case UInt8(ascii: "="): nil
      default: byte
      }
    }
    return String(decoding: text, as: UTF8.self)
  }
}
