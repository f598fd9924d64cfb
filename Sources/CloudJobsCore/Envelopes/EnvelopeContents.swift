/// What a body says, before the headers and the path have their say.
struct EnvelopeContents {
  var job: JobID?
  var run: RunID?
  var key: String?
  var attempt: Int?
  var payload: JSONText?
  var correlationID: String?
  var start: DeliveryStart?
  /// The occurrence that the wrapping message or event stands for, where the body names none.
  var messageKey: String?
  /// Whether a message or an event brought the body.
  var isMessage = false

  /// The key that a pair of foreign names makes: printable ASCII, and another one for each other pair.
  ///
  /// What is not printable is percent-encoded, and so is a slash in the second name: the last slash divides the two.
  static func key(_ kind: String, _ first: String, _ second: String) -> String {
    var bytes = Array("\(kind):".utf8)
    append(first, to: &bytes) { $0 == UInt8(ascii: "%") }
    bytes.append(UInt8(ascii: "/"))
    append(second, to: &bytes) { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "/") }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func append(_ name: String, to bytes: inout [UInt8], escaping isSpecial: (UInt8) -> Bool) {
    for byte in name.utf8 {
      if (0x21..<0x7F).contains(byte), !isSpecial(byte) {
        bytes.append(byte)
      } else {
        bytes += Array("%\(SHA256.hex([byte]))".utf8)
      }
    }
  }
}
