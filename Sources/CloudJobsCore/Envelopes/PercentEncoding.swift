/// Percent-encoding of URLs (RFC 3986, <https://www.rfc-editor.org/rfc/rfc3986#section-2.1>).
package enum PercentEncoding {
  /// The text that an encoded part of a URL means; a `%` that begins no pair of digits stands for itself.
  ///
  /// - Parameters:
  ///   - text: the encoded part.
  ///   - plusIsSpace: whether `+` means a space, as in queries.
  /// - Returns: the text; bytes that are not UTF-8 become replacement characters.
  package static func decode(_ text: some StringProtocol, plusIsSpace: Bool) -> String {
    let bytes = Array(text.utf8)
    var decoded = [UInt8]()
    var index = 0
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
        let high = digit(bytes[index + 1]), let low = digit(bytes[index + 2])
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

  private static func digit(_ byte: UInt8) -> UInt8? {
    Character(Unicode.Scalar(byte)).hexDigitValue.map { UInt8($0) }
  }
}
