#if Server && HTTP
import CloudJobs
import CloudJobsCore
import Testing

@testable import CloudJobsServer

@Suite("The measurements that forecasts share")
struct MeasurementCacheTests {
  private static let start = Timestamp(seconds: 1_774_656_000)

  @Test(
    "A measurement is used for a minute, and not before its time",
    arguments: [
      (0, true), (1, true), (59_999_999, true), (60_000_000, false), (3_600_000_000, false), (-1, false),
    ])
  func lifetime(microseconds: Int, isUsed: Bool) {
    var cache = MeasurementCache()
    #expect(cache.entry(at: Self.start) == nil)
    let entry = MeasurementCache.Entry(jobs: ["mail": JobMeasurement()], measuredAt: Self.start)
    cache.keep(entry)
    #expect(cache.entry(at: Self.start + .microseconds(Int64(microseconds))) == (isUsed ? entry : nil))
  }

  @Test("A later measurement takes the place of the one before")
  func replacement() {
    var cache = MeasurementCache()
    for second in [0, 90] {
      cache.keep(MeasurementCache.Entry(jobs: [:], measuredAt: Self.start + .seconds(second)))
    }
    #expect(cache.entry(at: Self.start + .seconds(100))?.measuredAt == Self.start + .seconds(90))
  }

  @Test("A forecast says when it was measured, measures again after a minute, and a new job at once")
  func page() async throws {
    let fixture = try await JobPagesFixture()
    try await fixture.put(10, of: "mail", .succeeded)
    let first = try await fixture.get("/forecast").text
    #expect(!first.contains("Recent runs were measured"))
    // Ten runs a day, for a week.
    #expect(Self.runs(of: "mail", in: first) == "70")
    // Both jobs have new runs, but only the one without a measurement is measured.
    try await fixture.put(20, of: "mail", .failed)
    var elsewhere = JobConfiguration()
    elsewhere.type = .endpoint
    _ = try await fixture.memory.commit([.putConfiguration("elsewhere", elsewhere, .absent)])
    try await fixture.put(60, of: "elsewhere", .succeeded)
    try await fixture.clock.sleep(until: fixture.clock.now() + .seconds(40))
    let second = try await fixture.get("/forecast").text
    #expect(second.contains("Recent runs were measured") && second.contains("40 s ago"))
    #expect(Self.runs(of: "mail", in: second) == "70")
    #expect(Self.runs(of: "elsewhere", in: second) == "8,400")
    try await fixture.clock.sleep(until: fixture.clock.now() + .seconds(21))
    let third = try await fixture.get("/forecast").text
    #expect(!third.contains("Recent runs were measured") && Self.runs(of: "mail", in: third) == "210")
  }

  /// Returns the runs of a job in the table of a forecast.
  private static func runs(of job: String, in page: String) -> String? {
    let line = page.split(separator: "/dashboard/jobs/\(job)\">").dropFirst().first
    let cell = line?.split(separator: "data-label=\"Runs\" class=\"number\">").dropFirst().first
    return cell.map { String($0.prefix { $0 != "<" }) }
  }
}
#endif
