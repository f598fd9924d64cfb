import TestSupport
import Testing

@testable import CloudJobsCore

@Suite("The account of a limit")
struct LimitLedgerTests {
  private static let now = PlanSample.now
  private var now: Timestamp { Self.now }
  private static let runs = (0..<300).map { RunID(job: "job", occurrence: .key("\($0)")) }

  private func permit(
    _ number: Int, max: Int? = nil, rate: RateLimit? = nil, until: Duration = .minutes(5)
  ) -> LimitPermit {
    LimitPermit(Self.runs[number], until: now + until, JobLimit(.job("job"), maxConcurrent: max, rate: rate))
  }

  private func refusal(_ body: () throws(LedgerFault) -> LimitLedger) -> LimitRefusal? {
    do throws(LedgerFault) {
      _ = try body()
    } catch {
      if case .refused(let refusal) = error { return refusal }
    }
    return nil
  }

  @Test(
    "A permit is refused while as many runs hold one, until one is given back or expires",
    arguments: [
      (0, Duration.zero, true), (1, .zero, true), (2, .zero, false), (2, .minutes(5) - .microseconds(1), false),
      (2, .minutes(5), true), (3, .zero, false),
    ])
  func holders(count: Int, later: Duration, isFree: Bool) throws {
    var ledger = LimitLedger()
    for number in 0..<count {
      ledger = try ledger.applying(.take(permit(number, max: 3)), changedAt: nil, at: now)
    }
    let time = now + later
    let refused = refusal { () throws(LedgerFault) in
      try ledger.applying(.take(permit(9, max: 2)), changedAt: now, at: time)
    }
    #expect((refused == nil) == isFree)
    #expect(refused == nil || refused?.retryAt == time + .seconds(5))
    let room = later < .minutes(5) ? max(0, 2 - count) : 2
    #expect(ledger.room(in: permit(9, max: 2).limit, changedAt: now, at: time) == room)
    let given = try ledger.applying(.give([Self.runs[0], Self.runs[200]]), changedAt: now, at: now)
    #expect(given.holders.count == max(0, count - 1))
  }

  @Test("A run that holds a permit takes it again, for longer")
  func again() throws {
    var ledger = try LimitLedger().applying(.take(permit(1, max: 1)), changedAt: nil, at: now)
    ledger = try ledger.applying(.take(permit(1, max: 1, until: .minutes(9))), changedAt: now, at: now)
    #expect(ledger.holders == [Self.runs[1]: now + .minutes(9)])
  }

  @Test("A permit that is kept for a run is refused to others, until it comes, gives it back, is dismissed or is late")
  func reservations() throws {
    let kept = permit(1, max: 1, until: .seconds(5))
    let full = try LimitLedger().applying(.reserve(kept), changedAt: nil, at: now)
    #expect(full.room(in: kept.limit, changedAt: now, at: now) == 0)
    #expect(full.refusal(of: permit(2, max: 1), changedAt: now, at: now) != nil)
    #expect(full.refusal(of: permit(2, max: 2), changedAt: now, at: now) == nil)
    #expect(full.refusal(of: kept, changedAt: now, at: now) == nil)
    #expect(full.refusal(of: permit(2, max: 1), changedAt: now, at: now + .seconds(5)) == nil, "it came too late")
    #expect(try Ledger(fields: Ledger.limits(full).fields) == .limits(full))
    #expect(throws: LedgerFault.hasNoRoom) {
      try full.applying(.reserve(permit(2, max: 1)), changedAt: now, at: now)
    }
    let taken = try full.applying(.take(permit(1, max: 1)), changedAt: now, at: now)
    #expect((taken.holders.count, taken.reserved.count) == (1, 0))
    #expect(throws: LedgerFault.hasNoRoom, "it holds one already") {
      try taken.applying(.reserve(permit(1, max: 9)), changedAt: now, at: now)
    }
    for change in [LedgerChange.give([Self.runs[1]]), .dismiss([Self.runs[1]])] {
      #expect(try full.applying(change, changedAt: now, at: now).room(in: kept.limit, changedAt: now, at: now) == 1)
    }
    let both = try full.applying(.reserve(permit(2, max: 2)), changedAt: now, at: now)
    #expect(both.refusal(of: kept, changedAt: now, at: now) == nil, "kept permits do not exclude each other")
    let held = try both.applying(.take(permit(2, max: 2)), changedAt: now, at: now)
    #expect(held.refusal(of: kept, changedAt: now, at: now) != nil, "but the limit stands")
  }

  @Test("Runs wait in the order of their priority, and those of one priority in the order of their coming")
  func priorities() throws {
    var ledger = try LimitLedger().applying(.take(permit(250, max: 1)), changedAt: nil, at: now)
    for (number, priority) in [(0, 0), (1, 5), (2, -3), (3, 5), (4, 0), (5, 9), (1, 5)] {
      var asked = permit(number, max: 1)
      asked.priority = priority
      ledger = try ledger.applying(.enlist(asked), changedAt: now, at: now)
    }
    #expect(ledger.waiters == [5, 1, 3, 0, 4, 2].map { Self.runs[$0] })
    #expect(ledger.priorities == [Self.runs[5]: 9, Self.runs[1]: 5, Self.runs[3]: 5, Self.runs[2]: -3])
    #expect(try Ledger(fields: Ledger.limits(ledger).fields) == .limits(ledger))
    for number in 6..<110 { ledger = try ledger.applying(.enlist(permit(number, max: 1)), changedAt: now, at: now) }
    #expect((ledger.waiters.count, ledger.waiters.last, ledger.hasMoreWaiters) == (100, Self.runs[100], true))
    #expect(ledger.priorities[Self.runs[2]] == nil, "the last in order is no longer listed")
    ledger = try ledger.applying(.dismiss([Self.runs[5]]), changedAt: now, at: now)
    #expect(ledger.priorities == [Self.runs[1]: 5, Self.runs[3]: 5])
  }

  @Test("Runs that wait keep their places, try again later the further back they are, and are listed up to a bound")
  func waiters() throws {
    var ledger = try LimitLedger().applying(.take(permit(250, max: 1)), changedAt: nil, at: now)
    var retries = [Duration]()
    for number in [0, 1, 0] + Array(2..<150) {
      let asked = permit(number, max: 1)
      retries.append(try #require(ledger.refusal(of: asked, changedAt: now, at: now)).retryAt - now)
      ledger = try ledger.applying(.enlist(asked), changedAt: now, at: now)
    }
    #expect(ledger.waiters == Array(Self.runs[0..<100]))
    #expect(ledger.hasMoreWaiters)
    #expect(retries[0...3] == [.seconds(5), .milliseconds(15_500), .seconds(5), .seconds(16)])
    #expect(retries[0..<101].max() == .seconds(60))
    #expect(retries[101...].allSatisfy { (.seconds(60)...(.seconds(120))).contains($0) })
    #expect(Set(retries[101...]).count > 40)
    ledger = try ledger.applying(.dismiss(Array(Self.runs[0..<99])), changedAt: now, at: now)
    ledger = try ledger.applying(.list(Array(Self.runs[99..<120]), hasMore: false), changedAt: now, at: now)
    #expect((ledger.waiters.count, ledger.hasMoreWaiters) == (21, false))
    ledger = try ledger.applying(.list(Self.runs, hasMore: false), changedAt: now, at: now)
    #expect((ledger.waiters.count, ledger.hasMoreWaiters) == (100, true))
  }

  @Test("A run does not begin to wait when there is room, so that none waits for a wake-up that never comes")
  func room() throws {
    let ledger = try LimitLedger().applying(.take(permit(0, max: 1)), changedAt: nil, at: now)
    let given = try ledger.applying(.give([Self.runs[0]]), changedAt: now, at: now)
    #expect(throws: LedgerFault.hasRoom) {
      try given.applying(.enlist(permit(1, max: 1)), changedAt: now, at: now)
    }
  }

  @Test(
    "No sliding period has more starts than the rate allows, and room is used", .timeLimit(.minutes(1)),
    arguments: [(1, 1_000), (3, 1_000), (10, 60_000), (100, 1_000), (1_000, 3_600_000), (7, 64)])
  func rates(count: Int, milliseconds: Int) throws {
    let rate = RateLimit(count, per: .milliseconds(milliseconds))
    var random = SeededGenerator(seed: UInt64(count))
    var (ledger, time, changedAt) = (LimitLedger(), now, now)
    var starts = [Timestamp]()
    while starts.count < 4 * count + 20 {
      // A store may read the ledger before the time of the commit.
      let read = time
      time = time + .microseconds(Int.random(in: 0...(milliseconds * 100 / count), using: &random))
      let asked = permit(starts.count % 300, rate: rate)
      if let refusal = ledger.refusal(of: asked, changedAt: changedAt, at: read) {
        time = max(time, refusal.retryAt)
        continue
      }
      ledger = try ledger.applying(.take(asked), changedAt: changedAt, at: read)
      (changedAt, starts) = (time, starts + [time])
      #expect(ledger.starts.count <= 67)
    }
    for (first, last) in zip(starts, starts.dropFirst(count)) {
      #expect(last - first >= rate.period, "\(count + 1) starts from \(first) to \(last)")
    }
    let periods = Int64(starts.count / count)
    let ideal = (starts[Int(periods - 1) * count] - starts[0]).microseconds
    #expect(ideal <= (periods - 1) * rate.period.microseconds * 115 / 100)
    #expect(ledger.expireAt > time + rate.period)
  }

  @Test("Runs that exceed a rate try again one after the other, as the rate allows")
  func slots() throws {
    let rate = RateLimit(2, per: .seconds(64))
    var ledger = LimitLedger()
    for number in 0..<2 { ledger = try ledger.applying(.take(permit(number, rate: rate)), changedAt: now, at: now) }
    var retries = [Duration]()
    for number in 2..<6 {
      let asked = permit(number, rate: rate)
      retries.append(try #require(ledger.refusal(of: asked, changedAt: now, at: now)).retryAt - now)
      ledger = try ledger.applying(.enlist(asked), changedAt: now, at: now)
    }
    let first = retries[0]
    #expect(first >= .seconds(64) && first <= .seconds(65))
    #expect(retries == (0..<4).map { first + .microseconds(32_500_000 * $0) })
    // One that comes at its time and is refused again does not lose its place.
    let back = try #require(ledger.refusal(of: permit(3, rate: rate), changedAt: now, at: now + .seconds(1)))
    #expect(back.retryAt - now == first)
  }

  @Test("The stored form comes back, and an invalid one names its field")
  func storedForm() throws {
    var ledger = LimitLedger()
    ledger.holders = [Self.runs[0]: now, Self.runs[1]: now + .seconds(1)]
    (ledger.waiters, ledger.hasMoreWaiters) = ([Self.runs[2], Self.runs[0]], true)
    (ledger.starts, ledger.newStarts, ledger.period) = ([now: 3, now + .seconds(1): 4], 2, .seconds(64))
    (ledger.nextSlot, ledger.expireAt) = (now, now + .days(1))
    for ledger in [Ledger.limits(ledger), .limits(LimitLedger())] {
      #expect(try Ledger(fields: ledger.fields) == ledger)
    }
    let holder = UniqueLedger(run: Self.runs[0], createdAt: now, expireAt: now + .days(1))
    #expect(try Ledger(fields: Ledger.unique(holder).fields) == .unique(holder))
    let faults: [(String, JSONValue)] = [
      ("kind", "other"), ("holders.x", ["x": 1]), ("waiters", ["x"]), ("starts.x", ["x": 1]),
      ("starts.5", ["5": 0]), ("newStarts", -1), ("expireAt", nil),
    ]
    for (field, value) in faults {
      var fields = Ledger.limits(ledger).fields.object ?? [:]
      fields[String(field.prefix { $0 != "." })] = value
      #expect { try Ledger(fields: .object(fields)) } throws: { ($0 as? JobError)?.field == field }
    }
  }

  @Test("Ids of ledgers are told apart, and any name of a group has one")
  func ids() throws {
    let ids: [LedgerID] = [
      .job("a"), .group("a"), .unique("a", key: "a"), .unique("a", key: "b"), .unique("b", key: "a"), .group(""),
      .group("a/b"), .group("a\u{0}b"), .group("é"), .group("e\u{301}"),
    ]
    #expect(Set(ids.map(\.rawValue)).count == ids.count)
    for id in ids { #expect(try LedgerID(id.rawValue) == id) }
    #expect(throws: JobError.self) { try LedgerID("other/a") }
  }

  @Test("Waking takes as many as fit, in order; those that no longer wait are dismissed")
  func waking() {
    let ledger = LedgerID.job("job")
    func run(_ status: RunStatus, _ notBefore: Duration, for id: LedgerID? = ledger) -> Run {
      PlanSample.run(status, notBefore: notBefore) { $0.waitsFor = id }
    }
    let states: [Run?] = [
      run(.scheduled, .seconds(9)), nil, run(.succeeded, .zero), run(.scheduled, .seconds(9), for: nil),
      run(.running, .zero, for: nil), run(.scheduled, .zero), run(.scheduled, .seconds(5)),
      run(.scheduled, .seconds(5), for: .group("g")),
    ]
    let runs = Dictionary(uniqueKeysWithValues: zip(Self.runs, states).compactMap { id, run in run.map { (id, $0) } })
    let plan = planWaking(ledger, waiters: Array(Self.runs[0..<8]), runs: runs, room: 3, now: now)
    #expect(plan.woken == [Self.runs[0], Self.runs[6]])
    #expect(plan.dismissed == [1, 2, 3].map { Self.runs[$0] })
    #expect(plan.taken == 3)
    let none = planWaking(ledger, waiters: Array(Self.runs[0..<8]), runs: runs, room: 0, now: now)
    #expect(none.woken.isEmpty && none.dismissed.isEmpty)
  }
}
