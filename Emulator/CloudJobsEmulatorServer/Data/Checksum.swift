/// A 64-bit FNV-1a sum of bytes: any one byte changed changes it.
///
/// Source: RFC 9923 (<https://www.rfc-editor.org/rfc/rfc9923>).
struct Checksum {
  private var sum: UInt64 = 0xcbf2_9ce4_8422_2325

  /// The sum as 16 hexadecimal digits.
  var text: String {
    let digits = String(sum, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// Takes bytes in.
  mutating func add(_ bytes: some Sequence<UInt8>) {
    for byte in bytes { sum = (sum ^ UInt64(byte)) &* 0x100_0000_01b3 }
  }
}
