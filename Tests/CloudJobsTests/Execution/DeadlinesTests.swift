import CloudJobsCore
import CloudJobsEmulator
import Synchronization
import Testing

@testable import CloudJobs

@Suite("Deadlines")
struct DeadlinesTests {
  private let emulator = SimulatedEmulator(
    state: EmulatorState(), clock: VirtualClock(start: RuntimeFixture.start)
  ) { _ in .connectionFailed("there is no service") }
  private let passed = Passed()

  private final class Passed: Sendable {
    let names = Mutex<[String]>([])
    func add(_ name: String) { names.withLock { $0.append(name) } }
    var all: [String] { names.withLock { $0 } }
  }

  private var clock: VirtualClock { emulator.clock }

  private func deadlines() -> Deadlines {
    Deadlines(clock: clock, executor: emulator.executor)
  }

  private func add(_ seconds: Int, to deadlines: Deadlines) -> Int {
    deadlines.add(RuntimeFixture.start + .seconds(seconds)) { [passed] in passed.add("\(seconds)") }
  }

  @Test("A thousand deadlines have one sleeper, and pass in their order")
  func order() async throws {
    let deadlines = deadlines()
    for number in 0..<1_000 { _ = add(1 + number * 7 % 1_000, to: deadlines) }
    try await emulator.advance(by: .zero)
    #expect(clock.sleeperCount == 1)
    try await emulator.advance(by: .seconds(999))
    #expect(passed.all == (1...999).map { "\($0)" })
    #expect((deadlines.count, clock.sleeperCount) == (1, 1))
    try await emulator.advance(by: .seconds(1))
    #expect((passed.all.count, deadlines.count, clock.sleeperCount) == (1_000, 0, 0))
  }

  @Test("An earlier deadline is not kept waiting by a later one that was added first")
  func earlier() async throws {
    let deadlines = deadlines()
    _ = add(60, to: deadlines)
    try await emulator.advance(by: .seconds(5))
    _ = add(10, to: deadlines)
    try await emulator.advance(by: .seconds(5) - .microseconds(1))
    #expect(passed.all == [])
    try await emulator.advance(by: .microseconds(1))
    #expect(passed.all == ["10"])
    #expect(clock.sleeperCount == 1)
    try await emulator.advance(by: .seconds(50))
    #expect(passed.all == ["10", "60"])
  }

  @Test("A removed deadline does not pass, and without any nothing sleeps")
  func removal() async throws {
    let deadlines = deadlines()
    let first = add(1, to: deadlines)
    let second = add(2, to: deadlines)
    try await emulator.advance(by: .zero)
    deadlines.remove(first)
    try await emulator.advance(by: .seconds(1))
    #expect(clock.sleeperCount == 1)
    deadlines.remove(second)
    deadlines.remove(second)
    try await emulator.advance(by: .seconds(9))
    #expect((passed.all, clock.sleeperCount) == ([], 0))
  }

  @Test("On the steady clock, which goes with the system's, deadlines pass also after a time without any")
  func steadyClock() async {
    let clock = SteadyClock()
    let deadlines = Deadlines(clock: clock, executor: nil)
    #expect(abs((clock.now() - SystemClock().now()) / .seconds(1)) < 1, "nobody sets the clock during the tests")
    deadlines.remove(deadlines.add(clock.now() + .milliseconds(20)) { [passed] in passed.add("removed") })
    for milliseconds in [60, 1] {
      await withCheckedContinuation { continuation in
        _ = deadlines.add(clock.now() + .milliseconds(milliseconds)) { [passed] in
          passed.add("\(milliseconds)")
          continuation.resume()
        }
      }
    }
    #expect((passed.all, deadlines.count) == (["60", "1"], 0))
  }
}
