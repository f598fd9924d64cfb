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

  private func record(_ name: String, _ queue: String?, _ priority: Int) -> RunRecord {
    var run = Run(
      id: RunID(job: "job", occurrence: .key(name)), job: "job", trigger: .task, status: .pending, maxAttempts: 1,
      notBefore: now, createdAt: now)
    (run.queue, run.priority) = (queue, priority)
    return RunRecord(id: run.id, version: Version(1), run: .success(run))
  }

  private func times(next: Timestamp? = nil) -> DueTimes {
    DueTimes(time: now, earliestJob: nil, earliestRun: now, next: next)
  }

  @Test("A worker looks at more due runs than it has room for if their order matters, or if something may have come")
  func windows() {
    var state = WorkerState(limit: 8)
    func window() -> Int { state.windowSize(room: 3) }
    #expect(window() == WorkerState.window, "nothing is known yet")
    let alike = (0..<20).map { record("\($0)", nil, 0) }
    state.take(state.choice(among: alike, upTo: 3, at: now), isFull: true)
    #expect(window() == 3)
    state.noteNews()
    #expect(window() == WorkerState.window)
    #expect(window() == 3, "the news is known")
    state.note(times(), at: now, atMost: .seconds(1))
    #expect(window() == WorkerState.window, "others may have enqueued something")
    state.take(state.choice(among: alike + [record("first", nil, 1)], upTo: 3, at: now), isFull: true)
    #expect(window() == WorkerState.window, "the priorities differ")
  }

  @Test("While calls announce runs, the due times are asked for at intervals, and in a drain each time")
  func looksAfterClaims() {
    var state = WorkerState(limit: 8)
    #expect(state.lookAfterClaim(at: now) == nil, "nothing is known yet")
    state.note(times(), at: now, atMost: .seconds(1))
    let next = now + WorkerState.lookInterval
    #expect(state.lookAfterClaim(at: now + .milliseconds(1)) == next)
    #expect(state.lookAfterClaim(at: next) == nil)
    state.note(times(next: now + .milliseconds(5)), at: now, atMost: .seconds(1))
    #expect(state.lookAfterClaim(at: now + .milliseconds(1)) == now + .milliseconds(5))
    state.noteWaitingJobs()
    #expect(state.lookAfterClaim(at: now + .milliseconds(1)) == nil, "a job waits for room")
    var drain = WorkerState(limit: 8, isDrain: true)
    drain.note(times(), at: now, atMost: .seconds(1))
    #expect(drain.lookAfterClaim(at: now) == nil)
  }

  @Test("A backlog is served without looks at the due times until the next one, and waiting jobs are not forgotten")
  func backlog() {
    var state = WorkerState(limit: 8)
    state.note(times(next: now + .milliseconds(300)), at: now, atMost: .seconds(1))
    state.take(nil, isFull: true)
    #expect(!state.isBacklogDue(at: now) && state.mayClaimFirst(at: now), "there may be news")
    _ = state.windowSize(room: 8)
    #expect(state.isBacklogDue(at: now + .milliseconds(299)) && !state.isBacklogDue(at: now + .milliseconds(300)))
    state.noteWaitingJobs()
    #expect(!state.isBacklogDue(at: now) && !state.mayClaimFirst(at: now))
    state.note(times(), at: now, atMost: .seconds(1))
    _ = state.windowSize(room: 8)
    #expect(state.isBacklogDue(at: now + .milliseconds(999)) && !state.isBacklogDue(at: now + .seconds(1)))
    state.take(nil, isFull: false)
    #expect(!state.isBacklogDue(at: now))
  }

  @Test("A drain is idle after the last attempt, those of scheduled jobs included, which take up its places")
  func drain() {
    var state = WorkerState(limit: 2, isDrain: true)
    #expect(state.isIdle)
    #expect(start(.job("a")) && start(.job("b")))
    func start(_ item: WorkItem) -> Bool { state.start(item, at: now) }
    #expect(finishAhead("a") && finishAhead("b"))
    func finishAhead(_ name: String) -> Bool { state.finishAhead(.job(name), at: now) }
    #expect(!state.isIdle && state.free == 0)
    func ended() -> Bool { state.attemptOfJobEnded() }
    #expect(ended() && ended())
    #expect(state.isIdle && state.free == 2 && state.progressCount == 2)
    state.noteAdmission(isLimited: true)
    #expect(!state.isIdle, "due runs wait for admission")
    state.take(nil, isFull: false)
    #expect(state.isIdle, "nothing is due any more")
    state.noteForeignRuns()
    #expect(state.isIdle && state.holdsItems)
  }

  @Test("The attempts of scheduled jobs take up places of a worker, though their items have ended")
  func attemptsOfJobs() {
    var state = WorkerState(limit: 2)
    func start(_ name: String) -> Bool { state.start(.job(name), at: now) }
    #expect(start("a") && start("b") && !start("c"))
    for name in ["a", "b"] { _ = state.finishAhead(.job(name), at: now) }
    #expect(state.activeCount == 0 && state.free == 0 && !start("c"))
    func ended() -> Bool { state.attemptOfJobEnded() }
    #expect(ended() && !ended() && state.free == 2 && start("c"), "the first end makes room")
  }

  @Test("An item whose handler has ended holds no place while its result is committed, up to a number of them")
  func ending() throws {
    var state = WorkerState(limit: 2)
    let items = try (0..<600).map { number in
      WorkItem.run(try RunID(String(repeating: "0", count: 60) + String(10_000 + number).suffix(4)))
    }
    func start(_ item: WorkItem) -> Bool { state.start(item, at: now) }
    func handlerEnded(_ item: WorkItem) -> Bool { state.handlerEnded(item) }
    func finish(_ item: WorkItem) -> Bool { state.finish(item, hasProgressed: true, at: now) }
    #expect(start(items[0]) && start(items[1]) && state.free == 0)
    #expect(handlerEnded(items[0]), "there was no room")
    #expect(state.free == 1 && state.activeCount == 2 && !state.isStartable(items[0], at: now))
    #expect(!finish(items[0]), "its place is free already")
    #expect(state.free == 1 && state.activeCount == 1)
    #expect(!handlerEnded(items[5]), "it is not in process")
    #expect(state.free == 1)
    var next = 10
    while state.free > 0 {
      #expect(start(items[next]))
      _ = handlerEnded(items[next])
      next += 1
    }
    #expect(next == 10 + 256, "a slow store holds up the next items")
    #expect(start(items[5]), "but not one that was claimed before")
    _ = finish(items[5])
    #expect(finish(items[10]) && state.free == 1)
  }

  @Test("Due runs are chosen by queue and priority, without those in process and held back")
  func choices() {
    var state = WorkerState(limit: 8)
    let records = [record("a", nil, 0), record("b", nil, 5), record("c", "critical", 0), record("d", nil, 9)]
    #expect(state.choice(among: records, upTo: 2, at: now).records.map(\.id) == [records[2].id, records[3].id])
    _ = state.start(.run(records[2].id), at: now)
    _ = state.start(.run(records[3].id), at: now)
    state.finish(.run(records[3].id), hasProgressed: false, at: now)
    let choice = state.choice(among: records, upTo: 9, at: now)
    #expect(choice.records.map(\.id) == [records[1].id, records[0].id])
    let again = state.choice(among: records, upTo: 1, at: now).records.map(\.id)
    #expect(again == [records[1].id], "a choice changes nothing")
  }

  @Test("Room for a backlog is gathered up to a quarter, for 2 ms at most")
  func gathering() {
    var state = WorkerState(limit: 8)
    func end(after milliseconds: Int = 0) -> Timestamp? { state.gatheringEnd(at: now + .milliseconds(milliseconds)) }
    func finish(_ record: RunRecord) -> Bool { state.finish(.run(record.id), hasProgressed: true, at: now) }
    let records = (0..<8).map { record("\($0)", nil, 0) }
    for record in records { _ = state.start(.run(record.id), at: now) }
    state.note(times(), at: now, atMost: .seconds(1))
    _ = state.windowSize(room: 8)
    #expect(end() == nil, "there is no backlog")
    state.take(nil, isFull: true)
    #expect(end() == nil, "there is no room")
    #expect(finish(records[0]), "there was no room")
    #expect(end() == now + .milliseconds(2))
    #expect(end(after: 1) == now + .milliseconds(2))
    #expect(end(after: 2) == nil)
    #expect(finish(records[1]), "a quarter is free")
    #expect(end() == nil)
    #expect(!finish(records[2]), "the worker was woken already")
    state.take(nil, isFull: false)
    #expect(!finish(records[3]), "nothing waits for room")
  }

  @Test("A call that comes before the wait is not lost, and one call wakes once")
  func wakeUp() async {
    let wakeUp = WakeUp()
    let clock = VirtualClock(start: RuntimeFixture.start)
    wakeUp.call(withNews: true)
    wakeUp.call()
    func takesNews() -> Bool { wakeUp.takeNews() }
    #expect(takesNews() && !takesNews())
    #expect(await wakeUp.wait(until: .distantFuture, clock))
    #expect(await !wakeUp.wait(until: clock.now(), clock))
    async let waited = wakeUp.wait(until: .distantFuture, clock)
    while clock.sleeperCount == 0 { await Task.yield() }
    wakeUp.call()
    #expect(await waited)
  }
}
