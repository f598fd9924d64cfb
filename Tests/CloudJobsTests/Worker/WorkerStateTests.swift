import CloudJobsCore
import CloudJobsEmulator
import Testing

@testable import CloudJobs

@Suite("A worker's bookkeeping")
struct WorkerStateTests {
  private let now = RuntimeFixture.start
  private let item = WorkItem.job("one")

  @Test("An item is started once at a time, and no more than the limit at once")
  func limit() {
    var state = WorkerState(limit: 2)
    func start(_ name: String) -> Bool { state.start(.job(name), at: now) }
    #expect(start("a"))
    #expect(!start("a"), "it is in hand already")
    #expect(start("b"))
    #expect(!start("c"), "there is no room")
    #expect(state.free == 0 && state.activeCount == 2)
    state.finish(.job("a"), hasProgressed: true, at: now)
    #expect(start("a"))
  }

  @Test("An item without progress is held back for 1 s, then twice as long each time, up to a minute")
  func holds() {
    var state = WorkerState(limit: 1)
    var time = now
    func start() -> Bool { state.start(item, at: time) }
    for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
      #expect(start())
      state.finish(item, hasProgressed: false, at: time)
      let end = time + .seconds(seconds)
      #expect(state.nextRetry == end)
      #expect(!state.isStartable(item, at: end - .microseconds(1)))
      #expect(state.isStartable(item, at: end))
      time = end
    }
    #expect(start())
    state.finish(item, hasProgressed: true, at: time)
    #expect(state.nextRetry == nil, "progress forgets the delays")
  }

  @Test(
    "A look is needed after a job moved on, and after anything where there was no room",
    arguments: [
      (WorkItem.job("one"), true, 2, true), (.job("one"), false, 2, false), (.job("one"), false, 1, true),
      (.run(RunID(job: "one", occurrence: .key("a"))), true, 2, false),
      (.run(RunID(job: "one", occurrence: .key("a"))), true, 1, true),
      (.run(RunID(job: "one", occurrence: .key("a"))), false, 2, false),
    ])
  func looks(item: WorkItem, hasProgressed: Bool, limit: Int, isLookNeeded: Bool) {
    var state = WorkerState(limit: limit)
    _ = state.start(item, at: now)
    let answer = state.finish(item, hasProgressed: hasProgressed, at: now)
    #expect(answer == isLookNeeded)
  }

  @Test("Held items do not take the room of others")
  func room() {
    var state = WorkerState(limit: 1)
    func start(_ item: WorkItem) -> Bool { state.start(item, at: now) }
    #expect(start(item))
    state.finish(item, hasProgressed: false, at: now)
    #expect(start(.job("other")))
  }

  @Test("The list of held items has a bound")
  func bound() {
    var state = WorkerState(limit: 1)
    for number in 0...WorkerState.heldLimit {
      let item = WorkItem.job("\(number)")
      _ = state.start(item, at: now + .milliseconds(number))
      state.finish(item, hasProgressed: false, at: now + .milliseconds(number))
    }
    #expect(state.isStartable(.job("0"), at: now), "the first was forgotten")
    #expect(!state.isStartable(.job("1"), at: now))
  }

  @Test("A call that comes before the wait is not lost, and one call wakes once")
  func wakeUp() async {
    let wakeUp = WakeUp()
    let clock = VirtualClock(start: RuntimeFixture.start)
    wakeUp.call()
    wakeUp.call()
    await wakeUp.wait(until: .distantFuture, clock)
    await wakeUp.wait(until: clock.now(), clock)
    async let waited: Void = wakeUp.wait(until: .distantFuture, clock)
    while clock.sleeperCount == 0 { await Task.yield() }
    wakeUp.call()
    await waited
  }
}
