import TestSupport
import Testing

@testable import CloudJobsCore

@Suite("Delays between retries")
struct RetryDelaysTests {
  private static func delays(_ count: Int, asked: Duration? = nil, seed: UInt64) -> [Duration?] {
    var delays = RetryDelays(first: .milliseconds(100), longest: .milliseconds(500))
    var random = SeededGenerator(seed: seed)
    return (0..<count).map { _ in delays.next(asked: asked, random: &random) }
  }

  @Test("Delays double up to the maximum, with half jitter")
  func doubling() {
    var sums = [Duration](repeating: .zero, count: 5)
    for seed in 1...1_000 as ClosedRange<UInt64> {
      let delays = Self.delays(5, seed: seed).compactMap(\.self)
      #expect(delays.count == 5)
      for (index, (delay, most)) in zip(delays, [100, 200, 400, 500, 500]).enumerated() {
        #expect(delay >= .milliseconds(most) / 2 && delay <= .milliseconds(most))
        sums[index] += delay
      }
    }
    for (sum, most) in zip(sums, [100, 200, 400, 500, 500]) {
      let mean = sum / 1_000 / .milliseconds(most)
      #expect(abs(mean - 0.75) < 0.02)
    }
  }

  @Test("A requested delay is the minimum, and too long a delay ends the retries")
  func asked() {
    #expect(Self.delays(3, asked: .seconds(2), seed: 7) == [.seconds(2), .seconds(2), .seconds(2)])
    let more = Self.delays(3, asked: .milliseconds(1), seed: 7)
    #expect(more == Self.delays(3, seed: 7))
    #expect(Self.delays(1, asked: RetryDelays.longestAsked, seed: 7) == [RetryDelays.longestAsked])
    #expect(Self.delays(1, asked: RetryDelays.longestAsked + .microseconds(1), seed: 7) == [nil])
  }

  @Test("Retry-After is parsed as seconds or as a date")
  func retryAfter() {
    let now = Timestamp(seconds: 1_445_412_420)
    #expect(RetryAfter.span("120", at: now) == .seconds(120))
    #expect(RetryAfter.span("Wed, 21 Oct 2015 07:28:00 GMT", at: now) == .seconds(60))
    #expect(RetryAfter.span("Wed, 21 Oct 2015 07:26:00 GMT", at: now) == .zero)
    for text in ["", "-1", "soon", "Wed, 21 Foo 2015 07:28:00 GMT"] { #expect(RetryAfter.span(text, at: now) == nil) }
  }
}
