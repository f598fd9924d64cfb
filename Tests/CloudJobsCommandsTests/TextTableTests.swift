import CloudJobsCore
import Testing

@testable import CloudJobsCommands

@Suite("Tables and explanations of the command line")
struct TextTableTests {
  private static let table = TextTable(
    columns: [.init("job"), .init("runs", isNumeric: true), .init("reason")],
    rows: [["a", "12", "It failed\nfor good \u{1B}[2J because of a very long reason"], ["send_mail", "3", ""]])

  @Test("Columns stand below each other, numbers at the right, and control characters move nothing")
  func plain() {
    let lines = Self.table.lines(width: nil)
    #expect(lines[0] == "JOB        RUNS  REASON")
    #expect(lines[1] == "a            12  It failed for good  [2J because of a very long reason")
    #expect(lines[2] == "send_mail     3")
  }

  @Test("The widest cells are cut to the terminal's width, down to a least one", arguments: [80, 60, 40, 30, 10])
  func width(columns: Int) {
    let lines = Self.table.lines(width: columns)
    #expect(lines.allSatisfy { $0.count <= max(columns, 8 + 2 + 4 + 2 + 8) })
    if columns < 60 { #expect(lines[1].contains("…")) }
  }

  @Test(
    "A narrow table has short ids and times, then fewer columns, and cuts text last",
    arguments: [
      (160, "RUN                   JOB    STATUS  ATTEMPT  CREATED                     REASON"),
      (80, "RUN           JOB    STATUS  ATTEMPT  CREATED         REASON"),
      (60, "RUN           JOB    STATUS  CREATED         REASON"), (41, "RUN           JOB    STATUS  REASON"),
      (40, "RUN           JOB    STATUS"),
      (34, "RUN           JOB    STATUS"),
    ])
  func narrow(columns: Int, titles: String) {
    let table = TextTable(
      columns: [
        .init("run", as: .runID), .init("job"), .init("status", as: .status), .init("attempt", as: .number, drop: 1),
        .init("created", as: .time, drop: 2), .init("reason", as: .text, drop: 3),
      ],
      rows: [
        [
          "0123456789abcdef0123", "greet", "failed", "3", "2026-11-27 20:00:05 +01:00",
          "The mail service has been busy for a long time",
        ]
      ])
    let lines = table.lines(width: columns).map { Colours.rendered($0, hasColours: false) }
    #expect(lines[0] == titles)
    #expect(lines.allSatisfy { $0.count <= columns })
    #expect(lines[1].contains(columns > 80 ? "0123456789abcdef0123" : "0123456789ab  "))
    if columns == 80 || columns == 60 { #expect(lines[1].contains("11-27 20:00:05 ")) }
  }

  @Test("Statuses have colours where there are any, and no text of a store has")
  func colours() {
    let table = TextTable(
      columns: [.init("job"), .init("status", as: .status)], rows: [["\u{1B}[31mred", "failed"], ["b", "pending"]])
    let lines = table.lines(width: nil)
    #expect(Colours.rendered(lines[1], hasColours: true) == " [31mred  \u{1B}[31mfailed\u{1B}[0m")
    #expect(Colours.rendered(lines[1], hasColours: false) == " [31mred  failed")
    #expect(Colours.rendered(lines[2], hasColours: true) == "b         pending")
  }

  @Test("Text is broken at spaces, and a long word stays whole")
  func wrapping() {
    let text = "one two three four five six seven"
    #expect(TextTable.wrapped(text, width: 20) == ["one two three four", "five six seven"])
    #expect(TextTable.wrapped(text, width: nil) == [text])
    #expect(TextTable.wrapped("a " + String(repeating: "x", count: 30), width: 20).count == 2)
  }

  @Test("Times have the offset of their zone")
  func times() throws {
    let time = try #require(Timestamp(rfc3339: "2026-11-27T20:00:05.5Z"))
    let names = [
      ("UTC", "2026-11-27 20:00:05 Z"), ("Europe/Berlin", "2026-11-27 21:00:05 +01:00"),
      ("America/St_Johns", "2026-11-27 16:30:05 -03:30"), ("Asia/Kathmandu", "2026-11-28 01:45:05 +05:45"),
    ]
    for (name, text) in names {
      #expect(TimeText(zone: try ZoneCatalog.system.zone(named: name)).text(time) == text)
    }
    #expect(TimeText(zone: try ZoneCatalog.system.zone(named: "UTC")).text(nil as Timestamp?) == "-")
  }

  @Test("A schedule's next times carry notes of clock changes, and the year's changes are listed")
  func explanation() throws {
    let zone = try ZoneCatalog.system.zone(named: "Europe/Berlin")
    let start = try #require(Timestamp(rfc3339: "2026-10-24T12:00:00Z"))
    let schedule = try Schedule(parsing: "30 2 * * *", in: zone)
    let found = ScheduleExplanation(of: schedule, after: start, count: 3)
    #expect(found.occurrences.count == 3)
    #expect(found.occurrences.contains { $0.note != nil })
    #expect(found.changes.count == 2, "\(found.changes)")
    #expect(found.changes[0].hasPrefix("2026-10-25: ") && found.changes[1].hasPrefix("2027-03-28: "))
    let once = ScheduleExplanation(of: .at(start), after: start, count: 3)
    #expect(once.occurrences.isEmpty && once.lines(in: TimeText(zone: zone)).contains("  It never runs again."))
  }
}
