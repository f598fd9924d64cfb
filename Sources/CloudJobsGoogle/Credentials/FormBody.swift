#if HTTP
/// A body of the type `application/x-www-form-urlencoded` (<https://url.spec.whatwg.org/#urlencoded-serializing>).
enum FormBody {
  /// The bytes of names and values in their order.
  static func encode(_ fields: KeyValuePairs<String, String>) -> [UInt8] {
    Array(fields.map { "\(escape($0.key))=\(escape($0.value))" }.joined(separator: "&").utf8)
  }

  /// Text with all but the unreserved characters of RFC 3986 as escapes, fit for a query too.
  static func escape(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes = [UInt8]()
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        bytes.append(byte)
      default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
#endif
