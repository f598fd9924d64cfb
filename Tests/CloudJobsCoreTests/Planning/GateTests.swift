import CloudJobsCore
import Testing

/// An scheduledFor of a job with dates, and the gate that it finds closed.
struct GateCase: CustomTestStringConvertible, Sendable {
  var zone: String
  var scheduledFor: String
  var start: CalendarMoment?
  var end: CalendarMoment?
  var skip: [CalendarMoment] = []
  var expected: JobStatus?

  var testDescription: String { "\(scheduledFor) in \(zone): \(expected?.rawValue ?? "open")" }

  private static let newYear = CalendarMoment.day(PlanSample.day("2027-01-01"))

  static let all: [GateCase] = [
    // Auckland is 13 hours ahead in January.
    GateCase(
      zone: "Pacific/Auckland", scheduledFor: "2026-12-31T10:59:59.999999Z", start: newYear,
      expected: .skippedNotStarted),
    GateCase(zone: "Pacific/Auckland", scheduledFor: "2026-12-31T11:00:00Z", start: newYear, expected: nil),
    GateCase(zone: "Pacific/Auckland", scheduledFor: "2027-01-01T10:59:59.999999Z", end: newYear, expected: nil),
    GateCase(zone: "Pacific/Auckland", scheduledFor: "2027-01-01T11:00:00Z", end: newYear, expected: .skippedEnded),
    GateCase(zone: "Pacific/Auckland", scheduledFor: "2026-12-31T10:59:59Z", skip: [newYear], expected: nil),
    GateCase(
      zone: "Pacific/Auckland", scheduledFor: "2026-12-31T11:00:00Z", skip: [newYear], expected: .skippedDateExclusion),
    // New York is 5 hours behind.
    GateCase(
      zone: "America/New_York", scheduledFor: "2027-01-01T04:59:59.999999Z", start: newYear,
      expected: .skippedNotStarted),
    GateCase(zone: "America/New_York", scheduledFor: "2027-01-01T05:00:00Z", start: newYear, expected: nil),
    GateCase(zone: "America/New_York", scheduledFor: "2027-01-02T04:59:59.999999Z", end: newYear, expected: nil),
    GateCase(zone: "America/New_York", scheduledFor: "2027-01-02T05:00:00Z", end: newYear, expected: .skippedEnded),
    GateCase(
      zone: "America/New_York", scheduledFor: "2027-01-01T05:00:00Z", skip: [newYear], expected: .skippedDateExclusion),
    GateCase(zone: "America/New_York", scheduledFor: "2027-01-02T05:00:00Z", skip: [newYear], expected: nil),
    // An instant as endAt still includes its whole day in the job's zone; as startAt it counts to the microsecond.
    GateCase(
      zone: "America/New_York", scheduledFor: "2027-01-01T04:59:59Z",
      end: .instant(PlanSample.time("2026-12-31T05:00:00Z")), expected: nil),
    GateCase(
      zone: "America/New_York", scheduledFor: "2027-01-01T05:00:00Z",
      end: .instant(PlanSample.time("2026-12-31T05:00:00Z")), expected: .skippedEnded),
    GateCase(
      zone: "UTC", scheduledFor: "2026-12-31T23:59:59.999999Z",
      start: .instant(PlanSample.time("2027-01-01T00:00:00Z")), expected: .skippedNotStarted),
    GateCase(
      zone: "UTC", scheduledFor: "2027-01-01T00:00:00Z", start: .instant(PlanSample.time("2027-01-01T00:00:00Z")),
      expected: nil),
    // A day of 23 hours: clocks in New York skip 02:00 on 2027-03-14.
    GateCase(
      zone: "America/New_York", scheduledFor: "2027-03-15T03:59:59Z",
      skip: [.day(PlanSample.day("2027-03-14"))], expected: .skippedDateExclusion),
    GateCase(
      zone: "America/New_York", scheduledFor: "2027-03-15T04:00:00Z",
      skip: [.day(PlanSample.day("2027-03-14"))], expected: nil),
  ]
}

@Suite("Gates")
struct GateTests {
  @Test("Dates are days of the job's zone", arguments: GateCase.all)
  func dates(_ row: GateCase) {
    let job = PlanSample.job(in: row.zone) { ($0.startAt, $0.endAt, $0.skipDates) = (row.start, row.end, row.skip) }
    let skip = Gate.firstClosed(
      for: GateInput(job: job, scheduledFor: PlanSample.time(row.scheduledFor), trigger: .task, now: PlanSample.now))
    #expect(skip?.status == row.expected)
  }

  @Test("The first closed gate decides, and says why")
  func order() {
    let job = PlanSample.job(.scheduled, cron: "@hourly") { policy in
      policy.endAt = .day(PlanSample.day("2026-11-20"))
      policy.skipDates = [.instant(PlanSample.now)]
      policy.dependencies = ["other"]
    }
    func closed(_ job: ResolvedJob) -> Skip? {
      Gate.firstClosed(
        for: GateInput(
          job: job, scheduledFor: PlanSample.now, trigger: .schedule, previous: PlanSample.run(.running),
          now: PlanSample.now))
    }
    var next = job
    next.policy.enabled = false
    #expect(closed(next) == Skip(.skippedDisabled, "The job is disabled."))
    next = job
    #expect(closed(next) == Skip(.skippedEnded, "The day 2026-11-21 is after endAt, 2026-11-20."))
    next.policy.endAt = nil
    #expect(closed(next) == Skip(.skippedDateExclusion, "The day 2026-11-21 is one of skipDates."))
    next.policy.skipDates = []
    #expect(closed(next) == Skip(.skippedDependencyFailed, "It depends on other, which has not run yet."))
    next.policy.dependencies = []
    #expect(closed(next)?.status == .skippedOverlap)
    next.policy.overlap = .allow
    #expect(closed(next) == nil)
  }

  @Test(
    "An earlier run that is long overdue no longer blocks",
    arguments: [
      (Duration.zero - .minutes(5) - .microseconds(1), false), (.zero - .minutes(5), false),
      (.microseconds(1) - .minutes(5), true), (.minutes(1), true),
    ])
  func abandoned(leaseEnds: Duration, isBlocked: Bool) {
    let job = PlanSample.job(.scheduled, cron: "@hourly")
    let skip = Gate.firstClosed(
      for: GateInput(
        job: job, scheduledFor: PlanSample.now, trigger: .schedule,
        previous: PlanSample.run(.running, leaseEnds: leaseEnds), now: PlanSample.now))
    #expect((skip != nil) == isBlocked)
  }

  @Test("Every gate reports its value and its verdict, in the order in which they decide")
  func reports() {
    let job = PlanSample.job(.scheduled, cron: "@hourly") { policy in
      policy.enabled = false
      policy.startAt = .day(PlanSample.day("2026-11-22"))
      policy.dependencies = ["other"]
    }
    let reports = Gate.reports(
      for: GateInput(
        job: job, scheduledFor: PlanSample.now, trigger: .schedule, dependencies: ["other": .success],
        previous: PlanSample.run(.running), now: PlanSample.now))
    #expect(reports.map(\.name) == Gate.Name.allCases)
    #expect(
      reports.map(\.value) == [
        "false", "2026-11-22", "none", "none", "other success", "none", "skip, the latest run is running",
      ])
    #expect(
      reports.map(\.skip?.status) == [.skippedDisabled, .skippedNotStarted, nil, nil, nil, nil, .skippedOverlap])
  }

  @Test("A manual trigger passes every gate but enabled", arguments: Gate.inOrder.map(\.name))
  func manual(name: Gate.Name) throws {
    let job = PlanSample.job(.scheduled, cron: "@hourly") { policy in
      policy.enabled = false
      policy.startAt = .instant(PlanSample.now + .days(1))
      policy.endAt = .instant(PlanSample.now - .days(1))
      policy.skipDates = [.instant(PlanSample.now)]
      policy.dependencies = ["other"]
      policy.breaker = CircuitBreaker()
    }
    var input = GateInput(
      job: job, scheduledFor: PlanSample.now, trigger: .schedule, previous: PlanSample.run(.running),
      breakerOpenUntil: PlanSample.now + .seconds(1), now: PlanSample.now)
    let closed = try #require(Gate.reports(for: input).first { $0.name == name })
    #expect(closed.skip != nil)
    input.trigger = .manual
    let open = try #require(Gate.reports(for: input).first { $0.name == name })
    #expect((open.skip != nil) == (name == .enabled))
  }
}
