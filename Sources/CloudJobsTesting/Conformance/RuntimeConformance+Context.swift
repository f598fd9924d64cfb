import CloudJobs
import CloudJobsCore
import Logging
import Synchronization

extension RuntimeConformance {
  private static let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

  static let contextCases: [Case] = [
    Case("Progress is stored at most once a second, and completely at the end") { fixture in
      let local = try await fixture.simulate {
        EndpointJob("import") { context in
          for number in 1...100 {
            await context.progress(percent: Double(number), "Step \(number)")
            await context.count(processed: 1, succeeded: number % 10 == 0 ? 0 : 1, failed: number % 10 == 0 ? 1 : 0)
            try await context.clock.sleep(until: context.clock.now() + .milliseconds(50))
          }
        }
      }
      let id = try await local.runtime.enqueue("import", key: "a").id
      let before = local.commits
      try await local.advance(by: .seconds(3))
      let midway = try await local.run(id).progress
      try ConformanceFailure.expect((midway?.processed ?? 0) > 0, true, "whether progress is stored on the way")
      try await local.advance(by: .seconds(30))
      let progress = try await local.run(id).progress
      try ConformanceFailure.expect(progress?.percent, 100, "the completed part")
      try ConformanceFailure.expect(progress?.message, "Step 100", "the step")
      try ConformanceFailure.expect(
        [progress?.processed, progress?.succeeded, progress?.failed], [100, 90, 10], "the counts")
      // Five seconds: at most five writes of progress, the claim, the end, and the pass of the minute.
      try ConformanceFailure.expect(local.commits - before <= 9, true, "the \(local.commits - before) commits")
    },
    Case("Lines of the handler's logger are kept with the run, by level and over attempts") { fixture in
      let local = try await fixture.simulate {
        EndpointJob("import") { context in
          context.logger.debug("Not kept.")
          context.logger.info("Started.", metadata: ["file": "a.csv"])
          if context.attempt == 1 { throw JobFailure.failed("It failed.") }
          context.logger.warning("Slow.")
        }.retry(RetryPolicy(maxAttempts: 2, backoff: .fixed(.seconds(1))))
      }
      let id = try await local.runtime.enqueue("import", key: "a").id
      try await local.advance(by: .minutes(1))
      let lines = try await local.runtime.log(ofRun: id)
      try ConformanceFailure.expect(lines.map(\.message), ["Started.", "Started.", "Slow."], "the lines")
      try ConformanceFailure.expect(lines.map(\.level), ["info", "info", "warning"], "the levels")
      try ConformanceFailure.expect(lines.first?.metadata, ["file": "a.csv"], "the metadata")
      let events = local.events.filter { $0.name == .log && $0.runID == id }
      try ConformanceFailure.expect(events.compactMap(\.line), lines, "the lines as events")
    },
    Case("A handler's own events reach the subscribers of their job and run") { fixture in
      let local = try await fixture.simulate {
        EndpointJob("import", input: Int.self) { number, context in try context.emit("imported", ["rows": number]) }
      }
      let (byJob, byRun) = (CallRecord(), CallRecord())
      let id = RunID(job: "import", occurrence: .key("b"))
      let subscription = local.runtime.events.subscribe(EventFilter(job: "import", customName: "imported")) { event in
        byJob.add(event.data?.description ?? "none")
      }
      local.runtime.events.subscribe(EventFilter(run: id, names: [.event])) { event in
        byRun.add(event.data?.description ?? "none")
      }
      for (number, key) in [(7, "a"), (8, "b"), (9, "c")] {
        if number == 9 { subscription.cancel() }
        try await local.runtime.enqueue("import", number, key: key)
        try await local.advance(by: .seconds(5))
      }
      try ConformanceFailure.expect(byJob.all, [#"{"rows":7}"#, #"{"rows":8}"#], "the events of the job until the end")
      try ConformanceFailure.expect(byRun.all, [#"{"rows":8}"#], "the events of the run")
      let names = local.events.filter { $0.name != .log }.prefix(4).map(\.name)
      try ConformanceFailure.expect(Array(names), [.started, .event, .succeeded, .completed], "the order of events")
    },
    Case("A handler at its time limit is asked to stop, and its attempt has failed whatever it returns then") {
      fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate {
        EndpointJob("send") { context in
          for _ in 0..<20 where !context.isCancelled {
            try? await context.clock.sleep(until: context.clock.now() + .seconds(3))
          }
          if context.isCancelled { try handler(context, at: context.clock.now()) }
        }.retry(.never).timeout(.seconds(10))
      }
      let start = local.now
      let id = try await local.runtime.enqueue("send", key: "a").id
      try await local.advance(by: .minutes(1))
      try ConformanceFailure.expect(handler.seconds(since: start), [10], "the time at which it is asked to stop")
      try ConformanceFailure.expect(try await local.run(id).failure?.kind, "timeout", "the failure")
    },
    Case("A run's log is kept for its retention, and the run longer") { fixture in
      let local = try await fixture.simulate {
        $0.logRetention = .hours(2)
      } _: {
        EndpointJob("send") { context in context.logger.info("Sent.") }.retention(.hours(9))
      }
      let id = try await local.runtime.enqueue("send", key: "a").id
      try await local.advance(by: .minutes(90))
      try ConformanceFailure.expect(try await local.runtime.log(ofRun: id).map(\.message), ["Sent."], "the kept log")
      try await local.advance(by: .hours(3))
      try ConformanceFailure.expect(try await local.runtime.log(ofRun: id).count, 0, "the lines of the expired log")
      try ConformanceFailure.expect(try await local.run(id).status, .succeeded, "the run")
    },
    Case("Correlation id and trace are carried across enqueues") { fixture in
      let seen = Mutex([String: String]())
      let local = try await fixture.simulate {
        EndpointJob("parent") { context in try await context.enqueue("child", key: "c") }
        EndpointJob("child") { context in
          seen.withLock { seen in
            seen["correlation"] = context.correlationID
            seen["trace"] = context.trace?.description
            seen["trigger"] = context.trigger.rawValue
          }
        }
      }
      var request = EnqueueRequest("parent", key: "p")
      request.correlationID = "order-1"
      request.trace = TraceContext(traceparent: traceparent)
      let parent = try await local.runtime.enqueue([request])[0].id
      try await local.advance(by: .seconds(5))
      try ConformanceFailure.expect(
        seen.withLock { $0 }, ["correlation": "order-1", "trace": traceparent, "trigger": "parent"],
        "what the child sees")
      try ConformanceFailure.expect(try await local.onlyRun(of: "child").parent, parent, "the parent")
    },
    Case("Runs that are requested with a success exist once, and none after a failure") { fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate {
        EndpointJob("order", input: Bool.self) { fails, context in
          try context.afterCommit(EnqueueRequest("mail"), EnqueueRequest("invoice"))
          if fails || context.attempt == 1 { throw JobFailure.failed("It failed.") }
        }.retry(RetryPolicy(maxAttempts: 2, backoff: .fixed(.seconds(1))))
        EndpointJob("mail") { context in try handler(context, at: .epoch) }
        EndpointJob("invoice") { context in try handler(context, at: .epoch) }
      }
      try await local.runtime.enqueue("order", true, key: "a")
      try await local.advance(by: .minutes(1))
      try ConformanceFailure.expect(handler.count, 0, "the attempts after a failure")
      let order = try await local.runtime.enqueue("order", false, key: "b").id
      try await local.advance(by: .minutes(1))
      try ConformanceFailure.expect(handler.count, 2, "the attempts after a success")
      try ConformanceFailure.expect(try await local.onlyRun(of: "mail").parent, order, "the parent")
    },
    Case("Runs that end together may request the same run, which exists once") { fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate {
        EndpointJob("order") { context in
          try await context.clock.sleep(until: context.clock.now() + .seconds(1))
          try context.afterCommit(EnqueueRequest("report", key: "today"))
        }.retry(.never)
        EndpointJob("report") { context in try handler(context, at: .epoch) }
      }
      let orders = try await local.runtime.enqueue((1...8).map { EnqueueRequest("order", key: "\($0)") })
      try await local.advance(by: .minutes(1))
      for order in orders {
        try ConformanceFailure.expect(try await local.run(order.id).status, .succeeded, "the order \(order.id)")
      }
      try ConformanceFailure.expect(handler.count, 1, "the attempts of the report")
    },
    Case("A unique run can't be requested with a success, which could not keep it unique") { fixture in
      let local = try await fixture.simulate {
        EndpointJob("order") { context in
          try context.afterCommit(EnqueueRequest("mail", unique: Uniqueness("u")))
        }.retry(.never)
        EndpointJob("mail") { _ in }
      }
      let order = try await local.runtime.enqueue("order").id
      try await local.advance(by: .minutes(1))
      let failure = try await local.run(order).failure
      try ConformanceFailure.expect(failure?.message.contains("unique") ?? false, "the failure: \(failure as Any)")
      try ConformanceFailure.expect(await local.runs(of: "mail").count, 0, "the runs of mail")
    },
    Case("A handler gets the dependencies of the program") { fixture in
      let local = try await fixture.simulate {
        $0.dependencies.set("smtp.example", as: String.self)
      } _: {
        EndpointJob("send", input: NoInput.self, output: String.self) { _, context in
          try context.dependency(String.self)
        }
        EndpointJob("other") { context in _ = try context.dependency(Int.self) }
      }
      let id = try await local.runtime.enqueue("send", key: "a").id
      let other = try await local.runtime.enqueue("other", key: "b").id
      try await local.advance(by: .seconds(5))
      try ConformanceFailure.expect(
        try await local.run(id).output?.decode(String.self), "smtp.example", "the dependency")
      try ConformanceFailure.expect(
        try await local.run(other).failure?.message.contains("No dependency of the type Int"), true, "the missing one")
    },
  ]
}
