import CloudJobsCore
import CloudJobsEmulator
import Synchronization
import TestSupport
import Testing

@testable import CloudJobs

@Suite("Memory guard")
struct MemoryGuardTests {
  @Test(
    "Work is refused from 85 % on, and the instance drains from 92 % on",
    arguments: [
      (0, 100, .admit), (84, 100, .admit), (849, 1_000, .admit), (85, 100, .refuse), (919, 1_000, .refuse),
      (92, 100, .drain), (300, 100, .drain), (85, nil, .admit), (85, 0, .admit),
      (Int64.max, Int64.max, .drain), (Int64.max / 2, Int64.max, .admit),
    ] as [(Int64, Int64?, MemoryVerdict)])
  func verdicts(used: Int64, available: Int64?, verdict: MemoryVerdict) {
    #expect(MemoryLimits().verdict(used: used, available: available) == verdict)
  }

  @Test(
    "A use of 75 % or more deserves a warning",
    arguments: [
      (0, 100, false), (749, 1_000, false), (75, 100, true), (100, 100, true), (75, nil, false), (75, 0, false),
    ] as [(Int64, Int64?, Bool)])
  func warnings(used: Int64, available: Int64?, isWarned: Bool) {
    #expect(MemoryLimits().warns(used: used, available: available) == isWarned)
  }

  @Test("The log warns once when the memory is nearly used up, and tells when there is enough again")
  func warning() async {
    let fixture = RuntimeFixture()
    let mebibytes = Mutex<Int64>(70)
    let log = LogRecorder()
    var options = fixture.options()
    options.logger = log.logger
    let memory = MemoryGuard(options) { _ in MemoryReading(used: mebibytes.withLock { $0 } << 20, available: 100 << 20)
    }
    for used in [74, 76, 84, 74, 80] as [Int64] {
      mebibytes.withLock { $0 = used }
      fixture.clock.advance(by: .seconds(1))
      #expect(memory.verdict() == .admit)
    }
    let (warning, relief) = ("warning: The memory is nearly used up.", "notice: There is enough memory again.")
    #expect(
      log.lines == [
        "\(warning) availableMiB=100 usedMiB=76", "\(relief) availableMiB=100 usedMiB=74",
        "\(warning) availableMiB=100 usedMiB=80",
      ])
    let problem = memory.problem()
    #expect(problem?.code == .memoryLow && problem?.since == fixture.clock.now())
    #expect(problem?.message.hasPrefix("80 MiB of 100 MiB of memory are in use.") == true)
  }

  @Test(
    "Amounts are bytes or have a unit",
    arguments: [
      ("512Mi", 536_870_912), ("1Gi", 1 << 30), ("2G", 2_000_000_000), ("64Ki", 65_536), ("100", 100), ("5k", 5_000),
      ("", nil), ("x", nil), ("12 Mi", nil), ("-1", nil), ("9223372036854775807Gi", nil),
    ] as [(String, Int64?)])
  func amounts(text: String, bytes: Int64?) {
    #expect(MemoryReading.bytes(text) == bytes)
  }

  @Test("Files of control groups are read, and pages that can be dropped do not count")
  func files() {
    #expect(MemoryReading.limit("max\n") == nil)
    #expect(MemoryReading.limit("536870912\n") == 536_870_912)
    #expect(MemoryReading.limit("9223372036854771712\n") == nil)
    #expect(MemoryReading.workingSet(current: "1000\n", statistics: "anon 7\ninactive_file 400\n") == 600)
    #expect(
      MemoryReading.workingSet(current: "1000\n", statistics: "inactive_file 1\ntotal_inactive_file 300\n") == 700)
    #expect(MemoryReading.workingSet(current: "", statistics: "") == nil)
    #expect(MemoryReading.groups("0::/a/b\n") == ["/a/b", "/a", ""])
    #expect(MemoryReading.groups("0::/\n") == [""])
    #expect(MemoryReading.groups("") == [""])
    #expect(MemoryReading.residentBytes("900 25 3 1 0 7 0\n", pageSize: 4_096) == 102_400)
  }

  @Test("A reading counts for 100 ms; draining is final")
  func readings() async {
    let fixture = RuntimeFixture()
    let used = Mutex<Int64>(50)
    let memory = MemoryGuard(fixture.options()) { _ in MemoryReading(used: used.withLock { $0 }, available: 100) }
    #expect(memory.verdict() == .admit)
    used.withLock { $0 = 90 }
    fixture.clock.advance(by: .milliseconds(100) - .microseconds(1))
    #expect(memory.verdict() == .admit)
    fixture.clock.advance(by: .microseconds(1))
    #expect(memory.verdict() == .refuse)
    #expect(!memory.exhausted.isOpen)
    used.withLock { $0 = 95 }
    fixture.clock.advance(by: .seconds(1))
    #expect(memory.verdict() == .drain)
    #expect(memory.exhausted.isOpen)
    used.withLock { $0 = 1 }
    fixture.clock.advance(by: .seconds(1))
    #expect(memory.verdict() == .drain)
  }
}
