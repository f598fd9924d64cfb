#if HTTP
import CloudJobsCore

/// Base 64 as tokens have it: the URL-safe alphabet without padding (RFC 7515, section 2,
/// <https://www.rfc-editor.org/rfc/rfc7515#section-2>), and of each value one spelling only.
enum Base64URL {
  /// Decodes text; nil for padding, other characters, an impossible length or bits left over that are not zero.
  static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
    guard text.count % 4 != 1 else { return nil }
    var bytes = [UInt8]()
    bytes.reserveCapacity(text.count / 4 * 3 + 2)
    var bits: UInt32 = 0
    var pending: UInt32 = 0
    for byte in text {
      let digit = digits[Int(byte)]
      guard digit < 64 else { return nil }
      bits = bits << 6 | UInt32(digit)
      pending += 6
      if pending >= 8 {
        pending -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> pending))
        bits &= (1 << pending) - 1
      }
    }
    return bits == 0 ? bytes : nil
  }

  /// Encodes bytes.
  static func encode(_ bytes: [UInt8]) -> String {
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

  private static let digits: [UInt8] = {
    var table = [UInt8](repeating: 255, count: 256)
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for (value, byte) in alphabet.utf8.enumerated() { table[Int(byte)] = UInt8(value) }
    return table
  }()
}
#endif
