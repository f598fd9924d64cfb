import TestSupport
import Testing

@testable import CloudJobsCore

@Suite("Time zones")
struct ZoneTests {
  private let berlin: Zone

  init() throws {
    berlin = try ZoneCatalog.system.zone(named: "Europe/Berlin")
  }

  @Test(
    "Offsets at, just before and just after a transition, in listed years and by the footer's rule",
    arguments: [
      ("2026-03-29T00:59:59.999999Z", 3_600), ("2026-03-29T01:00:00Z", 7_200), ("2026-10-25T00:59:59Z", 7_200),
      ("2026-10-25T01:00:00Z", 3_600), ("2199-03-31T00:59:59Z", 3_600), ("2199-03-31T01:00:00Z", 7_200),
      ("9999-12-31T23:59:59Z", 3_600), ("9999-07-01T00:00:00Z", 7_200), ("1970-01-01T00:00:00Z", 3_600),
      ("1850-01-01T00:00:00Z", 3_208), ("0001-01-01T00:00:00Z", 3_208),
    ])
  func offsets(_ text: String, _ expected: Int64) throws {
    #expect(berlin.offset(at: try #require(Timestamp(rfc3339: text))) == expected)
  }

  @Test("Transitions are found forwards and backwards, by list and by rule")
  func transitions() throws {
    var time = try #require(Timestamp(rfc3339: "2036-01-01T00:00:00Z"))
    var found: [String] = []
    for _ in 0..<6 {
      let change = try #require(berlin.transition(after: time))
      #expect(berlin.transition(atOrBefore: change.time) == change)
      #expect(berlin.offset(at: change.time) == change.offsetAfter)
      #expect(berlin.offset(at: change.time - .microseconds(1)) == change.offsetBefore)
      found.append(change.time.description)
      time = change.time
    }
    #expect(
      found == [
        "2036-03-30T01:00:00Z", "2036-10-26T01:00:00Z", "2037-03-29T01:00:00Z", "2037-10-25T01:00:00Z",
        "2038-03-28T01:00:00Z", "2038-10-31T01:00:00Z",
      ])
    #expect(Zone.utc.transition(after: .epoch) == nil)
    #expect(Zone.utc.transition(atOrBefore: .distantFuture) == nil)
    #expect(berlin.transition(after: .distantFuture) == nil)
    #expect(berlin.transition(atOrBefore: .distantPast) == nil)
  }

  @Test(
    "Local dates and the first instant of a day",
    arguments: [
      ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z"), ("UTC", "2026-03-29", "2026-03-29T00:00:00Z"),
      ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"),
      ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"),
      ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"), ("Africa/Cairo", "2024-11-01", "2024-10-31T22:00:00Z"),
      ("Pacific/Kiritimati", "2026-01-01", "2025-12-31T10:00:00Z"),
      ("America/Havana", "2026-11-01", "2026-11-01T04:00:00Z"),
    ])
  func days(_ name: String, _ day: String, _ start: String) throws {
    let zone = try ZoneCatalog.system.zone(named: name)
    let date = try #require(CivilDate(day))
    let first = zone.startOfDay(date)
    #expect(first.description == start)
    #expect(zone.date(at: first) >= date)
    #expect(zone.date(at: first - .microseconds(1)) < date)
    #expect(zone.date(at: first) > date || zone.secondOfDay(at: first) < 7_200)
  }

  @Test(
    "POSIX rules are parsed, including the extensions of RFC 9636",
    arguments: [
      ("UTC0", "2026-07-01T00:00:00Z", Int64(0)), ("CET-1CEST,M3.5.0,M10.5.0/3", "2026-07-01T00:00:00Z", 7_200),
      ("<+0330>-3:30", "2026-07-01T00:00:00Z", 12_600), ("IST-1GMT0,M10.5.0,M3.5.0/1", "2026-01-01T00:00:00Z", 0),
      ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T01:00:00Z", -3_600),
      ("EST5EDT", "2026-07-01T00:00:00Z", -14_400), ("EST5EDT,J60/0,J305/24", "2028-03-01T04:59:59Z", -18_000),
      ("EST5EDT,J60/0,J305/24", "2028-03-01T05:00:00Z", -14_400),
      ("EST5EDT,59/0,304/0", "2028-02-29T05:00:00Z", -14_400),
      ("XXX3EDT4,0/0,J365/23", "2026-01-01T00:00:00Z", -14_400),
      ("EST5EDT4,0/0,J365/25", "2026-12-31T23:59:59Z", -14_400),
      ("AEST-10AEDT,M10.1.0,M4.1.0/3", "2026-01-01T00:00:00Z", 39_600),
      ("IST-2IDT,M3.4.4/26,M10.5.0", "2026-03-27T00:00:00Z", 10_800),
      ("AAA-24:59:59", "2026-01-01T00:00:00Z", 89_999),
    ])
  func rules(_ footer: String, _ time: String, _ offset: Int64) throws {
    let zone = try Zone(name: "Test/Rule", tzif: TZifBytes.file(transitions: [], offsets: [0], footer: footer))
    #expect(zone.offset(at: try #require(Timestamp(rfc3339: time))) == offset)
  }

  @Test(
    "Invalid POSIX rules are rejected",
    arguments: [
      "U0", "UTC", "UTC0X", "UTC25", "UTC0:60", "<+1>-1", "<+01-1", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0",
      "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,J0,J365", "CET-1CEST,J366,J1",
      "CET-1CEST,366,1", "CET-1CEST,M3.5.0/168,M10.5.0", "CET-1CEST,M3.5.0,M10.5.0,", "CET-1CEST M3.5.0", "CET-0001",
      String(repeating: "A", count: 200) + "0",
    ])
  func badRules(_ footer: String) throws {
    let fault = try #require(throws: JobError.self) {
      try Zone(name: "Test/Rule", tzif: TZifBytes.file(transitions: [], offsets: [0], footer: footer))
    }
    #expect(fault.code == .invalidTimeZone)
    #expect(fault.field == "timeZone")
  }

  @Test("Versions 1 to 4 are read; version 1 keeps its last offset")
  func versions() throws {
    let old = try Zone(
      name: "Test/Old", tzif: TZifBytes.oldFile(transitions: [(-100, 1), (100, 0)], offsets: [60, 3_600]))
    let found = [-101, -100, 99, 100, 5_000_000_000].map { old.offset(at: Timestamp(seconds: $0)) }
    #expect(found == [60, 3_600, 3_600, 60, 60])
    for version in ["2", "3", "4"] {
      let bytes = TZifBytes.file(
        transitions: [(-5_000_000_000, 1)], offsets: [60, 3_600], footer: "CET-1",
        version: version.utf8.first ?? 0)
      let zone = try Zone(name: "Test/New", tzif: bytes)
      #expect(zone.offset(at: Timestamp(seconds: -5_000_000_001)) == 60)
      #expect(zone.offset(at: Timestamp(seconds: -5_000_000_000)) == 3_600)
    }
  }

  @Test(
    "Damaged files are rejected",
    arguments: [
      ("empty", [UInt8]()), ("no magic", Array("TZIF".utf8) + [UInt8](repeating: 0, count: 60)),
      ("version 1.5", TZifBytes.file(transitions: [], offsets: [0], version: 0x31)),
      ("no types", TZifBytes.file(transitions: [], offsets: [])),
      ("out of order", TZifBytes.file(transitions: [(5, 0), (5, 0)], offsets: [0])),
      ("type out of range", TZifBytes.file(transitions: [(5, 1)], offsets: [0])),
      ("offset out of range", TZifBytes.file(transitions: [], offsets: [93_600])),
      ("leap seconds", TZifBytes.file(transitions: [], offsets: [0], leapSeconds: 1)),
      ("no footer", TZifBytes.file(transitions: [], offsets: [0]).dropLast(2)),
      ("too long", [UInt8](repeating: 0, count: 1 << 20 | 1)),
    ])
  func damaged(_ name: String, _ bytes: [UInt8]) throws {
    let fault = try #require(throws: JobError.self) { try Zone(name: "Test/Damaged", tzif: bytes) }
    #expect(fault.code == .invalidTimeZone)
  }

  @Test("A file truncated anywhere is rejected")
  func truncated() throws {
    let old = TZifBytes.oldFile(transitions: [(-100, 1), (100, 0)], offsets: [60, 3_600])
    let new = TZifBytes.file(transitions: [(-100, 1)], offsets: [60, 3_600], footer: "CET-1CEST,M3.5.0,M10.5.0/3")
    for file in [old, new] {
      _ = try Zone(name: "Test/Whole", tzif: file)
      for length in 0..<file.count {
        #expect(throws: JobError.self) { try Zone(name: "Test/Short", tzif: Array(file[..<length])) }
      }
    }
  }

  @Test("10,000 mutated and truncated files never cause a crash or a hang")
  func mutations() throws {
    var random = SeededGenerator(seed: 9)
    var read = 0
    for _ in 0..<10_000 {
      let name = BruteForceTests.zones.randomElement(using: &random) ?? "UTC"
      var bytes = try #require(ZoneCatalog.systemBytes(of: name))
      if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
      for _ in 0..<Int.random(in: 0...6, using: &random) where !bytes.isEmpty {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      guard let zone = try? Zone(name: "Test/Mutated", tzif: bytes) else { continue }
      read += 1
      let schedule = try Schedule.cron("30 2 * * *", in: zone)
      for _ in 0..<3 {
        let time = Timestamp(microseconds: .random(in: -9_000_000_000_000_000...9_000_000_000_000_000, using: &random))
        let next = try #require(schedule.next(after: time))
        let previous = try #require(schedule.previous(before: time))
        #expect(previous < time && time < next)
      }
    }
    #expect(read > 1_000)
  }
}

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
