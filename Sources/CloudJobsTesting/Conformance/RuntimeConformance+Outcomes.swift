import CloudJobs
import CloudJobsCore
import Synchronization

extension RuntimeConformance {
  static let outcomeCases: [Case] = [
    Case("A result is stored with its type, and returned again by key") { fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate {
        EndpointJob("double", input: Int.self, output: Int.self) { number, context in
          try handler(context, at: .epoch)
          return number * 2
        }
      }
      let id = try await local.runtime.enqueue("double", 21, key: "a").id
      try await local.advance(by: .seconds(5))
      try ConformanceFailure.expect(try await local.run(id).output?.decode(Int.self), 42, "the result")
      try ConformanceFailure.expect(handler.count, 1, "the attempts")
    },
    Case("A snoozed run goes on later, and that is no failure") { fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate {
        EndpointJob("wait") { context -> JobOutcome<NoOutput> in
          try handler(context, at: context.clock.now())
          return context.attempt < 3 ? .snooze(.seconds(60)) : .done
        }.retry(.never)
      }
      let start = local.now
      try await local.runtime.enqueue("wait", key: "a")
      try await local.advance(by: .minutes(5))
      try ConformanceFailure.expect(handler.seconds(since: start), [0, 60, 120], "the times of the attempts")
      let run = try await local.onlyRun(of: "wait")
      try ConformanceFailure.expect(run.status, .succeeded, "the status")
      try ConformanceFailure.expect(run.failures, 0, "the failures")
    },
    Case("A handler cancels its run, with a reason") { fixture in
      let local = try await fixture.simulate {
        EndpointJob("check") { _ -> JobOutcome<NoOutput> in .cancel(reason: "The customer is gone.") }
      }
      try await local.runtime.enqueue("check", key: "a")
      try await local.advance(by: .seconds(5))
      let run = try await local.onlyRun(of: "check")
      try ConformanceFailure.expect(run.status, .cancelled, "the status")
      try ConformanceFailure.expect(run.reason, "The customer is gone.", "the reason")
    },
    Case("Work longer than its time limit goes on by checkpoints, each item once and no retry used") { fixture in
      let processed = Mutex([Int]())
      let local = try await fixture.simulate {
        EndpointJob("import") { context -> JobOutcome<NoOutput> in
          var next = try context.checkpoint(as: Int.self) ?? 0
          while next < 40 {
            if context.timeRemaining < .seconds(2) { return .continue(from: next) }
            try await context.clock.sleep(until: context.clock.now() + .seconds(1))
            processed.withLock { $0.append(next) }
            next += 1
          }
          return .done
        }.retry(.never).timeout(.seconds(10))
      }
      try await local.runtime.enqueue("import", key: "a")
      try await local.advance(by: .minutes(2))
      try ConformanceFailure.expect(processed.withLock { $0 }, Array(0..<40), "the processed items")
      let run = try await local.onlyRun(of: "import")
      try ConformanceFailure.expect(run.status, .succeeded, "the status")
      try ConformanceFailure.expect(run.failures, 0, "the failures")
      try ConformanceFailure.expect(run.continuations, 4, "the continuations")
    },
    Case("An attempt that exceeds its time limit after a checkpoint goes on from it, and one without fails") {
      fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate {
        EndpointJob("import", input: Bool.self) { savesCheckpoints, context in
          try handler(context, at: .epoch)
          let next = try context.checkpoint(as: Int.self) ?? 0
          if next == 2 { return }
          if savesCheckpoints { try await context.checkpoint(next + 1) }
          try await context.clock.sleep(until: context.clock.now() + .minutes(1))
        }.retry(.never).timeout(.seconds(10))
      }
      let progressing = try await local.runtime.enqueue("import", true, key: "a").id
      let hanging = try await local.runtime.enqueue("import", false, key: "b").id
      try await local.advance(by: .minutes(2))
      try ConformanceFailure.expect(try await local.run(progressing).status, .succeeded, "the one that progresses")
      try ConformanceFailure.expect(try await local.run(hanging).failure?.kind, "timeout", "the one that hangs")
      try ConformanceFailure.expect(handler.count, 4, "the attempts")
    },
    Case("A retry resumes from the checkpoint of the failed attempt, and a redriven run from the last one") { fixture in
      let seen = Mutex([Int]())
      let local = try await fixture.simulate {
        EndpointJob("import") { context in
          let next = try context.checkpoint(as: Int.self) ?? 0
          seen.withLock { $0.append(next) }
          if next == 3 { return }
          try await context.checkpoint(next + 1)
          throw JobFailure.failed("It failed at \(next).")
        }.retry(RetryPolicy(maxAttempts: 2, backoff: .fixed(.seconds(1))))
      }
      let dead = try await local.runtime.enqueue("import", key: "a").id
      try await local.advance(by: .minutes(1))
      try ConformanceFailure.expect(try await local.run(dead).status, .failed, "the status")
      let again = try await local.runtime.redrive(runs: [dead])[0].id
      try await local.advance(by: .minutes(1))
      try ConformanceFailure.expect(seen.withLock { $0 }, [0, 1, 2, 3], "the checkpoints")
      try ConformanceFailure.expect(try await local.run(again).status, .succeeded, "the status of the redriven run")
    },
  ]
}
