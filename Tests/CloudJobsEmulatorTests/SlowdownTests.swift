import CloudJobsCore
import Testing

@testable import CloudJobsEmulator

@Suite("The slow-down of a queue")
struct SlowdownTests {
  private static let start = Fixture.start

  /// Returns the slow-down by so many answers of 503, one each second, the last of which is at the start.
  private static func slowed(_ count: Int) -> Slowdown {
    var slowdown = Slowdown()
    for second in stride(from: 1 - count, through: 0, by: 1) {
      _ = slowdown.observe(.status(503), at: start + .seconds(second))
    }
    return slowdown
  }

  @Test(
    "each refusal halves the rate, six times at most",
    arguments: [
      (0, 500_000_000), (1, 250_000_000), (2, 125_000_000), (3, 62_500_000), (4, 31_250_000), (5, 15_625_000),
      (6, 7_812_500), (7, 7_812_500), (15, 7_812_500),
    ] as [(Int, Int64)])
  func levels(refusals: Int, rate: Int64) {
    #expect(Self.slowed(refusals).rate(of: .perSecond(500), at: Self.start).millionthsPerSecond == rate)
  }

  @Test(
    "the rate stays at one a second, or at what it was if that is lower",
    arguments: [
      (20_000_000, 1_000_000), (64_000_000, 1_000_000), (128_000_000, 2_000_000), (1_000_000, 1_000_000),
      (500_000, 500_000),
    ] as [(Int64, Int64)])
  func leastRate(rate: Int64, lowered: Int64) {
    let rate = Self.slowed(6).rate(of: .init(millionthsPerSecond: rate), at: Self.start)
    #expect(rate.millionthsPerSecond == lowered)
  }

  @Test(
    "each ten seconds without a refusal double the rate",
    arguments: [(0, 6), (9_999, 6), (10_000, 5), (19_999, 5), (20_000, 4), (59_999, 1), (60_000, 0), (3_600_000, 0)])
  func recovery(milliseconds: Int, level: Int) {
    #expect(Self.slowed(6).currentLevel(at: Self.start + .milliseconds(milliseconds)) == level)
  }

  @Test("a refusal during the recovery halves the rate that there is then, and the recovery begins anew")
  func refusalDuringRecovery() {
    var slowdown = Self.slowed(6)
    let isLowered = slowdown.observe(.status(429), at: Self.start + .seconds(25))
    #expect(isLowered)
    let levels = [25, 34, 35, 45].map { slowdown.currentLevel(at: Self.start + .seconds($0)) }
    #expect(levels == [5, 5, 4, 3])
  }

  @Test("the rate is halved at most once a second")
  func onceASecond() {
    var slowdown = Slowdown()
    let times = [0, 999, 1_000, 1_999, 2_000]
    let isLowered = times.map { slowdown.observe(.status(429), at: Self.start + .milliseconds($0)) }
    #expect(isLowered == [true, false, true, false, true])
    #expect(slowdown.currentLevel(at: Self.start + .seconds(2)) == 3)
  }

  @Test(
    "by themselves only 429 and 503 lower the rate",
    arguments: [
      (.status(429), true), (.status(503), true), (.status(500), false), (.status(504), false), (.status(404), false),
      (.ok, false), (.timedOut, false), (.connectionFailed("refused"), false),
    ] as [(DeliveryOutcome, Bool)])
  func outcomes(outcome: DeliveryOutcome, lowers: Bool) {
    var slowdown = Slowdown()
    let isLowered = slowdown.observe(outcome, at: Self.start)
    #expect(isLowered == lowers)
    #expect(slowdown.currentLevel(at: Self.start) == (lowers ? 1 : 0))
  }

  @Test("more than ten failures among twenty answers lower the rate", arguments: [(10, false), (11, true), (20, true)])
  func errorRate(failures: Int, lowers: Bool) {
    for failure in [DeliveryOutcome.status(500), .status(404), .timedOut, .connectionFailed("refused")] {
      var slowdown = Slowdown()
      let isLowered = (0..<20).map { slowdown.observe($0 < failures ? failure : .ok, at: Self.start) }
      #expect(isLowered == Array(repeating: false, count: 19) + [lowers])
    }
  }

  @Test("each answer counts among twenty once")
  func windows() {
    var slowdown = Slowdown()
    let outcomes = Array(repeating: DeliveryOutcome.ok, count: 10) + Array(repeating: .timedOut, count: 40)
    let isLowered = outcomes.indices.map { slowdown.observe(outcomes[$0], at: Self.start + .seconds($0)) }
    #expect(isLowered.indices.filter { isLowered[$0] } == [39])
  }

  @Test("a queue whose target fails too often halves its rate", arguments: [(10, 100), (11, 200)])
  func dispatches(failures: Int, interval: Int) async throws {
    let fixture = Fixture(options: .init(burstSize: 1)) { delivery in
      (Int(delivery.shortID) ?? 0) < failures ? .status(500) : .ok
    }
    try fixture.makeQueue(
      rate: .init(maxDispatchesPerSecond: .perSecond(10)), retry: .init(minBackoff: .seconds(1_000)))
    for number in 0..<40 { try fixture.makeTask("\(number)") }
    try await fixture.emulator.advance(by: .seconds(10))
    let expected = (0..<20).map { $0 * 100 } + (1...20).map { 1_900 + $0 * interval }
    #expect(fixture.offsets == expected.map { .milliseconds($0) })
  }
}

@Suite("Retry-After in the answers to a queue")
struct RetryAfterTests {
  @Test(
    "seconds or a date hold the queue, for an hour at most",
    arguments: [
      (503, "30", 30), (429, "30", 30), (503, "Wed, 18 Nov 2026 11:07:10 GMT", 30),
      (429, "Wed, 18 Nov 2026 12:06:40 GMT", 3_600), (503, "3600", 3_600), (503, "3601", 3_600),
      (503, "Wed, 18 Nov 2026 13:06:40 GMT", 3_600), (503, "Wed, 18 Nov 2026 11:06:00 GMT", 0), (503, "soon", nil),
      (500, "30", nil), (404, "Wed, 18 Nov 2026 11:07:10 GMT", nil), (200, "30", nil),
    ] as [(Int, String, Int?)])
  func span(status: Int, value: String, seconds: Int?) {
    var slowdown = Slowdown()
    _ = slowdown.observe(.response(status: status, headers: [.init("retry-after", value)]), at: Fixture.start)
    #expect(slowdown.holdUntil == seconds.map { Fixture.start + .seconds($0) })
  }

  @Test("a shorter time does not end a longer one")
  func longest() {
    var slowdown = Slowdown()
    for value in ["10", "60", "20"] {
      _ = slowdown.observe(.response(status: 503, headers: [.init("Retry-After", value)]), at: Fixture.start)
    }
    #expect(slowdown.holdUntil == Fixture.start + .seconds(60))
  }

  @Test(
    "no task of the queue is dispatched before",
    arguments: [
      ("Wed, 18 Nov 2026 11:07:10 GMT", [0, 30, 31, 100]), ("Wed, 18 Nov 2026 13:06:40 GMT", [0, 3_600, 3_601, 3_602]),
      ("86400", [0, 3_600, 3_601, 3_602]),
    ])
  func holds(value: String, seconds: [Int]) async throws {
    let fixture = Fixture(options: .init(burstSize: 1)) { delivery in
      delivery.attempt == 1 && delivery.shortID == "a"
        ? .response(status: 503, headers: [.init("Retry-After", value)]) : .ok
    }
    try fixture.makeQueue(
      rate: .init(maxDispatchesPerSecond: .perSecond(1)), retry: .init(minBackoff: .seconds(100)))
    for id in ["a", "b", "c"] { try fixture.makeTask(id) }
    #expect(try await fixture.emulator.runUntilIdle())
    #expect(fixture.offsets == seconds.map { .seconds($0) })
  }
}
