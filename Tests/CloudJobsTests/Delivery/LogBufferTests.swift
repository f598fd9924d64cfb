import CloudJobsCore
import Testing

@testable import CloudJobs

@Suite("Lines of a log that wait")
struct LogBufferTests {
  private static let run = RunID(job: "job", occurrence: .key("one"))

  private func buffer() -> LogBuffer {
    LogBuffer(run: Self.run, attempt: 1, expireAt: Timestamp(seconds: 2))
  }

  private func line(_ text: String, _ metadata: [String: String] = [:]) -> RunLogLine {
    RunLogLine(time: Timestamp(seconds: 1), level: "info", message: text, metadata: metadata)
  }

  @Test(
    "All lines are taken in order, in entries of a bounded number and size",
    arguments: [
      (lines: 0, length: 1, entries: [Int]()), (1, 1, [1]), (200, 10, [200]), (201, 10, [200, 1]),
      (450, 10, [200, 200, 50]), (200, 4_000, [98, 98, 4]),
    ])
  func entries(lines: Int, length: Int, entries: [Int]) {
    var buffer = buffer()
    for number in 0..<lines {
      buffer.add(line(String(repeating: "x", count: length - 1) + "\(number % 10)"))
    }
    let all = buffer.allEntries()
    #expect(all.map(\.lines.count) == entries)
    #expect(all.flatMap(\.lines).map(\.message.last?.wholeNumberValue) == (0..<lines).map { $0 % 10 })
    #expect(all.map(\.sequence) == all.indices.map { RunLogEntry.sequence(attempt: 1, number: $0 + 1) })
    #expect(!buffer.hasLines)
  }

  @Test("Lines that come too fast are dropped, oldest first, and a note tells how many")
  func dropped() {
    var buffer = buffer()
    for number in 0..<1_001 { buffer.add(line("\(number)")) }
    let lines = buffer.allEntries().flatMap(\.lines)
    #expect(lines[0].message == "201 lines before this one came too fast, and were not stored.")
    #expect(lines[1].message == "201")
    #expect(lines.last?.message == "1000")
    buffer.add(line("next"))
    #expect(buffer.allEntries().flatMap(\.lines).map(\.message) == ["next"])
  }

  @Test("Long lines are dropped by their size")
  func size() {
    var buffer = buffer()
    for number in 0..<900 { buffer.add(line("\(number)" + String(repeating: "x", count: 3_990))) }
    let entries = buffer.allEntries()
    #expect(entries.allSatisfy { $0.lines.reduce(0) { $0 + $1.size } < LogBuffer.entrySize + 5_000 })
    #expect(entries.flatMap(\.lines).reduce(0) { $0 + $1.size } <= LogBuffer.waitingSize + 200)
    #expect(entries.last?.lines.last?.message.hasPrefix("899") == true)
  }

  @Test("An entry that was not written is before what came later")
  func restored() throws {
    var buffer = buffer()
    for number in 0..<3 { buffer.add(line("\(number)")) }
    let taken = buffer.entry()
    let entry = try #require(taken)
    buffer.add(line("3"))
    buffer.restore(entry)
    #expect(buffer.allEntries().flatMap(\.lines).map(\.message) == ["0", "1", "2", "3"])
  }

  @Test("An attempt has a maximum number of lines")
  func attempt() {
    var buffer = buffer()
    var lines: [String] = []
    for number in 0..<10_100 {
      buffer.add(line("\(number)"))
      if number % 500 == 0 { lines += buffer.allEntries().flatMap(\.lines).map(\.message) }
    }
    lines += buffer.allEntries().flatMap(\.lines).map(\.message)
    #expect(lines.count == LogBuffer.attemptLimit)
    #expect(lines.suffix(2) == ["9998", "Further lines of this attempt were not stored."])
  }

  @Test("The metadata of a line is bounded, and tells what is left out")
  func metadata() {
    let value = String(repeating: "x", count: 3_999)
    let all = Dictionary(uniqueKeysWithValues: (10..<30).map { ("k\($0)", value) })
    let kept = line("many", all).metadata
    #expect(kept.count == 8)
    #expect(kept["…"] == "13 more")
    #expect(kept["k10"] == value && kept["k16"] == value && kept["k17"] == nil)
    #expect(line("few", ["a": "b"]).metadata == ["a": "b"])
  }
}
