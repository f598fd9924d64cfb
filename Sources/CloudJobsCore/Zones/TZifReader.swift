/// A reader for the binary form of a time zone.
///
/// Source: RFC 9636 (<https://www.rfc-editor.org/rfc/rfc9636>), versions 1 to 4. Every count is checked against the
/// available bytes before it is used.
struct TZifReader {
  private let bytes: [UInt8]
  private var position = 0

  /// The maximum size of a file, in bytes; the largest real one has about 4,000.
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

  /// A defect in a file.
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
    guard length <= bytes.count - position else { throw Fault(message: "its first block is truncated") }
    position += length
    let second = try header()
    let start = position
    position += second.length(timeSize: 8)
    let rule = try footer()
    position = start
    return try block(second, timeSize: 8, rule: rule)
  }

  private mutating func header() throws(Fault) -> Header {
    guard bytes.count - position >= 44 else { throw Fault(message: "its header is truncated") }
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

  /// Returns a signed big-endian integer; the caller has checked the bounds.
  private mutating func integer(size: Int) -> Int64 {
    var value = UInt64(0)
    for byte in bytes[position..<position + size] { value = value << 8 | UInt64(byte) }
    position += size
    return size == 4 ? Int64(Int32(truncatingIfNeeded: value)) : Int64(bitPattern: value)
  }

  private func footer() throws(Fault) -> PosixZoneRule? {
    guard position < bytes.count, bytes[position] == UInt8(ascii: "\n"),
      let end = bytes[(position + 1)...].firstIndex(of: UInt8(ascii: "\n"))
    else { throw Fault(message: "its footer is truncated") }
    guard end > position + 1 else { return nil }
    guard end - position <= 128, let rule = PosixZoneRule(bytes[(position + 1)..<end]) else {
      throw Fault(message: "its footer is not a POSIX TZ rule")
    }
    return rule
  }

  private mutating func block(_ header: Header, timeSize: Int, rule: PosixZoneRule?) throws(Fault) -> ZoneTable {
    guard header.length(timeSize: timeSize) <= bytes.count - position else {
      throw Fault(message: "its data is truncated")
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
    guard kinds.allSatisfy({ $0 < header.types }) else {
      throw Fault(message: "a transition refers to a missing local time type")
    }
    var types: [Int64] = []
    for _ in 0..<header.types {
      let offset = integer(size: 4)
      guard (-89_999...93_599).contains(offset) else { throw Fault(message: "an offset is longer than a day") }
      types.append(offset)
      position += 2
    }
    return Self.table(times: times, kinds: kinds, types: types, rule: rule)
  }

  /// Returns only the transitions that change the offset.
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
      // The last transition is kept even if it changes nothing because the footer's rule begins there.
      let isLast = index == times.count - 1 && rule != nil
      guard time <= range.upperBound, isLast || offset != offsets.last ?? initialOffset else { continue }
      transitions.append(time)
      offsets.append(offset)
    }
    return ZoneTable(transitions: transitions, offsets: offsets, initialOffset: initialOffset, rule: rule)
  }
}
