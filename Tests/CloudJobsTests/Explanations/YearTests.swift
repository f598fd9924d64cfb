import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import TestSupport
import Testing

/// A year of six jobs under an operator's edits, outages and failures: each time of each schedule is explained.
@Suite("A year of explanations")
struct YearTests {
  private static let zone = "Europe/Berlin"
  private static let days = 365
  private static let start = RuntimeFixture.time("2026-01-01T00:00:00Z")

  /// What happens on a day, from 01:00 to 22:40.
  private enum Event: CaseIterable, Sendable {
    case nothing, disabled, paused, outage, brokenDocument, skippedDay, edited, failing, crash
  }

  private static let jobs: [(id: JobID, schedule: ScheduleSource)] = [
    ("collapse", .every(.hours(2))), ("drop", .text("15 */3 * * *")), ("make_up", .text("30 2,10,14 * * *")),
    ("fragile", .every(.hours(1))), ("dependent", .text("0 6,18 * * *")), ("delivered", .text("45 */4 * * *")),
  ]

  private let fixture = RuntimeFixture(Self.start)
  private let isFailing = EffectSwitch()

  private func runtime(_ owner: String) async throws -> JobRuntime {
    var options = fixture.options(owner)
    options.journalRetention = .days(10)
    let isFailing = isFailing
    return try await fixture.runtime(owner, options: options) {
      PeriodicJob("collapse", every: .hours(2)) { _ in }
      PeriodicJob("drop", cron: "15 */3 * * *", in: Self.zone) { _ in }.misfire(.skip)
      PeriodicJob("make_up", cron: "30 2,10,14 * * *", in: Self.zone) { _ in }.misfire(.catchUp(1))
      PeriodicJob("fragile", every: .hours(1)) { _ in
        if isFailing.isOn { throw JobFailure.permanent("It fails today.") }
      }.breaker(CircuitBreaker(threshold: 2, cooldown: .minutes(150)))
      PeriodicJob("dependent", cron: "0 6,18 * * *", in: Self.zone) { _ in }.depends(on: "fragile")
      ScheduledJob("delivered", cron: "45 */4 * * *", in: Self.zone) { _ in }
    }
  }

  @Test("No time of a simulated year without a run is without a reason, and each reason is the right one")
  func year() async throws {
    var runtime = try await runtime("first")
    var generator = SeededGenerator(seed: 11)
    let zones = ZoneCatalog.system
    let berlin = try zones.zone(named: Self.zone)
    var counts: [ExplanationCause: Int] = [:]
    for day in 0..<Self.days {
      let event = Event.allCases.randomElement(using: &generator) ?? .nothing
      let midnight = Self.start + .days(day)
      for quarter in 0..<96 {
        fixture.advance(to: midnight + .minutes(15 * quarter))
        let minutes = 15 * quarter
        if minutes == 60 { try await begin(event, runtime, on: berlin.date(at: midnight + .hours(12))) }
        if minutes == 60, event == .crash { runtime = try await self.runtime("day \(day)") }
        if minutes == 22 * 60 + 45 { try await end(event, runtime) }
        let isOut = event == .outage && (60..<22 * 60 + 45).contains(minutes)
        if !isOut { await tick(runtime) }
      }
      fixture.advance(to: midnight + .hours(24) - .seconds(1))
      for (job, source) in Self.jobs {
        let schedule = try schedule(source, of: job, in: berlin)
        for time in times(of: schedule, from: midnight, edited: event == .edited && job == "collapse")
        where time > Self.start {
          let found = try await runtime.why(job, at: time)
          counts[found.cause, default: 0] += 1
          let hasRun =
            try await fixture.memory.read(
              jobs: [], runs: [RunID(job: job, occurrence: .scheduledFor(time))]
            ).runs.isEmpty == false
          #expect((found.run != nil) == hasRun, "\(job) at \(time)")
          #expect(
            allowed(event, job, at: time - midnight).contains(found.cause),
            "\(event): \(job) at \(time): \(found.cause): \(found.summary)")
        }
      }
      if day % 5 == 0 {
        _ = try await fixture.memory.purgeExpired(limit: 500)
        _ = try await fixture.memory.purgeJournal(before: fixture.clock.now() - .days(10), limit: 500)
      }
    }
    #expect(counts[.unrecorded] == nil)
    for cause in [
      .succeeded, .skippedDisabled, .skippedPaused, .skippedDateExclusion, .skippedBreakerOpen, .skippedMisfire,
      .skippedDependencyFailed, .collapsed, .dropped, .setAside, .noDelivery, .failedPermanently,
    ] as [ExplanationCause] {
      #expect(counts[cause, default: 0] > 5, "\(cause): \(counts)")
    }
  }

  // MARK: The year's events

  private func tick(_ runtime: JobRuntime) async {
    _ = await runtime.runMasterPass()
    let now = fixture.clock.now()
    guard
      let schedule = try? schedule(
        Self.jobs[5].schedule, of: "delivered", in: ZoneCatalog.system.zone(named: Self.zone)),
      schedule.previous(before: now + .microseconds(1)) == now
    else { return }
    let headers = ["X-CloudScheduler-ScheduleTime": "\(now)"]
    _ = await runtime.handleRequest(body: [], headers: headers, path: "scheduled/delivered", peer: .inProcess)
  }

  private func begin(_ event: Event, _ runtime: JobRuntime, on day: CivilDate) async throws {
    switch event {
    case .nothing, .outage, .crash: return
    case .failing: isFailing.isOn = true
    case .edited: try await runtime.configure("collapse") { $0.cron = "20 1-23/2 * * *" }
    case .brokenDocument: try await edit { $0.cron = "61 * * * *" }
    case .disabled, .paused, .skippedDay:
      for (job, _) in Self.jobs {
        try await runtime.configure(job) { configuration in
          if event == .disabled { configuration.enabled = false }
          if event == .paused { configuration.paused = true }
          if event == .skippedDay { configuration.skipDates = [.day(day)] }
        }
      }
    }
  }

  private func end(_ event: Event, _ runtime: JobRuntime) async throws {
    isFailing.isOn = false
    switch event {
    case .brokenDocument: try await edit { $0 = JobConfiguration() }
    case .edited: try await runtime.configure("collapse") { $0 = JobConfiguration() }
    case .disabled, .paused, .skippedDay:
      for (job, _) in Self.jobs { try await runtime.configure(job) { $0 = JobConfiguration() } }
    default: return
    }
  }

  /// Edits the documents in the store, past all checks.
  private func edit(_ change: (inout JobConfiguration) -> Void) async throws {
    for (job, _) in Self.jobs where job != "delivered" {
      var configuration = JobConfiguration()
      change(&configuration)
      _ = try await fixture.memory.commit([.putConfiguration(job, configuration, .none)])
    }
  }

  // MARK: What is to be found

  private func schedule(_ source: ScheduleSource, of job: JobID, in zone: Zone) throws -> Schedule {
    switch source {
    case .every(let interval): try Schedule.every(interval)
    case .text(let text): try Schedule(parsing: text, in: zone)
    }
  }

  /// The times of a day by the schedule that is in effect at each of them.
  private func times(of schedule: Schedule, from midnight: Timestamp, edited: Bool) -> [Timestamp] {
    var times: [Timestamp] = []
    let other = edited ? try? Schedule(parsing: "20 1-23/2 * * *", in: ZoneCatalog.system.zone(named: "Etc/UTC")) : nil
    let (from, until) = (midnight + .minutes(60), midnight + .minutes(22 * 60 + 45))
    var time = midnight - .microseconds(1)
    while let next = schedule.next(after: time), next < midnight + .hours(24) {
      if other == nil || next < from || next >= until { times.append(next) }
      time = next
    }
    time = from
    while let next = other?.next(after: time), next < until {
      times.append(next)
      time = next
    }
    return times.sorted()
  }

  /// The causes that may be found for a time of a day, by the offset from its midnight.
  private func allowed(_ event: Event, _ job: JobID, at offset: Duration) -> Set<ExplanationCause> {
    let isWithin = offset > .minutes(60) && offset < .minutes(22 * 60 + 45)
    let isEdge = offset == .minutes(60)
    let normal: Set<ExplanationCause> =
      switch job {
      // The evening of a day on which it failed is still under the breaker.
      case "fragile": [.succeeded, .skippedBreakerOpen]
      case "dependent": [.succeeded, .skippedDependencyFailed]
      default: [.succeeded]
      }
    func on(_ cause: Set<ExplanationCause>) -> Set<ExplanationCause> {
      isWithin ? cause : isEdge ? cause.union(normal) : normal
    }
    switch event {
    case .nothing, .crash, .edited: return normal
    case .disabled: return on([.skippedDisabled])
    case .paused: return on([.skippedPaused])
    // In Berlin the day begins and ends up to two hours earlier.
    case .skippedDay: return on([.skippedDateExclusion]).union(offset > .minutes(22 * 60 - 1) ? normal : [])
    case .brokenDocument: return job == "delivered" ? normal : on([.setAside])
    case .failing: return job == "fragile" ? on([.failedPermanently, .skippedBreakerOpen]) : normal
    case .outage:
      switch job {
      case "drop": return on([.skippedMisfire])
      case "make_up": return on([.dropped, .succeeded])
      case "delivered": return on([.noDelivery])
      default: return on(normal.union([.collapsed]))
      }
    }
  }
}
