/// Reads the binary form of a time zone.
///
/// Source: RFC 9636 (<https://www.rfc-editor.org/rfc/rfc9636>), versions 1 to 4. Every count is checked against the
/// bytes that are there before anything is read by it.
struct TZifReader {
  private let bytes: [UInt8]
  private var position = 0

  /// The largest file that is read, in bytes; the largest real one has about 4,000.
  static let maximumLength = 1 << 20

  private struct Header {
    var version: UInt8
    var utcIndicators: Int
    var standardIndicators: Int
    var leapSeconds: Int
    var transitions: Int
    var types: Int
    var characters: Int

    func length(timeSize: Int) -> Int {
      transitions * (timeSize + 1) + types * 6 + characters + leapSeconds * (timeSize + 4) + standardIndicators
        + utcIndicators
    }
  }

  /// What is wrong with a file.
  struct Fault: Error {
    var message: String
  }

  /// Reads a whole file.
  static func table(of bytes: [UInt8]) throws(Fault) -> ZoneTable {
    guard bytes.count <= maximumLength else { throw Fault(message: "it is longer than \(maximumLength) bytes") }
    var reader = TZifReader(bytes: bytes)
    return try reader.table()
  }

  private init(bytes: [UInt8]) {
    self.bytes = bytes
  }

  private mutating func table() throws(Fault) -> ZoneTable {
    let first = try header()
    guard first.version != 0 else { return try block(first, timeSize: 4, rule: nil) }
    let length = first.length(timeSize: 4)
    guard length <= bytes.count - position else { throw Fault(message: "its first block is cut short") }
    position += length
    let second = try header()
    let start = position
    position += second.length(timeSize: 8)
    let rule = try footer()
    position = start
    return try block(second, timeSize: 8, rule: rule)
  }

  private mutating func header() throws(Fault) -> Header {
    guard bytes.count - position >= 44 else { throw Fault(message: "its header is cut short") }
    guard bytes[position..<position + 4].elementsEqual("TZif".utf8) else {
      throw Fault(message: "it does not begin with TZif")
    }
    let version = bytes[position + 4]
    guard version == 0 || version >= UInt8(ascii: "2") else { throw Fault(message: "its version is unknown") }
    position += 20
    let header = Header(
      version: version, utcIndicators: count(), standardIndicators: count(), leapSeconds: count(),
      transitions: count(), types: count(), characters: count())
    guard (1...256).contains(header.types), header.characters >= 1 || version != 0,
      header.utcIndicators == 0 || header.utcIndicators == header.types,
      header.standardIndicators == 0 || header.standardIndicators == header.types
    else { throw Fault(message: "its counts contradict each other") }
    return header
  }

  private mutating func count() -> Int {
    Int(integer(size: 4) & 0xffff_ffff)
  }

  /// Reads a big-endian integer with its sign; the caller has checked that the bytes are there.
  private mutating func integer(size: Int) -> Int64 {
    var value = UInt64(0)
    for byte in bytes[position..<position + size] { value = value << 8 | UInt64(byte) }
    position += size
    return size == 4 ? Int64(Int32(truncatingIfNeeded: value)) : Int64(bitPattern: value)
  }

  private func footer() throws(Fault) -> PosixZoneRule? {
    guard position < bytes.count, bytes[position] == UInt8(ascii: "\n"),
      let end = bytes[(position + 1)...].firstIndex(of: UInt8(ascii: "\n"))
    else { throw Fault(message: "its footer is cut short") }
    guard end > position + 1 else { return nil }
    guard end - position <= 128, let rule = PosixZoneRule(bytes[(position + 1)..<end]) else {
      throw Fault(message: "its footer is not a POSIX TZ rule")
    }
    return rule
  }

  private mutating func block(_ header: Header, timeSize: Int, rule: PosixZoneRule?) throws(Fault) -> ZoneTable {
    guard header.length(timeSize: timeSize) <= bytes.count - position else {
      throw Fault(message: "its data are cut short")
    }
    guard header.leapSeconds == 0 else {
      throw Fault(message: "it counts leap seconds; choose the zone without right/ before its name")
    }
    var times: [Int64] = []
    times.reserveCapacity(header.transitions)
    for _ in 0..<header.transitions { times.append(integer(size: timeSize)) }
    for (earlier, later) in zip(times, times.dropFirst()) where earlier >= later {
      throw Fault(message: "its transitions are out of order")
    }
    let kinds = bytes[position..<position + header.transitions].map { Int($0) }
    position += header.transitions
    guard kinds.allSatisfy({ $0 < header.types }) else { throw Fault(message: "a transition names no local time type") }
    var types: [Int64] = []
    for _ in 0..<header.types {
      let offset = integer(size: 4)
      guard (-89_999...93_599).contains(offset) else { throw Fault(message: "an offset is longer than a day") }
      types.append(offset)
      position += 2
    }
    return Self.table(times: times, kinds: kinds, types: types, rule: rule)
  }

  /// Keeps only the transitions that move the clock.
  private static func table(times: [Int64], kinds: [Int], types: [Int64], rule: PosixZoneRule?) -> ZoneTable {
    var initialOffset = types[0]
    var transitions: [Int64] = []
    var offsets: [Int64] = []
    let range = -(ZoneSpan.edge / 2)...(ZoneSpan.edge / 2)
    for (index, time) in times.enumerated() {
      let offset = types[kinds[index]]
      if time < range.lowerBound {
        initialOffset = offset
        continue
      }
      // The last transition stays even where it moves nothing: it is where the footer's rule begins.
      let isLast = index == times.count - 1 && rule != nil
      guard time <= range.upperBound, isLast || offset != offsets.last ?? initialOffset else { continue }
      transitions.append(time)
      offsets.append(offset)
    }
    return ZoneTable(transitions: transitions, offsets: offsets, initialOffset: initialOffset, rule: rule)
  }
}
