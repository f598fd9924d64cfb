import CloudJobsCore
import Testing

@testable import CloudJobsCommands

@Suite("How forecasts are shown")
struct ForecastViewTests {
  private func calendar(from: String, days: Int, zone: String) throws -> ForecastCalendar {
    let definition = JobDefinition(id: "tick", kind: .periodic, schedule: .text("0 * * * *"))
    let job = ForecastJob(try ResolvedJob(definition, configuration: nil, zones: .system))
    let start = try #require(Timestamp(rfc3339: from))
    let forecast = Forecast(ForecastInput(jobs: [job], start: start, span: .seconds(86_400 * days)))
    return ForecastCalendar(forecast, in: try ZoneCatalog.system.zone(named: zone))
  }

  @Test(
    "Numbers are grouped, shortened and rounded",
    arguments: [
      (0.0, "0", "0", "0.00"), (0.00123, "0", "0", "0.0012"), (0.0999, "0", "0", "0.0999"), (0.5, "1", "1", "0.50"),
      (999.5, "1,000", "1000", "999.50"), (9_999, "9,999", "9999", "9,999.00"),
      (12_345, "12,345", "12.3k", "12,345.00"),
      (999_600, "999,600", "1.0M", "999,600.00"), (1_234_567.891, "1,234,568", "1.2M", "1,234,567.89"),
      (-42, "-42", "0", "-42.00"), (1e18, "9,000,000,000,000,000", "many", "90,000,000,000,000.00"),
    ])
  func figures(value: Double, count: String, short: String, money: String) {
    #expect(Figure.count(value) == count && Figure.short(value) == short && Figure.money(value) == money)
  }

  @Test("A calendar has the days and hours of its zone, and none for an hour that a clock change skips")
  func clockChange() throws {
    let calendar = try calendar(from: "2026-03-27T23:00:00Z", days: 3, zone: "Europe/Berlin")
    #expect(calendar.days.map { "\($0.date)" } == ["2026-03-28", "2026-03-29", "2026-03-30", "2026-03-31"])
    #expect(calendar.days.map(\.runs) == [24, 23, 24, 1])
    #expect(calendar.days[1].hours[2] == nil && calendar.days[1].hours[3] == 1)
    #expect(calendar.days.map(\.isWhole) == [true, true, true, false])
    let autumn = try self.calendar(from: "2026-10-24T22:00:00Z", days: 1, zone: "Europe/Berlin")
    #expect(autumn.days[0].hours[2] == 2)
  }

  @Test("Its text has a row for each week, and a character for each hour")
  func text() throws {
    let calendar = try calendar(from: "2026-03-01T00:00:00Z", days: 31, zone: "UTC")
    let lines = calendar.lines()
    #expect(lines[0] == "March 2026, runs a day" && lines.count == 2 + 6)
    #expect(lines[2].hasSuffix("1:    24") && lines[7] == " 30:    24 31:    24")
    let map = calendar.heatMapLines()
    #expect(map.count == 31 + 3 && map[2] == "2026-03-01  \(String(repeating: "▒", count: 24))  24")
  }

  @Test("A scale goes from the least to the most, and none is apart")
  func scale() {
    let scale = ForecastCalendar.Scale(of: [0, 10, 40, 100])
    #expect([0, 5, 10, 35, 100, 200].map { scale.level(of: $0, of: 7) } == [0, 1, 1, 4, 6, 6])
    #expect(ForecastCalendar.Scale(of: [7, 7]).level(of: 7, of: 5) == 2)
    #expect(ForecastCalendar.Scale(of: []).level(of: 0, of: 5) == 0)
  }

  @Test("The picture's text is escaped")
  func escaping() throws {
    let calendar = try calendar(from: "2026-03-01T00:00:00Z", days: 1, zone: "UTC")
    let svg = ForecastDrawing.svg(calendar, title: "a < b & \"c\"", subtitle: "\u{1B}[31m")
    #expect(svg.contains("<title>a &lt; b &amp; &quot;c&quot;</title>") && !svg.contains("\u{1B}"))
    #expect(svg.hasPrefix("<?xml") && svg.hasSuffix("</svg>\n"))
  }

  @Test("Changes and rates are read, and mistakes name the option")
  func changes() throws {
    let changes = try ForecastChanges(
      intervals: ["a=5m"], batches: ["b=10"], rates: ["c=2/minute", "d=24/hour", "e=0.5/day"])
    #expect(changes.intervals.first?.interval == .seconds(300) && changes.batches.first?.count == 10)
    #expect(changes.rates == ["c": 2_880, "d": 576, "e": 0.5] && !changes.isEmpty)
    #expect(try ForecastChanges(intervals: [], batches: [], rates: ["a=1/day"]).isEmpty)
    for (interval, batch, rate, option) in [
      ("a", "b=1", "c=1/day", "--interval"), ("a=0s", "b=1", "c=1/day", "--interval"),
      ("a=5m", "b=0", "c=1/day", "--batch"), ("a=5m", "b=1", "c=1", "--rate"), ("a=5m", "b=1", "c=-1/day", "--rate"),
    ] {
      let error = #expect(throws: JobError.self) {
        try ForecastChanges(intervals: [interval], batches: [batch], rates: [rate])
      }
      #expect(error?.field == option)
    }
  }
}
