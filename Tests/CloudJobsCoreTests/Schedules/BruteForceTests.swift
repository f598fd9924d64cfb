import CloudJobsCore
import Testing

@Suite("Cron against a brute-force stepper")
struct BruteForceTests {
  static let zones = [
    "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo", "Africa/Cairo",
    "Asia/Kathmandu", "Africa/Casablanca", "Antarctica/Troll", "Asia/Gaza", "UTC",
  ]

  /// 1975 to 2060: a part beyond what the files list, where the footer's rule holds.
  static let years = 157_766_400..<2_840_140_800

  @Test("100,000 random cases: next and previous are what stepping real minutes finds")
  func minutes() throws {
    var random = ScheduleRandom(seed: 2026)
    let checked = try compare(pairs: 4_000, times: 25, windowHours: 96, step: 60, using: &random)
    #expect(checked == 100_000)
  }

  @Test("10,000 random cases with six fields: next and previous are what stepping real seconds finds")
  func seconds() throws {
    var random = ScheduleRandom(seed: 6)
    let checked = try compare(pairs: 400, times: 25, windowHours: 3, step: 1, using: &random)
    #expect(checked == 10_000)
  }

  private func compare(
    pairs: Int, times: Int, windowHours: Int, step: Int, using random: inout ScheduleRandom
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
      }
    }
    #expect(wrong.isEmpty)
    return checked
  }
}
