import Testing

@testable import CloudJobsCore

@Suite("Herds of schedules")
struct ScheduleHerdTests {
  private func herds(_ jobs: [(JobID, String, String)], days: Int = 7) throws -> [ScheduleHerd] {
    let jobs = try jobs.map { try ForecastSample.job($0, .periodic, $1, zone: $2) }
    return ScheduleHerd.all(in: ForecastInput(jobs: jobs, start: ForecastSample.start, span: .days(days)))
  }

  @Test("Jobs at midnight form a herd, and are moved apart with their periods")
  func midnight() throws {
    let names: [JobID] = ["a", "b", "c", "d", "e", "f"]
    let found = try herds(names.map { ($0, "0 0 * * *", "Etc/UTC") })
    #expect(found.count == 1 && found[0].isHerd && found[0].jobs == names && found[0].count == 7)
    #expect(found[0].first == ForecastSample.start)
    #expect(found[0].spread.count == 5)
    #expect(found[0].spread.first == ScheduleMove(job: "b", present: "0 0 * * *", suggested: "1 0 * * *", minutes: 1))
    let moved = Dictionary(uniqueKeysWithValues: found[0].spread.map { ($0.job, $0.suggested) })
    #expect(try herds(names.map { ($0, moved[$0] ?? "0 0 * * *", "Etc/UTC") }) == [])
  }

  @Test("Jobs apart, jobs that are always due and disabled jobs do not collide")
  func none() throws {
    #expect(try herds([("a", "0 * * * *", "Etc/UTC"), ("b", "1 * * * *", "Etc/UTC")]) == [])
    #expect(try herds([("a", "1m", "Etc/UTC"), ("b", "30s", "Etc/UTC"), ("c", "0 0 * * *", "Etc/UTC")]) == [])
    var off = try ForecastSample.job("a", .periodic, "1h")
    off.job.policy.enabled = false
    let other = try ForecastSample.job("b", .periodic, "1h")
    #expect(ScheduleHerd.all(in: ForecastInput(jobs: [off, other], start: ForecastSample.start)) == [])
  }

  @Test(
    "A suggestion is due as often, some minutes later",
    arguments: [
      ("5m", "1-59/5 * * * *"), ("*/15 * * * *", "1-59/15 * * * *"), ("1h", "1 * * * *"), ("6h", "1 */6 * * *"),
      ("1d", "1 0 * * *"), ("@daily", "1 0 * * *"), ("0 9-17 * * 1-5", "1 9-17 * * 1-5"),
      ("10-59/20 * * * *", "11-59/20 * * * *"),
    ])
  func forms(present: String, suggested: String) throws {
    let found = try herds([("a", present, "Etc/UTC"), ("b", present, "Etc/UTC")])
    #expect(found.first?.spread == [ScheduleMove(job: "b", present: present, suggested: suggested, minutes: 1)])
    #expect(found.first?.isHerd == false)
  }

  @Test("A schedule without minutes to move stays, and the others are moved away from it")
  func fixed() throws {
    let found = try herds([("a", "at 2026-01-02T00:00:00Z", "Etc/UTC"), ("b", "0 0 * * *", "Etc/UTC")])
    #expect(found.first?.spread.map(\.job) == ["b"])
    // An interval has no hours of a zone.
    let berlin = try herds([("a", "6h", "Europe/Berlin"), ("b", "6h", "Europe/Berlin")])
    #expect(berlin.count == 1 && berlin[0].spread.isEmpty)
  }

  @Test("A collision within a larger one is named once, and the list is bounded")
  func subsets() throws {
    let found = try herds([
      ("a", "1h", "Etc/UTC"), ("b", "1h", "Etc/UTC"), ("c", "0 0 * * *", "Etc/UTC"),
    ])
    #expect(found.map(\.jobs) == [["a", "b", "c"]] && found[0].count == 7)
    let many = try herds((0..<40).map { (JobID(stringLiteral: "job\($0)"), "\($0) \($0 % 24) * * *", "Etc/UTC") })
    #expect(many.count <= ScheduleHerd.limit)
  }
}
