/// The encoding of bytes in 64 characters of ASCII (RFC 4648, <https://www.rfc-editor.org/rfc/rfc4648>).
package enum Base64 {
  /// Decodes text in the standard or in the URL-safe alphabet, with padding or without; nil where it is neither.
  ///
  /// Protobuf's JSON mapping, which Pub/Sub speaks, lets senders choose among these
  /// (<https://protobuf.dev/programming-guides/json/>).
  package static func decode(_ text: String) -> [UInt8]? {
    let bytes = Array(text.utf8)
    var count = bytes.count
    while count > 0, bytes.count - count < 2, bytes[count - 1] == UInt8(ascii: "=") { count -= 1 }
    guard count % 4 != 1, count == bytes.count || bytes.count % 4 == 0 else { return nil }
    var result = [UInt8]()
    result.reserveCapacity(count / 4 * 3 + 2)
    var bits: UInt32 = 0
    var pending = 0
    for byte in bytes[..<count] {
      guard let digit = digit(byte) else { return nil }
      bits = bits << 6 | UInt32(digit)
      pending += 6
      if pending >= 8 {
        pending -= 8
        result.append(UInt8(truncatingIfNeeded: bits >> UInt32(pending)))
      }
    }
    return result
  }

  /// Encodes bytes in the standard alphabet with padding.
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

  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
    case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
    default: nil
    }
  }
}
