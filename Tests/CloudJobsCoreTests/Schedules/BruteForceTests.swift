import CloudJobsCore
import TestSupport
import Testing

@Suite("Cron against a brute-force stepper")
struct BruteForceTests {
  static let zones = [
    "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo", "Africa/Cairo",
    "Asia/Kathmandu", "Africa/Casablanca", "Antarctica/Troll", "Asia/Gaza", "UTC",
  ]

  /// 1975 to 2060: a part beyond what the files list, where the footer's rule holds.
  static let years = 157_766_400..<2_840_140_800

  @Test("100,000 random cases: next, previous and count agree with stepping through minutes")
  func minutes() throws {
    var random = SeededGenerator(seed: 2026)
    let checked = try compare(pairs: 4_000, times: 25, windowHours: 96, step: 60, using: &random)
    #expect(checked == 100_000)
  }

  @Test("10,000 random cases with six fields: next, previous and count agree with stepping through seconds")
  func seconds() throws {
    var random = SeededGenerator(seed: 6)
    let checked = try compare(pairs: 400, times: 25, windowHours: 3, step: 1, using: &random)
    #expect(checked == 10_000)
  }

  private func compare(
    pairs: Int, times: Int, windowHours: Int, step: Int, using random: inout SeededGenerator
  ) throws -> Int {
    var wrong: [String] = []
    var checked = 0
    while checked < pairs * times, wrong.count < 5 {
      let expression = RandomExpression(hasSeconds: step == 1, using: &random)
      let zone = try ZoneCatalog.system.zone(named: Self.zones.randomElement(using: &random) ?? "UTC")
      guard let schedule = try? Schedule.cron(expression.text, in: zone) else {
        // Within 28 years each month occurs with each length and each first weekday that it can have.
        let fits = (0..<10_227).contains { expression.fits(PlainDate(daysSince1970: $0)) }
        #expect(!fits, "\(expression.text) is refused, but fires")
        continue
      }
      var start = Int.random(in: Self.years, using: &random)
      if Bool.random(using: &random), let change = zone.transition(after: Timestamp(seconds: Int64(start))) {
        start = Int(change.time.seconds) - Int.random(in: 0...windowHours / 2, using: &random) * 3_600
      }
      start -= start % 60
      let end = start + windowHours * 3_600
      let due = MinuteStepper(zone, from: start, to: end).due(expression, from: start, to: end, step: step)
      for _ in 0..<times {
        let time = Int.random(in: start..<end, using: &random)
        checked += 1
        let next = schedule.next(after: Timestamp(seconds: Int64(time))).map { Int($0.seconds) } ?? .max
        let previous = schedule.previous(before: Timestamp(seconds: Int64(time))).map { Int($0.seconds) } ?? .min
        // Beyond the stretch that was stepped through, it must only be known that nothing lies within.
        let isNext = due.first { $0 > time }.map { $0 == next } ?? (next >= end)
        let isPrevious = due.last { $0 < time }.map { $0 == previous } ?? (previous < start)
        if !isNext || !isPrevious {
          wrong.append("\(expression.text) \(zone) at \(time): next \(next), previous \(previous)")
        }
        let other = Int.random(in: time..<end, using: &random)
        let count = schedule.count(from: Timestamp(seconds: Int64(time)), before: Timestamp(seconds: Int64(other)))
        if count != due.count(where: { $0 >= time && $0 < other }) {
          wrong.append("\(expression.text) \(zone) from \(time) before \(other): \(count) times")
        }
      }
    }
    #expect(wrong.isEmpty)
    return checked
  }
}

/// Debian's rule applied second by second: slow, and independent of the schedules' code.
struct MinuteStepper {
  private let changes: [(second: Int, before: Int, after: Int)]
  private let firstOffset: Int

  /// Prepares a zone's offsets over a stretch of time.
  init(_ zone: Zone, from start: Int, to end: Int) {
    var changes: [(Int, Int, Int)] = []
    var time = Timestamp(seconds: Int64(start - 86_400))
    firstOffset = Int(zone.offset(at: time))
    while let change = zone.transition(after: time), change.time.seconds <= end + 86_400 {
      changes.append((Int(change.time.seconds), Int(change.offsetBefore), Int(change.offsetAfter)))
      time = change.time
    }
    self.changes = changes
  }

  /// All due seconds in a stretch, which must begin at a full step of local time.
  func due(_ expression: RandomExpression, from start: Int, to end: Int, step: Int) -> [Int] {
    var due: [Int] = []
    var offset = changes.last { $0.second <= start }?.after ?? firstOffset
    var following = changes.firstIndex { $0.second > start } ?? changes.count
    var repeatsUntil = Int.min
    var day = Int.min
    var dayFits = false
    if let last = changes.last(where: { $0.second <= start }), last.before - last.after < 3 * 3_600 {
      repeatsUntil = last.second + last.before
    }
    for second in stride(from: start, to: end, by: step) {
      if following < changes.count, second >= changes[following].second {
        let change = changes[following]
        following += 1
        offset = change.after
        let shift = change.after - change.before
        repeatsUntil = shift > -3 * 3_600 ? second + change.before : Int.min
        if shift > 0, shift < 3 * 3_600, !expression.isWildcard,
          hasMatch(expression, from: second + change.before, to: second + change.after, step: step)
        {
          due.append(second)
          continue
        }
      }
      let local = second + offset
      if local < repeatsUntil, !expression.isWildcard { continue }
      let rest = local % 86_400
      if local / 86_400 != day {
        day = local / 86_400
        dayFits = expression.fits(PlainDate(daysSince1970: day))
      }
      guard dayFits, expression.minutes[rest / 60 % 60], expression.hours[rest / 3_600] else { continue }
      if expression.seconds[rest % 60] { due.append(second) }
    }
    return due
  }

  private func hasMatch(_ expression: RandomExpression, from start: Int, to end: Int, step: Int) -> Bool {
    stride(from: start, to: end, by: step).contains { local in
      expression.seconds[local % 60] && expression.minutes[local / 60 % 60] && expression.hours[local / 3_600 % 24]
        && expression.fits(PlainDate(daysSince1970: local / 86_400))
    }
  }
}
