import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import Synchronization

extension RuntimeConformance {
  static let gateCases: [Case] = [
    Case("No time before startAt is served, and the first one after it is") { fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate {
        PeriodicJob("poll", cron: "*/2 * * * *") { try handler($0, at: $0.scheduledFor ?? .epoch) }
          .active(from: .instant(fixture.start + .seconds(310)))
      }
      try await local.advance(by: .seconds(490))
      try ConformanceFailure.expect(handler.seconds(since: fixture.start), [360, 480], "the times that were served")
    },
    Case("The grid of an interval begins at startAt, which is its first time") { fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate {
        PeriodicJob("poll", every: .minutes(2)) { try handler($0, at: $0.scheduledFor ?? .epoch) }
          .active(from: .instant(fixture.start + .seconds(190)))
      }
      try await local.advance(by: .seconds(370))
      try ConformanceFailure.expect(handler.seconds(since: fixture.start), [190, 310], "the times that were served")
    },
    Case("A document moves the start of a job that has run already") { fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate {
        PeriodicJob("poll", cron: "*/2 * * * *") { try handler($0, at: $0.scheduledFor ?? .epoch) }
      }
      try await local.advance(by: .seconds(130))
      try await local.runtime.configure("poll") { $0.startAt = .instant(fixture.start + .seconds(370)) }
      try await local.advance(by: .seconds(360))
      try ConformanceFailure.expect(handler.seconds(since: fixture.start), [120, 480], "the times that were served")
    },
    Case("No time after endAt is served, which is a day of the job's zone; the job says that it has ended") { fixture in
      let handler = fixture.handler
      // In Cape Verde, an hour behind UTC, the day ends at 01:00Z.
      fixture.clock.advance(by: .minutes(54))
      let local = try await fixture.simulate {
        PeriodicJob("poll", cron: "*/2 * * * *", in: "Atlantic/Cape_Verde") {
          try handler($0, at: $0.scheduledFor ?? .epoch)
        }.active(through: .day(lastDay))
      }
      try await local.advance(by: .seconds(670))
      try ConformanceFailure.expect(
        handler.seconds(since: fixture.start), [3_360, 3_480], "the times that were served")
      let skipped = local.events.filter { $0.name == .skipped }
      try ConformanceFailure.expect(
        skipped.map(\.reason), ["The day 2026-01-01 is after endAt, 2025-12-31."], "the reasons of the skips")
      let state = try await local.runtime.report(on: "poll").state
      try ConformanceFailure.expect(state.status, .skippedEnded, "the status of the job")
      try ConformanceFailure.expect(state.nextRun, nil, "the next time of the job")
      try await local.runtime.configure("poll") { $0.endAt = .day(firstDay) }
      try await local.advance(by: .seconds(120))
      try ConformanceFailure.expect(handler.count, 3, "the attempts after a document has moved the end")
    },
    Case("Days that are excluded in the job's zone are skipped, each time with its reason") { fixture in
      let handler = fixture.handler
      fixture.clock.advance(by: .minutes(54))
      let local = try await fixture.simulate {
        PeriodicJob("poll", cron: "*/2 * * * *", in: "Atlantic/Cape_Verde") {
          try handler($0, at: $0.scheduledFor ?? .epoch)
        }.skipping(.day(lastDay))
      }
      try await local.advance(by: .seconds(310))
      try ConformanceFailure.expect(handler.count, 0, "the attempts on the excluded day")
      let state = try await local.runtime.report(on: "poll").state
      try ConformanceFailure.expect(state.status, .skippedDateExclusion, "the status of the job on that day")
      try await local.advance(by: .seconds(200))
      try ConformanceFailure.expect(
        handler.seconds(since: fixture.start), [3_600, 3_720], "the times that were served")
      let skipped = local.events.filter { $0.name == .skipped && $0.skipped == .skippedDateExclusion }
      let reason = "The day 2025-12-31 is one of skipDates."
      try ConformanceFailure.expect(skipped.map(\.reason), [reason, reason], "the reasons of the skips")
    },
    Case("A job that Cloud Scheduler fires obeys its gates too, and says so") { fixture in
      let handler = fixture.handler
      fixture.clock.advance(by: .minutes(54))
      let local = try await fixture.simulate {
        ScheduledJob("report", cron: "*/2 * * * *", in: "Atlantic/Cape_Verde") {
          try handler($0, at: $0.scheduledFor ?? .epoch)
        }.skipping(.day(lastDay))
      }
      try await local.advance(by: .seconds(310))
      let state = try await local.runtime.report(on: "report").state
      try ConformanceFailure.expect(state.status, .skippedDateExclusion, "the status of the job on that day")
      try await local.advance(by: .seconds(200))
      try ConformanceFailure.expect(
        handler.seconds(since: fixture.start), [3_600, 3_720], "the times that were served")
      let triggers = await local.runs(of: "report").map(\.trigger)
      try ConformanceFailure.expect(triggers, [.schedule, .schedule], "the triggers")
      let skipped = local.events.filter { $0.name == .skipped }
      let reason = "The day 2025-12-31 is one of skipDates."
      try ConformanceFailure.expect(skipped.map(\.reason), [reason, reason], "the reasons of the skips")
    },
    Case("A job that is disabled and enabled again makes up for nothing") { fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate {
        PeriodicJob("poll", every: .minutes(2)) { try handler($0, at: $0.scheduledFor ?? .epoch) }
          .misfire(.catchUp(100))
      }
      try await local.advance(by: .seconds(130))
      try await local.runtime.setEnabled(false, for: "poll")
      try await local.advance(by: .seconds(420))
      let report = try await local.runtime.report(on: "poll")
      try ConformanceFailure.expect(report.isEnabled, false, "whether it is enabled")
      try ConformanceFailure.expect(report.state.status, .skippedDisabled, "the status of the job")
      try ConformanceFailure.expect(report.state.nextRun, nil, "the next time of the job")
      let skipped = local.events.filter { $0.name == .skipped }.map(\.reason)
      try ConformanceFailure.expect(skipped, ["The job is disabled."], "the reasons of the skips")
      try await local.runtime.setEnabled(true, for: "poll")
      try await local.advance(by: .seconds(180))
      try ConformanceFailure.expect(
        handler.seconds(since: fixture.start), [120, 600, 720], "the times that were served")
    },
    Case("A job that is disabled in code runs once its document enables it") { fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate {
        PeriodicJob("poll", every: .minutes(1)) { try handler($0, at: $0.scheduledFor ?? .epoch) }.enabled(false)
      }
      try await local.advance(by: .seconds(130))
      try ConformanceFailure.expect(handler.count, 0, "the attempts before")
      try await local.runtime.setEnabled(true, for: "poll")
      try await local.advance(by: .seconds(120))
      try ConformanceFailure.expect(handler.seconds(since: fixture.start), [180, 240], "the times that were served")
    },
    Case("A job depends on the status of others as it was when the pass began") { fixture in
      let (load, report) = (fixture.handler, ControlledHandler())
      let local = try await fixture.simulate {
        PeriodicJob("load", every: .minutes(4)) { try load($0, at: .epoch) }.retry(.never)
        PeriodicJob("report", every: .minutes(2)) { try report($0, at: $0.scheduledFor ?? .epoch) }.depends(on: "load")
      }
      try await local.advance(by: .seconds(610))
      load.isFailing = true
      try await local.advance(by: .seconds(240))
      try ConformanceFailure.expect(
        report.seconds(since: fixture.start), [360, 480, 600, 720], "the times that were served")
      let skipped = local.events.filter { $0.job == "report" && $0.name == .skipped }.map(\.reason)
      let missing = "It depends on load, which has not run yet."
      try ConformanceFailure.expect(
        skipped, [missing, missing, "It depends on load, which stands at failure."], "the reasons of the skips")
    },
    Case("Jobs that are due together start by their priority, which a document changes") { fixture in
      let order = Mutex([JobID]())
      let local = try await fixture.simulate {
        $0.passConcurrency = 1
      } _: {
        for (job, priority) in [("a", -5), ("b", 0), ("c", 9)] as [(JobID, Int)] {
          PeriodicJob(job, every: .minutes(1)) { context in order.withLock { $0.append(context.jobID) } }
            .priority(priority)
        }
      }
      try await local.advance(by: .seconds(70))
      try ConformanceFailure.expect(order.withLock { $0 }, ["c", "b", "a"], "the order")
      try await local.runtime.configure("a") { $0.priority = 20 }
      try await local.advance(by: .seconds(60))
      try ConformanceFailure.expect(order.withLock { Array($0.dropFirst(3)) }, ["a", "c", "b"], "the order after that")
    },
    Case("Each skipped occurrence has its reason in the event, the job's state and the journal of passes") { fixture in
      let expected: [JobID: JobStatus] = [
        "off": .skippedDisabled, "paused": .skippedPaused, "holiday": .skippedDateExclusion,
        "needs": .skippedDependencyFailed, "ended": .skippedEnded,
      ]
      let local = try await fixture.simulate {
        for job in expected.keys.sorted() where job != "holiday" && job != "needs" {
          PeriodicJob(job, every: .minutes(1)) { _ in }
        }
        PeriodicJob("holiday", every: .minutes(1)) { _ in }.skipping(.day(firstDay))
        PeriodicJob("needs", every: .minutes(1)) { _ in }.depends(on: "never")
        EndpointJob("never") { _ in }
      }
      try await local.runtime.configure("off") { $0.enabled = false }
      try await local.runtime.configure("paused") { $0.paused = true }
      try await local.runtime.configure("ended") { $0.endAt = .day(lastDay) }
      try await local.advance(by: .seconds(70))
      let skipped = local.events.filter { $0.name == .skipped }
      let statuses = Dictionary(skipped.map { ($0.job, $0.skipped) }) { first, _ in first }
      try ConformanceFailure.expect(statuses, expected.mapValues { Optional($0) }, "the statuses of the events")
      try ConformanceFailure.expect(skipped.count, expected.count, "the skipped occurrences")
      let lines = try await local.runtime.passJournal().flatMap(\.lines)
      for event in skipped {
        let state = try await local.runtime.report(on: event.job).state
        try ConformanceFailure.expect(state.status, event.skipped, "the status of \(event.job)")
        let line = lines.first { $0.job == event.job.rawValue }
        try ConformanceFailure.expect(line?.verdict, event.skipped?.rawValue, "the verdict on \(event.job)")
        try ConformanceFailure.expect(line?.reason, event.reason, "the reason for \(event.job)")
        try ConformanceFailure.expect(event.reason?.isEmpty, false, "whether \(event.job) has no reason")
      }
    },
    Case("A run that is enqueued before its job's start is cancelled, with the reason") { fixture in
      let handler = fixture.handler
      let start = fixture.start + .minutes(5)
      let local = try await fixture.simulate {
        EndpointJob("send") { try handler($0, at: .epoch) }.active(from: .instant(start))
      }
      let early = try await local.enqueue("send", key: "early").id
      let late = try await local.enqueue("send", at: start + .seconds(10), key: "late").id
      try await local.drain()
      let run = try await local.run(early)
      try ConformanceFailure.expect(run.status, .cancelled, "the status of the early run")
      try ConformanceFailure.expect(
        run.reason?.hasSuffix("is before startAt, \(start).") ?? false, "the reason: \(run.reason ?? "none")")
      try ConformanceFailure.expect(handler.runs, [late], "the runs that were attempted")
    },
  ]

  /// The day before the first in which the cases run.
  private static let lastDay = CivilDate(year: 2025, month: 12, day: 31)
  /// The day in which the cases begin.
  private static let firstDay = CivilDate(year: 2026, month: 1, day: 1)
}
