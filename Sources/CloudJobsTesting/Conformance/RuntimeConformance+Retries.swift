import CloudJobs
import CloudJobsCore

extension RuntimeConformance {
  private static let kinds = ["network", "network", "validation"]

  static let retryCases: [Case] = [
    Case("Only the kinds of failures that the policy names are retried") { fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate {
        EndpointJob("send") { context in
          try handler(context, at: .epoch)
          throw JobFailure.failed("It failed.", kind: kinds[min(context.attempt, kinds.count) - 1])
        }.retry(RetryPolicy(maxAttempts: 9, backoff: .fixed(.seconds(1)), retried: .only(["network"])))
      }
      try await local.runtime.enqueue("send", key: "a")
      try await local.advance(by: .minutes(1))
      try ConformanceFailure.expect(handler.count, 3, "the attempts")
      let run = try await local.onlyRun(of: "send")
      try ConformanceFailure.expect(run.status, .failed, "the status")
      try ConformanceFailure.expect(run.reason, "Failures of the kind validation are not retried.", "the reason")
    },
    Case("A document excludes kinds of failures from the retries") { fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate {
        EndpointJob("send") { context in
          try handler(context, at: .epoch)
          throw JobFailure.failed("It failed.", kind: kinds[min(context.attempt, kinds.count) - 1])
        }.retry(RetryPolicy(maxAttempts: 9, backoff: .fixed(.seconds(1))))
      }
      try await local.runtime.configure("send") { configuration in
        configuration.retry = RetryOverride()
        configuration.retry?.except = ["network"]
      }
      try await local.runtime.enqueue("send", key: "a")
      try await local.advance(by: .minutes(1))
      try ConformanceFailure.expect(handler.count, 1, "the attempts")
    },
    Case("A document sets attempts, growth and delay of the retries") { fixture in
      let handler = fixture.handler
      handler.isFailing = true
      let local = try await fixture.simulate {
        EndpointJob("send") { context in try handler(context, at: context.clock.now()) }
      }
      try await local.runtime.configure("send") { configuration in
        var retry = RetryOverride()
        (retry.maxAttempts, retry.backoff, retry.delay, retry.jitter) = (
          4, .linear, .seconds(10), RetryPolicy.Jitter.none
        )
        configuration.retry = retry
      }
      let start = local.now
      try await local.runtime.enqueue("send", key: "a")
      try await local.advance(by: .minutes(10))
      try ConformanceFailure.expect(handler.seconds(since: start), [0, 10, 30, 60], "the times of the attempts")
      try ConformanceFailure.expect(try await local.onlyRun(of: "send").status, .failed, "the status")
    },
    Case("A document's maxRetries takes precedence") { fixture in
      let handler = fixture.handler
      handler.isFailing = true
      let local = try await fixture.simulate {
        EndpointJob("send") { context in try handler(context, at: .epoch) }
          .retry(RetryPolicy(maxAttempts: 9, backoff: .fixed(.seconds(1))))
      }
      try await local.runtime.configure("send") { $0.maxRetries = 1 }
      try await local.runtime.enqueue("send", key: "a")
      try await local.advance(by: .minutes(1))
      try ConformanceFailure.expect(handler.count, 2, "the attempts")
    },
    Case("A handler sets the delay of the next attempt, or declares a failure permanent") { fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate {
        EndpointJob("send") { context in
          try handler(context, at: context.clock.now())
          if context.attempt == 1 { throw JobFailure.retry(after: .seconds(90), "Busy.") }
          throw JobFailure.permanent("No such customer.", kind: "unknownCustomer")
        }.retry(RetryPolicy(maxAttempts: 9, backoff: .fixed(.seconds(1))))
      }
      let start = local.now
      try await local.runtime.enqueue("send", key: "a")
      try await local.advance(by: .minutes(10))
      try ConformanceFailure.expect(handler.seconds(since: start), [0, 90], "the times of the attempts")
      let run = try await local.onlyRun(of: "send")
      try ConformanceFailure.expect(run.failure?.kind, "unknownCustomer", "the kind of the failure")
      try ConformanceFailure.expect(run.reason, "The failure is permanent.", "the reason of the dead letter")
    },
    Case("A time limit of the run takes precedence over that of the job") { fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate {
        EndpointJob("send") { context in
          try handler(context, at: .epoch)
          try await context.clock.sleep(until: context.clock.now() + .seconds(30))
        }.retry(.never).timeout(.minutes(5))
      }
      var request = EnqueueRequest("send", key: "short")
      request.timeout = .seconds(10)
      let short = try await local.runtime.enqueue([request])[0].id
      let long = try await local.runtime.enqueue("send", key: "long").id
      try await local.advance(by: .minutes(1))
      try ConformanceFailure.expect(try await local.run(short).failure?.kind, "timeout", "the failure of the short one")
      try ConformanceFailure.expect(try await local.run(long).status, .succeeded, "the status of the long one")
    },
    Case("A dead letter is redriven once, as a new run that names it") { fixture in
      let handler = fixture.handler
      handler.isFailing = true
      let local = try await fixture.simulate {
        EndpointJob("send") { context in try handler(context, at: .epoch) }.retry(.never)
      }
      let dead = try await local.runtime.enqueue("send", key: "a").id
      try await local.advance(by: .seconds(5))
      handler.isFailing = false
      let redriven = try await local.runtime.redrive(runs: [dead])
      let again = try await local.runtime.redrive(runs: [dead])
      try ConformanceFailure.expect(redriven.map(\.isNew) + again.map(\.isNew), [true, false], "whether it is new")
      try ConformanceFailure.expect(redriven[0].id, again[0].id, "the new run")
      try await local.advance(by: .seconds(5))
      let run = try await local.run(redriven[0].id)
      try ConformanceFailure.expect(run.parent, dead, "the parent")
      try ConformanceFailure.expect(run.status, .succeeded, "the status of the new run")
      try ConformanceFailure.expect(try await local.run(dead).status, .failed, "the status of the dead letter")
    },
    Case("All dead letters of a job are redriven, and a succeeded run is not") { fixture in
      let handler = fixture.handler
      handler.isFailing = true
      let local = try await fixture.simulate {
        EndpointJob("send") { context in try handler(context, at: .epoch) }.retry(.never)
      }
      for key in ["a", "b", "c"] {
        try await local.runtime.enqueue("send", key: key)
        try await local.advance(by: .seconds(5))
      }
      let failed = handler.runs
      handler.isFailing = false
      let fine = try await local.runtime.enqueue("send", key: "d").id
      try await local.advance(by: .seconds(5))
      let filter = RunFilter(job: "send")
      try ConformanceFailure.expect(
        try await local.runtime.redriveDeadLetters(matching: filter, limit: 0).count, 0, "the redriven runs of none")
      let latest = try await local.runtime.redriveDeadLetters(matching: filter, limit: 2).map(\.id)
      var parents: [RunID?] = []
      for id in latest { parents.append(try await local.run(id).parent) }
      try ConformanceFailure.expect(parents, [failed[2], failed[1]], "the dead letters of these, latest first")
      let all = try await local.runtime.redriveDeadLetters(matching: filter)
      try ConformanceFailure.expect(all.map(\.isNew), [false, false, true], "whether the redriven runs are new")
      try await local.advance(by: .seconds(5))
      try ConformanceFailure.expect(handler.count, 7, "the attempts")
      do {
        try await local.runtime.redrive(runs: [fine])
        try ConformanceFailure.expect(false, "a succeeded run is refused")
      } catch let error as JobError {
        try ConformanceFailure.expect(error.code, .invalidField, "the refusal")
      }
    },
    Case("Runs are kept for as long as their status says") { fixture in
      let local = try await fixture.simulate {
        EndpointJob("send", input: Bool.self) { fails, _ in
          if fails { throw JobFailure.permanent("It failed.") }
        }.retention(Retention(succeeded: .minutes(30), failed: .hours(5), cancelled: .days(1)))
      }
      try await local.runtime.configure("send") { $0.retention = RetentionOverride(succeeded: .hours(2)) }
      let success = try await local.runtime.enqueue("send", false, key: "a").id
      let failure = try await local.runtime.enqueue("send", true, key: "b").id
      try await local.advance(by: .hours(1))
      try ConformanceFailure.expect(try await local.runtime.run(withID: success)?.status, .succeeded, "after an hour")
      try await local.advance(by: .hours(3))
      try ConformanceFailure.expect(try await local.runtime.run(withID: success)?.status, nil, "after 4 hours")
      try ConformanceFailure.expect(try await local.run(failure).status, .failed, "the dead letter")
      try await local.advance(by: .hours(3))
      try ConformanceFailure.expect(try await local.runtime.run(withID: failure)?.status, nil, "after 7 hours")
    },
    Case("A number of attempts of the run takes precedence over that of the job") { fixture in
      let handler = fixture.handler
      handler.isFailing = true
      let local = try await fixture.simulate {
        EndpointJob("send") { context in try handler(context, at: .epoch) }
          .retry(RetryPolicy(maxAttempts: 3, backoff: .fixed(.seconds(1)), jitter: .none))
        EndpointJob("once") { context in try handler(context, at: .epoch) }.descriptor(
          JobDescriptor(isRetryable: false))
      }
      var request = EnqueueRequest("send", key: "five")
      request.maxAttempts = 5
      let five = try await local.runtime.enqueue([request])[0].id
      let three = try await local.runtime.enqueue("send", key: "three").id
      (request.job, request.key) = ("once", "once")
      let once = try await local.runtime.enqueue([request])[0].id
      try await local.advance(by: .minutes(1))
      for (id, count) in [(five, 5), (three, 3), (once, 1)] {
        let run = try await local.run(id)
        try ConformanceFailure.expect(
          [run.attempt, run.failures, run.maxAttempts], [count, count, count], "the attempts")
        try ConformanceFailure.expect(run.status, .failed, "the status")
      }
      let again = try await local.runtime.redrive(runs: [five])[0].id
      try await local.advance(by: .minutes(1))
      try ConformanceFailure.expect(try await local.run(again).attempt, 5, "the attempts after a redrive")
      request.maxAttempts = 0
      do throws(JobError) {
        try await local.runtime.enqueue([request])
      } catch {
        return try ConformanceFailure.expect(error.field, "maxAttempts", "the field of the error")
      }
      throw ConformanceFailure("no attempt", expected: "an error", found: "none")
    },
    Case("A job keeps the latest runs of a number, and those that have not ended") { fixture in
      let local = try await fixture.simulate {
        EndpointJob("send") { _ in }.retention(Retention(.days(30), latest: 3))
        EndpointJob("other") { _ in }
      }
      var ids: [RunID] = []
      for number in 0..<6 {
        ids.append(try await local.runtime.enqueue("send", key: "\(number)").id)
        try await local.runtime.enqueue("other", key: "\(number)")
        try await local.advance(by: .seconds(1))
      }
      let waiting = try await local.runtime.enqueue("send", after: .days(1), key: "later").id
      try await local.advance(by: .hours(1))
      let kept = try await local.runtime.runs(matching: RunFilter(job: "send")).runs.map(\.id)
      try ConformanceFailure.expect(kept, [waiting, ids[5], ids[4], ids[3]], "the runs that are kept")
      try ConformanceFailure.expect(await local.runs(of: "other").count, 6, "the runs of a job without the number")
      try await local.runtime.configure("send") { $0.retention = RetentionOverride(latest: 1) }
      try await local.advance(by: .hours(1))
      try ConformanceFailure.expect(await local.runs(of: "send").count, 2, "the runs after the document is changed")
    },
  ]
}
