import CloudJobs
import CloudJobsCore
import Synchronization

extension RuntimeConformance {
  static let orderCases: [Case] = [
    Case("A chain runs in its order, each run after the one before") { fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate {
        EndpointJob("step") { context in
          try handler(context, at: .epoch)
          try await context.clock.sleep(until: context.clock.now() + .seconds(3))
        }
      }
      let chain = try await local.runtime.enqueueChain(["a", "b", "c"].map { EnqueueRequest("step", key: $0) })
      try await local.advance(by: .seconds(2))
      try ConformanceFailure.expect(handler.count, 1, "the attempts after 2 seconds")
      try await local.advance(by: .seconds(30))
      try ConformanceFailure.expect(handler.runs, chain.map(\.id), "the runs in their order")
    },
    Case("A run starts after all of its prerequisites, with their results") { fixture in
      let sum = Mutex<Int?>(nil)
      let local = try await fixture.simulate {
        EndpointJob("part", input: Int.self, output: Int.self) { number, context in
          try await context.clock.sleep(until: context.clock.now() + .seconds(7 - number))
          return number
        }
        EndpointJob("total") { context in
          let parts = try await context.prerequisiteResults(as: Int.self)
          sum.withLock { $0 = parts.compactMap { $0 }.reduce(0, +) }
        }
      }
      let parts = (1...5).map { EnqueueRequest("part", $0, key: "\($0)") }
      let total = try await local.runtime.enqueue(parts, then: EnqueueRequest("total", key: "t"))
      try await local.advance(by: .seconds(4))
      try ConformanceFailure.expect(sum.withLock { $0 }, nil, "the sum before all have ended")
      try await local.advance(by: .seconds(30))
      try ConformanceFailure.expect(sum.withLock { $0 }, 15, "the sum")
      try ConformanceFailure.expect(try await local.run(total.id).status, .succeeded, "the status")
    },
    Case("A run that is redriven gets the results of those that it waited for") { fixture in
      let sums = Mutex<[Int]>([])
      let local = try await fixture.simulate {
        EndpointJob("part", input: Int.self, output: Int.self) { number, _ in number }
        EndpointJob("total") { context in
          let parts = try await context.prerequisiteResults(as: Int.self).compactMap { $0 }
          let isFirst = sums.withLock { sums in
            sums.append(parts.reduce(0, +))
            return sums.count == 1
          }
          if isFirst { throw JobFailure.permanent("It fails once.") }
        }
      }
      let parts = (1...5).map { EnqueueRequest("part", $0, key: "\($0)") }
      let total = try await local.runtime.enqueue(parts, then: EnqueueRequest("total", key: "t"))
      try await local.advance(by: .seconds(30))
      try ConformanceFailure.expect(try await local.run(total.id).status, .failed, "the status")
      try await local.runtime.redrive(runs: [total.id])
      try await local.advance(by: .seconds(30))
      try ConformanceFailure.expect(sums.withLock { $0 }, [15, 15], "the sums")
    },
    Case("A run may wait for runs that were enqueued before, ended ones among them") { fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate {
        EndpointJob("step", input: Int.self) { seconds, context in
          try await context.clock.sleep(until: context.clock.now() + .seconds(seconds))
          try handler(context, at: .epoch)
        }
      }
      let ended = try await local.runtime.enqueue("step", 1, key: "ended").id
      try await local.advance(by: .seconds(10))
      let running = try await local.runtime.enqueue("step", 30, key: "running").id
      try await local.advance(by: .seconds(10))
      var request = EnqueueRequest("step", 1, key: "last")
      request.prerequisites = [ended, running]
      let last = try await local.runtime.enqueue([request])[0].id
      try await local.advance(by: .seconds(10))
      try ConformanceFailure.expect(handler.runs, [ended], "the runs before")
      try await local.advance(by: .seconds(30))
      try ConformanceFailure.expect(handler.runs, [ended, running, last], "the runs after")
    },
    Case("A prerequisite that fails cancels the run, with the reason, or is tolerated") { fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate {
        EndpointJob("fail") { _ in throw JobFailure.permanent("It failed.") }
        EndpointJob("strict") { context in try handler(context, at: .epoch) }
        EndpointJob("lenient") { context in try handler(context, at: .epoch) }
      }
      var first = EnqueueRequest("fail", key: "a")
      first.start = .after(.seconds(5))
      let failing = try await local.runtime.enqueue([first])[0].id
      var strict = EnqueueRequest("strict", key: "s")
      var lenient = EnqueueRequest("lenient", key: "l")
      (strict.prerequisites, lenient.prerequisites) = ([failing], [failing])
      lenient.failedPrerequisite = .tolerate
      let runs = try await local.runtime.enqueue([strict, lenient])
      try await local.advance(by: .seconds(30))
      let run = try await local.run(runs[0].id)
      try ConformanceFailure.expect(run.status, .cancelled, "the strict run")
      try ConformanceFailure.expect(
        run.reason, "The run \(failing), which must come first, did not succeed.", "the reason")
      try ConformanceFailure.expect(try await local.run(runs[1].id).status, .succeeded, "the tolerant run")
      try ConformanceFailure.expect(handler.count, 1, "the attempts")
    },
    Case("The cancellation of a prerequisite goes down a chain") { fixture in
      let local = try await fixture.simulate { EndpointJob("step") { _ in } }
      var requests = ["a", "b", "c"].map { EnqueueRequest("step", key: $0) }
      requests[0].start = .after(.hours(1))
      let chain = try await local.runtime.enqueueChain(requests)
      try await local.runtime.cancel(run: chain[0].id)
      try await local.advance(by: .minutes(1))
      let statuses = await local.runs(of: "step").map(\.status)
      try ConformanceFailure.expect(statuses, [.cancelled, .cancelled, .cancelled], "the statuses")
    },
    Case("A job waits for the last success of the jobs that it depends on") { fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate {
        PeriodicJob("load", every: .minutes(1)) { _ in
          if handler.isFailing { throw JobFailure.permanent("It failed.") }
        }.retry(.never)
        PeriodicJob("report", every: .minutes(1)) { context in try handler(context, at: .epoch) }
          .depends(on: "load").priority(-1)
      }
      handler.isFailing = true
      try await local.advance(by: .minutes(3))
      try ConformanceFailure.expect(handler.count, 0, "the attempts while the dependency fails")
      handler.isFailing = false
      try await local.advance(by: .minutes(3))
      try ConformanceFailure.expect(handler.count >= 2, true, "whether it runs after a success")
      let skipped = local.events.filter { $0.job == "report" && $0.name == .skipped }
      try ConformanceFailure.expect(skipped.first?.skipped, .skippedDependencyFailed, "the kind of the skip")
    },
  ]
}
