import CloudJobs
import CloudJobsCore

extension RuntimeConformance {
  static let managementCases: [Case] = [
    Case("A cancelled run that waits never starts, and its task is removed") { fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate {
        EndpointJob("send") { context in try handler(context, at: .epoch) }
      }
      let id = try await local.runtime.enqueue("send", after: .minutes(5), key: "a").id
      let cancelled = try await local.runtime.cancel(run: id, because: "The order was withdrawn.")
      try ConformanceFailure.expect(cancelled.status, .cancelled, "the status")
      try ConformanceFailure.expect(cancelled.reason, "The order was withdrawn.", "the reason")
      try await local.runtime.cancel(run: id)
      try await local.advance(by: .minutes(10))
      try ConformanceFailure.expect(handler.count, 0, "the attempts")
      let deliveries = local.trace.filter { $0.contains("/tasks/") }
      try ConformanceFailure.expect(deliveries.count, 0, "the deliveries of the task")
      let events = local.events.filter { $0.runID == id }
      try ConformanceFailure.expect(events.map(\.name), [.skipped, .completed], "the events")
      try ConformanceFailure.expect(events.map(\.runStatus), [.cancelled, .cancelled], "the status in the events")
      try ConformanceFailure.expect(
        events.map(\.reason), [cancelled.reason, cancelled.reason], "the reason in the events")
    },
    Case("An attempt under way is asked to stop, and its run ends as cancelled") { fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate {
        EndpointJob("send") { context in
          try handler(context, at: .epoch)
          try await context.clock.sleep(until: context.clock.now() + .minutes(4))
        }
      }
      let id = try await local.runtime.enqueue("send", key: "a").id
      try await local.advance(by: .seconds(10))
      let asked = try await local.runtime.cancel(run: id, because: "Enough.")
      try ConformanceFailure.expect(asked.status, .running, "the status at once")
      try await local.advance(by: .seconds(10))
      let run = try await local.run(id)
      try ConformanceFailure.expect(run.status, .cancelled, "the status")
      try ConformanceFailure.expect(run.reason, "Enough.", "the reason")
      try ConformanceFailure.expect(handler.count, 1, "the attempts")
      try ConformanceFailure.expect(try await local.runtime.cancel(run: id).reason, "Enough.", "a second request")
    },
    Case("A request by another instance reaches an attempt under way at its next poll") { fixture in
      let local = try await fixture.simulate {
        EndpointJob("send") { context in
          try await context.clock.sleep(until: context.clock.now() + .minutes(4))
        }
      }
      let id = try await local.runtime.enqueue("send", key: "a").id
      try await local.advance(by: .seconds(10))
      let other = JobRuntime(
        try JobRegistry { EndpointJob("send") { _ in } }, store: fixture.store, authentication: .trustLoopback)
      try await other.cancel(run: id, because: "Enough.")
      try await local.advance(by: .seconds(30))
      try ConformanceFailure.expect(try await local.run(id).status, .cancelled, "the status")
    },
    Case("A success that crosses a request to cancel counts") { fixture in
      let local = try await fixture.simulate {
        EndpointJob("send") { context in
          while !context.isCancelled { try? await context.clock.sleep(until: context.clock.now() + .seconds(1)) }
        }
      }
      let id = try await local.runtime.enqueue("send", key: "a").id
      try await local.advance(by: .seconds(10))
      try await local.runtime.cancel(run: id)
      try await local.advance(by: .seconds(10))
      try ConformanceFailure.expect(try await local.run(id).status, .succeeded, "the status")
    },
    Case("A waiting run is moved to an earlier and to a later time") { fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate {
        EndpointJob("send") { context in try handler(context, at: context.clock.now()) }
      }
      let start = local.now
      let first = try await local.runtime.enqueue("send", after: .minutes(60), key: "a").id
      let second = try await local.runtime.enqueue("send", after: .minutes(5), key: "b").id
      try await local.runtime.reschedule(run: first, to: start + .minutes(2))
      try await local.runtime.reschedule(run: second, to: start + .minutes(90))
      try await local.advance(by: .hours(2))
      try ConformanceFailure.expect(handler.runs, [first, second], "the runs")
      try ConformanceFailure.expect(handler.seconds(since: start), [120, 5_400], "the times")
    },
    Case("A job is disabled, enabled, given another schedule, and triggered") { fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate {
        PeriodicJob("poll", every: .minutes(1)) { context in try handler(context, at: context.clock.now()) }
      }
      try await local.runtime.setEnabled(false, for: "poll")
      try await local.advance(by: .minutes(5))
      try ConformanceFailure.expect(handler.count, 0, "the attempts while it is disabled")
      try await local.runtime.setEnabled(true, for: "poll")
      try await local.advance(by: .minutes(3))
      try ConformanceFailure.expect(handler.count, 3, "the attempts after that")
      try await local.runtime.setSchedule("10m", for: "poll")
      try await local.advance(by: .minutes(30))
      try ConformanceFailure.expect(handler.count, 6, "the attempts under the new schedule")
      try await local.runtime.trigger("poll")
      try await local.advance(by: .seconds(5))
      try ConformanceFailure.expect(handler.count, 7, "the attempts after a trigger")
      var request = EnqueueRequest("poll", key: "asked")
      request.metadata = ["by": "ops"]
      let asked = try await local.runtime.trigger(request).id
      try await local.advance(by: .seconds(5))
      try ConformanceFailure.expect(handler.count, 8, "the attempts after a trigger with metadata")
      let run = try await local.run(asked)
      try ConformanceFailure.expect(run.metadata, ["by": "ops"], "the metadata of the trigger")
      try ConformanceFailure.expect(run.trigger, .manual, "the trigger of the run")
    },
    Case("A pause skips schedules and holds runs back, and its end lets both go on") { fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate {
        PeriodicJob("poll", every: .minutes(1)) { context in try handler(context, at: .epoch) }
        EndpointJob("send") { context in try handler(context, at: .epoch) }
      }
      try await local.runtime.pauseAll()
      let id = try await local.runtime.enqueue("send", key: "a").id
      try await local.advance(by: .minutes(5))
      try ConformanceFailure.expect(handler.count, 0, "the attempts during the pause")
      try ConformanceFailure.expect(try await local.run(id).status, .scheduled, "the run during the pause")
      try await local.runtime.resumeAll()
      try await local.advance(by: .minutes(3))
      try ConformanceFailure.expect(handler.runs.filter { $0 == id }.count, 1, "the attempts of the run")
      try ConformanceFailure.expect(handler.count, 4, "the attempts after the pause")
    },
    Case("A job that is removed from an instance is not executed any more") { fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate {
        PeriodicJob("poll", every: .minutes(1)) { context in try handler(context, at: .epoch) }
      }
      try await local.advance(by: .minutes(2))
      try await local.runtime.unregister("poll")
      try await local.advance(by: .minutes(10))
      try ConformanceFailure.expect(handler.count, 2, "the attempts")
    },
    Case("Runs are listed by job, status and correlation id, and purged before their retention is over") { fixture in
      let local = try await fixture.simulate {
        EndpointJob("send", input: Bool.self) { fails, _ in
          if fails { throw JobFailure.permanent("It failed.") }
        }
      }
      for number in 0..<5 {
        var request = EnqueueRequest("send", number == 0, key: "\(number)")
        request.correlationID = number < 2 ? "order-1" : "order-2"
        try await local.runtime.enqueue([request])
        try await local.advance(by: .seconds(1))
      }
      let runtime = local.runtime
      let failed = try await runtime.runs(matching: RunFilter(job: "send", statuses: [.failed])).runs
      try ConformanceFailure.expect(failed.count, 1, "the failed runs")
      let correlated = try await runtime.runs(matching: RunFilter(correlationID: "order-2")).runs
      try ConformanceFailure.expect(correlated.count, 3, "the runs of one correlation id")
      let page = try await runtime.runs(limit: 2)
      let rest = try await runtime.runs(after: page.next, limit: 500)
      try ConformanceFailure.expect([page.runs.count, rest.runs.count], [2, 3], "the runs of two pages")
      try ConformanceFailure.expect(
        try await runtime.purge(runs: RunFilter(job: "send", statuses: [.succeeded])), 4, "the purged runs")
      try ConformanceFailure.expect(try await runtime.runs().runs.map(\.status), [.failed], "the runs that are left")
    },
    Case("A purge deletes the runs that have ended, and none that is under way or waits") { fixture in
      let local = try await fixture.simulate {
        EndpointJob("send") { _ in }
        EndpointJob("hold") { context in try await context.clock.sleep(until: context.clock.now() + .minutes(1)) }
      }
      let runtime = local.runtime
      let ended = try await runtime.enqueue("send", key: "a").id
      let running = try await runtime.enqueue("hold", key: "a").id
      let waiting = try await runtime.enqueue("hold", after: .minutes(5), key: "b").id
      try await local.advance(by: .seconds(5))
      let underWay = RunFilter(statuses: [.pending, .scheduled, .running])
      try ConformanceFailure.expect(try await runtime.purge(runs: underWay), 0, "the purged runs of such a status")
      try ConformanceFailure.expect(try await runtime.purge(runs: RunFilter()), 1, "the purged runs of any status")
      try ConformanceFailure.expect(try await runtime.run(withID: ended)?.status, nil, "the run that had ended")
      try ConformanceFailure.expect(try await local.run(running).status, .running, "the run under way")
      try await local.advance(by: .minutes(7))
      for id in [running, waiting] {
        try ConformanceFailure.expect(try await local.run(id).status, .succeeded, "the runs that were left")
      }
    },
    Case("Statistics and health come from the store") { fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate {
        PeriodicJob("poll", every: .minutes(1)) { context in
          try handler(context, at: .epoch)
          try await context.clock.sleep(until: context.clock.now() + .seconds(2))
        }.retry(.never)
      }
      try await local.advance(by: .minutes(3) + .seconds(10))
      try ConformanceFailure.expect(try await local.runtime.report(on: "poll").health, .healthy, "the health at first")
      handler.isFailing = true
      try await local.advance(by: .minutes(1))
      try ConformanceFailure.expect(try await local.runtime.report(on: "poll").health, .degraded, "after a failure")
      try await local.advance(by: .minutes(2))
      let report = try await local.runtime.report(on: "poll")
      try ConformanceFailure.expect(report.health, .failing, "after three failures")
      try ConformanceFailure.expect(report.reasons, ["The latest 3 runs failed."], "the reasons")
      let statistics = try await local.runtime.statistics(of: "poll")
      try ConformanceFailure.expect([statistics.runs, statistics.succeeded, statistics.failed], [6, 3, 3], "the runs")
      try ConformanceFailure.expect(statistics.successRate, 0.5, "the part that succeeded")
      try ConformanceFailure.expect(statistics.failureRate, 0.5, "the part that failed")
      try ConformanceFailure.expect(statistics.meanDuration?.components.seconds, 1, "the mean duration")
      try ConformanceFailure.expect(report.state.consecutiveFailures, 3, "the failures in a row")
      try ConformanceFailure.expect(report.isEnabled, true, "whether the job is enabled")
      try ConformanceFailure.expect(report.state.lastRun != nil, true, "whether the last run is known")
      try ConformanceFailure.expect(statistics.percentile99Duration?.components.seconds, 2, "the 99th percentile")
      try ConformanceFailure.expect(statistics.nextRun != nil, true, "whether the next run is known")
      for (limit, runs, isCut) in [(7, 6, false), (6, 6, false), (5, 5, true), (2, 2, true)] {
        let latest = try await local.runtime.statistics(of: "poll", limit: limit)
        try ConformanceFailure.expect([latest.runs, latest.failed], [runs, min(3, runs)], "the latest \(limit)")
        try ConformanceFailure.expect(latest.isCut, isCut, "whether older runs than the latest \(limit) are left out")
      }
      let recent = try await local.runtime.statistics(of: "poll", since: local.now - .seconds(100))
      try ConformanceFailure.expect([recent.runs, recent.failed], [2, 2], "the runs of the last 100 seconds")
      try ConformanceFailure.expect(recent.isCut, false, "whether earlier runs count as left out")
    },
    Case("A stored run is executed here and now, also one that starts later") { fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate {
        EndpointJob("send") { context in try handler(context, at: context.clock.now()) }
      }
      let start = local.now
      let id = try await local.runtime.enqueue("send", after: .hours(1), key: "a").id
      try await local.advance(by: .seconds(10))
      let result = try await local.runtime.execute(run: id)
      try ConformanceFailure.expect(result.status, .succeeded, "the result")
      try ConformanceFailure.expect(try await local.run(id).status, .succeeded, "the status")
      try ConformanceFailure.expect(try await local.runtime.execute(run: id).status, .duplicate, "a second call")
      try await local.advance(by: .hours(2))
      try ConformanceFailure.expect(handler.seconds(since: start), [10], "the attempts")
      do throws(JobError) {
        try await local.runtime.execute(run: RunID(job: "send", occurrence: .key("none")))
      } catch {
        return try ConformanceFailure.expect(error.code, .notFound, "the error for a run that does not exist")
      }
      throw ConformanceFailure("the execution of no run", expected: "an error", found: "none")
    },
    Case("The jobs and runs of a store are counted") { fixture in
      let local = try await fixture.simulate {
        PeriodicJob("poll", every: .hours(1)) { _ in }.enabled(false)
        EndpointJob("hold") { context in try await context.clock.sleep(for: .minutes(1)) }
        EndpointJob("send") { _ in throw JobFailure.permanent("It failed.") }
      }
      try await local.runtime.enqueue("send", key: "a")
      for (key, delay) in [("a", Duration.zero), ("b", .zero), ("c", .hours(1))] {
        try await local.runtime.enqueue("hold", after: delay, key: key)
      }
      try await local.advance(by: .seconds(5))
      let statistics = try await local.runtime.statistics()
      try ConformanceFailure.expect([statistics.jobs, statistics.enabledJobs], [3, 2], "the jobs")
      try ConformanceFailure.expect(
        [statistics.runningRuns, statistics.waitingRuns, statistics.failedRuns], [2, 1, 1], "the runs")
      try ConformanceFailure.expect(statistics.activeDeliveries, 2, "the deliveries of the instance")
      try ConformanceFailure.expect([statistics.isCut, statistics.isDraining], [false, false], "whether it is cut")
    },
  ]
}
