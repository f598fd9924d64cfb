/// Percent-encoding of URLs (RFC 3986, <https://www.rfc-editor.org/rfc/rfc3986#section-2.1>).
///
/// It is written by hand because the core depends on no package and FoundationEssentials has no percent-encoding with
/// a chosen set of characters. All targets use this implementation.
package enum PercentEncoding {
  /// Returns text with all bytes escaped except the unreserved characters: letters, digits, `-`, `.`, `_` and `~`.
  package static func encode(_ text: String) -> String {
    encode(text) { !isUnreserved($0) }
  }

  /// Returns text with chosen bytes escaped.
  ///
  /// - Parameters:
  ///   - text: the text to encode.
  ///   - lowercaseDigits: whether escapes use the digits `a` to `f` instead of `A` to `F`.
  ///   - isEscaped: whether a byte of the text's UTF-8 is escaped; bytes outside ASCII that are not stay as they are.
  /// - Returns: the encoded text.
  package static func encode(
    _ text: some StringProtocol, lowercaseDigits: Bool = false, where isEscaped: (UInt8) -> Bool
  ) -> String {
    let digits = Array((lowercaseDigits ? "0123456789abcdef" : "0123456789ABCDEF").utf8)
    var bytes = [UInt8]()
    bytes.reserveCapacity(text.utf8.count)
    for byte in text.utf8 {
      if isEscaped(byte) {
        bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Returns the text of an encoded part of a URL; a `%` that two hexadecimal digits don't follow stands for itself.
  ///
  /// - Parameters:
  ///   - text: the encoded part.
  ///   - plusIsSpace: whether `+` means a space, as in queries.
  ///   - uppercaseDigitsOnly: whether escapes with the digits `a` to `f` are left as they are.
  /// - Returns: the text; bytes that are not UTF-8 become replacement characters.
  package static func decode(
    _ text: some StringProtocol, plusIsSpace: Bool, uppercaseDigitsOnly: Bool = false
  ) -> String {
    let bytes = Array(text.utf8)
    var decoded = [UInt8]()
    var index = 0
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
        let high = value(of: bytes[index + 1], uppercaseOnly: uppercaseDigitsOnly),
        let low = value(of: bytes[index + 2], uppercaseOnly: uppercaseDigitsOnly)
      {
        decoded.append(high << 4 | low)
        index += 3
      } else {
        decoded.append(plusIsSpace && bytes[index] == UInt8(ascii: "+") ? UInt8(ascii: " ") : bytes[index])
        index += 1
      }
    }
    return String(decoding: decoded, as: UTF8.self)
  }

  private static func value(of digit: UInt8, uppercaseOnly: Bool) -> UInt8? {
    if uppercaseOnly, (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(digit) { return nil }
    return Character(Unicode.Scalar(digit)).hexDigitValue.map { UInt8($0) }
  }

  private static func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
      UInt8(ascii: "~"):
      true
    default: false
    }
  }
}
