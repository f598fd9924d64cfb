/// An incremental SHA-256 hash (FIPS 180-4, <https://csrc.nist.gov/pubs/fips/180-4/upd1/final>).
///
/// It is written by hand because the core depends on no package. Run ids are SHA-256 hashes; nothing secret depends on
/// them.
public struct SHA256: Sendable {
  private var state = State(
    a: 0x6a09_e667, b: 0xbb67_ae85, c: 0x3c6e_f372, d: 0xa54f_f53a, e: 0x510e_527f, f: 0x9b05_688c, g: 0x1f83_d9ab,
    h: 0x5be0_cd19)
  private var pending: [UInt8] = []
  private var byteCount: UInt64 = 0

  /// Creates a hash of no bytes.
  public init() {}

  /// Adds bytes to the hash.
  public mutating func update(_ bytes: some Sequence<UInt8>) {
    let done: Void? = bytes.withContiguousStorageIfAvailable { update(buffer: $0) }
    if done == nil { Array(bytes).withUnsafeBufferPointer { update(buffer: $0) } }
  }

  /// Returns the 32-byte digest of all bytes added.
  public consuming func finalize() -> [UInt8] {
    let bitCount = byteCount &* 8
    var padding: [UInt8] = [0x80]
    padding += [UInt8](repeating: 0, count: (119 - Int(byteCount % 64)) % 64)
    for shift in stride(from: UInt64(56), through: 0, by: -8) {
      padding.append(UInt8(truncatingIfNeeded: bitCount >> shift))
    }
    update(padding)
    var digest = [UInt8]()
    digest.reserveCapacity(32)
    for word in state.words { withUnsafeBytes(of: word.bigEndian) { digest.append(contentsOf: $0) } }
    return digest
  }

  /// Returns the digest of bytes as 64 lower-case hexadecimal digits.
  public static func hexDigest(of bytes: some Sequence<UInt8>) -> String {
    var digest = SHA256()
    digest.update(bytes)
    return hex(digest.finalize())
  }

  /// Returns bytes as lower-case hexadecimal digits.
  public static func hex(_ bytes: [UInt8]) -> String {
    var text = [UInt8]()
    text.reserveCapacity(bytes.count * 2)
    for byte in bytes {
      for digit in [byte >> 4, byte & 15] {
        text.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit)
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  private mutating func update(buffer: UnsafeBufferPointer<UInt8>) {
    byteCount &+= UInt64(buffer.count)
    var position = 0
    if !pending.isEmpty {
      position = min(64 - pending.count, buffer.count)
      pending.append(contentsOf: buffer[..<position])
      guard pending.count == 64 else { return }
      pending.withUnsafeBufferPointer { state.compress($0) }
      pending.removeAll(keepingCapacity: true)
    }
    let end = buffer.count - (buffer.count - position) % 64
    if position < end { state.compress(UnsafeBufferPointer(rebasing: buffer[position..<end])) }
    if end < buffer.count { pending.append(contentsOf: buffer[end...]) }
  }

  /// The eight working variables, named as in section 6.2 of the standard.
  private struct State: Sendable {
    var a, b, c, d, e, f, g, h: UInt32

    var words: [UInt32] { [a, b, c, d, e, f, g, h] }

    /// Processes whole blocks of 64 bytes.
    ///
    /// Both tables are accessed as pointers, so that the loops need no bounds checks and no reference counting.
    mutating func compress(_ blocks: UnsafeBufferPointer<UInt8>) {
      withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { words in
        SHA256.constants.withUnsafeBufferPointer { constants in
          var start = 0
          while start < blocks.count {
            Self.expand(blocks, at: start, into: words)
            mix(words, constants)
            start += 64
          }
        }
      }
    }

    /// Prepares the message schedule of a block.
    @inline(__always)
    private static func expand(
      _ blocks: UnsafeBufferPointer<UInt8>, at start: Int, into words: UnsafeMutableBufferPointer<UInt32>
    ) {
      let bytes = UnsafeRawBufferPointer(blocks)
      var index = 0
      while index < 16 {
        words[index] = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: start &+ index &* 4, as: UInt32.self))
        index &+= 1
      }
      while index < 64 {
        let early = words[index &- 15]
        let late = words[index &- 2]
        let sigma0 = rotate(early, 7) ^ rotate(early, 18) ^ (early &>> 3)
        let sigma1 = rotate(late, 17) ^ rotate(late, 19) ^ (late &>> 10)
        words[index] = words[index &- 16] &+ sigma0 &+ words[index &- 7] &+ sigma1
        index &+= 1
      }
    }

    /// Runs the 64 rounds of one block.
    @inline(__always)
    private mutating func mix(
      _ words: UnsafeMutableBufferPointer<UInt32>, _ constants: UnsafeBufferPointer<UInt32>
    ) {
      var next = self
      var index = 0
      while index < 64 {
        let (a, b, c) = (next.a, next.b, next.c)
        let (e, f, g) = (next.e, next.f, next.g)
        let sum1 = Self.rotate(e, 6) ^ Self.rotate(e, 11) ^ Self.rotate(e, 25)
        let first = next.h &+ sum1 &+ ((e & f) ^ (~e & g)) &+ constants[index] &+ words[index]
        let sum0 = Self.rotate(a, 2) ^ Self.rotate(a, 13) ^ Self.rotate(a, 22)
        let second = sum0 &+ ((a & b) ^ (a & c) ^ (b & c))
        next = State(a: first &+ second, b: a, c: b, d: c, e: next.d &+ first, f: e, g: f, h: g)
        index &+= 1
      }
      self = State(
        a: a &+ next.a, b: b &+ next.b, c: c &+ next.c, d: d &+ next.d, e: e &+ next.e, f: f &+ next.f,
        g: g &+ next.g, h: h &+ next.h)
    }

    @inline(__always)
    private static func rotate(_ word: UInt32, _ count: UInt32) -> UInt32 {
      word &>> count | word &<< (32 &- count)
    }
  }

  fileprivate static let constants: [UInt32] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
    0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
    0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
  ]
}
