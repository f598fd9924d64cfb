import CloudJobsCore
import Synchronization
import Testing

@testable import CloudJobsEmulator
@testable import CloudJobsEmulatorServer

@Suite("The emulator's clock over a restart")
struct ClockRecoveryTests {
  private static let start = WriteAheadLogHistory.start

  /// Returns the emulator that another process restores at a time of the machine.
  private func restarted(_ log: MemoryWriteAheadLog, at machine: Timestamp) throws -> LiveEmulator {
    let emulator = LiveEmulator(state: EmulatorState(), clock: VirtualClock(start: machine)) { _ in .timedOut }
    emulator.resume(try log.recovery(from: EmulatorState()), log: MemoryWriteAheadLog())
    return emulator
  }

  @Test("a clock that stands does so, also after it was moved", arguments: [false, true])
  func frozen(rotates: Bool) throws {
    let clock = VirtualClock(start: Self.start)
    let log = MemoryWriteAheadLog()
    let emulator = LiveEmulator(state: EmulatorState(), clock: clock) { _ in .timedOut }
    emulator.resume(EmulatorRecovery(EmulatorState()), log: log)
    clock.advance(by: .minutes(1))
    emulator.freeze()
    clock.advance(by: .hours(3))
    emulator.shared.withLock { shared in
      emulator.move(to: emulator.time(&shared) + .minutes(10), isFrozen: true, &shared)
    }
    if rotates { _ = emulator.rotateLog() }
    let other = try restarted(log, at: clock.now() + .days(1))
    #expect(other.now == Self.start + .minutes(11))
    #expect(other.clockStatus.isFrozen)
    #expect(other.withServices { state, _ in state.isHeld })
  }

  @Test("a clock that is behind the machine's stays behind it", arguments: [false, true])
  func behind(rotates: Bool) throws {
    let clock = VirtualClock(start: Self.start)
    let log = MemoryWriteAheadLog()
    let emulator = LiveEmulator(state: EmulatorState(), clock: clock) { _ in .timedOut }
    emulator.resume(EmulatorRecovery(EmulatorState()), log: log)
    emulator.freeze()
    clock.advance(by: .hours(3))
    emulator.unfreeze()
    clock.advance(by: .minutes(1))
    #expect(emulator.now == Self.start + .minutes(1))
    if rotates { _ = emulator.rotateLog() }
    let other = try restarted(log, at: clock.now() + .hours(1))
    #expect(other.now == Self.start + .minutes(61))
    #expect(!other.clockStatus.isFrozen)
  }

  @Test("a reset lets the clock run at the machine's time")
  func reset() throws {
    let clock = VirtualClock(start: Self.start)
    let log = MemoryWriteAheadLog()
    let emulator = LiveEmulator(state: EmulatorState(), clock: clock) { _ in .timedOut }
    emulator.resume(EmulatorRecovery(EmulatorState()), log: log)
    emulator.freeze()
    clock.advance(by: .hours(3))
    emulator.reset(to: EmulatorState())
    #expect(emulator.now == clock.now() && !emulator.clockStatus.isFrozen)
    let other = try restarted(log, at: clock.now())
    #expect(other.now == clock.now() && !other.clockStatus.isFrozen)
    #expect(!other.withServices { state, _ in state.isHeld })
  }
}
