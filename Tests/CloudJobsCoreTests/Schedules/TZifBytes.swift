/// Writes small TZif files for tests.
enum TZifBytes {
  /// A version 2 file.
  static func file(
    transitions: [(time: Int64, type: UInt8)], offsets: [Int32], footer: String = "", version: UInt8 = 0x32,
    leapSeconds: Int = 0
  ) -> [UInt8] {
    header(version, transitions: 0, types: 1, leapSeconds: 0) + [UInt8](repeating: 0, count: 6) + [0]
      + header(version, transitions: transitions.count, types: offsets.count, leapSeconds: leapSeconds)
      + transitions.flatMap { big(UInt64(bitPattern: $0.time), 8) } + transitions.map(\.type)
      + offsets.flatMap { big(UInt64(UInt32(bitPattern: $0)), 4) + [0, 0] } + [0]
      + [UInt8](repeating: 0, count: leapSeconds * 12) + Array("\n\(footer)\n".utf8)
  }

  /// A version 1 file, whose times have 32 bits.
  static func oldFile(transitions: [(time: Int32, type: UInt8)], offsets: [Int32]) -> [UInt8] {
    header(0, transitions: transitions.count, types: offsets.count, leapSeconds: 0)
      + transitions.flatMap { big(UInt64(UInt32(bitPattern: $0.time)), 4) } + transitions.map(\.type)
      + offsets.flatMap { big(UInt64(UInt32(bitPattern: $0)), 4) + [0, 0] } + [0]
  }

  private static func header(_ version: UInt8, transitions: Int, types: Int, leapSeconds: Int) -> [UInt8] {
    Array("TZif".utf8) + [version] + [UInt8](repeating: 0, count: 15)
      + [0, 0, leapSeconds, transitions, types, 1].flatMap { big(UInt64($0), 4) }
  }

  private static func big(_ value: UInt64, _ size: Int) -> [UInt8] {
    (0..<size).reversed().map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
  }
}
