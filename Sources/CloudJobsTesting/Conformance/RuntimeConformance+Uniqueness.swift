import CloudJobs
import CloudJobsCore
import CloudJobsEmulator

extension RuntimeConformance {
  static let uniquenessCases: [Case] = [
    Case("Of many simultaneous requests with a unique key, one creates the run") { fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate {
        EndpointJob("send") { context in try handler(context, at: .epoch) }
      }
      let runtime = local.runtime
      let new = try await withThrowingTaskGroup(of: EnqueuedRun.self) { group in
        for _ in 0..<20 {
          group.addTask {
            while true {
              do throws(JobError) {
                return try await runtime.enqueue("send", unique: Uniqueness("one"))
              } catch {
                if error.code != .storeUnavailable { throw error }
              }
            }
          }
        }
        return try await group.reduce(into: [EnqueuedRun]()) { $0.append($1) }
      }
      try ConformanceFailure.expect(new.filter(\.isNew).count, 1, "the runs that were created")
      try ConformanceFailure.expect(Set(new.map(\.id)).count, 1, "the runs that were answered")
      let other = try await runtime.enqueue("send", unique: Uniqueness("other"))
      try ConformanceFailure.expect(other.isNew, "another key is free")
      try await local.advance(by: .seconds(5))
      try ConformanceFailure.expect(handler.count, 2, "the attempts")
      let next = try await runtime.enqueue("send", unique: Uniqueness("one"))
      try ConformanceFailure.expect(next.isNew, "the key is free once its run has ended")
    },
    Case("What waits for a run that is not created, because its key is held, waits for the holder") { fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate {
        EndpointJob("part") { context in try handler(context, at: .epoch) }
        EndpointJob("next") { context in try handler(context, at: .epoch) }
      }
      for conflict in [UniqueConflict.drop, .keepLater] {
        let unique = Uniqueness("\(conflict)", onConflict: conflict)
        let held = try await local.runtime.enqueue("part", after: .seconds(60), unique: unique)
        let chain = try await local.runtime.enqueueChain([
          EnqueueRequest("part", unique: unique), EnqueueRequest("next"),
        ])
        try ConformanceFailure.expect(chain[0].id, held.id, "the holder")
        try await local.advance(by: .seconds(30))
        try ConformanceFailure.expect(
          try await local.run(chain[1].id).status, .scheduled, "the next run before the holder's end")
        try await local.advance(by: .minutes(2))
        try ConformanceFailure.expect(
          try await local.run(chain[1].id).status, .succeeded, "the next run after the holder's end")
      }
    },
    Case("Within its window a key counts after the run's end too, if its states say so") { fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate {
        EndpointJob("send") { context in try handler(context, at: .epoch) }
      }
      let unique = Uniqueness("one", within: .seconds(600), states: Set(RunStatus.allCases))
      for minutes in 0..<13 {
        let run = try await local.runtime.enqueue("send", unique: unique)
        try ConformanceFailure.expect(run.isNew, minutes == 0 || minutes == 10, "a new run after \(minutes) minutes")
        try await local.advance(by: .seconds(57))
        if minutes == 9 { try await local.advance(by: .seconds(60)) }
      }
      try ConformanceFailure.expect(handler.count, 2, "the attempts")
    },
    Case("A request that replaces cancels the run that waits, and takes its place") { fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate {
        EndpointJob("send") { context in try handler(context, at: .epoch) }
        EndpointJob("after") { _ in }
      }
      let unique = Uniqueness("one", onConflict: .replace)
      let first = try await local.runtime.enqueue("send", after: .seconds(60), unique: unique)
      var waiting = EnqueueRequest("after")
      (waiting.prerequisites, waiting.failedPrerequisite) = ([first.id], .tolerate)
      try await local.runtime.enqueue([waiting])
      let second = try await local.runtime.enqueue("send", after: .seconds(90), unique: unique)
      try ConformanceFailure.expect(first.isNew && second.isNew && first.id != second.id, "both runs are new")
      try await local.advance(by: .seconds(5))
      try ConformanceFailure.expect(
        try await local.onlyRun(of: "after").status, .succeeded, "the run that waits for the end of the replaced one")
      let ends = local.events.filter { $0.runID == first.id && ($0.name == .skipped || $0.name == .completed) }
      try ConformanceFailure.expect(ends.map(\.name), [.skipped, .completed], "the events of the replaced run")
      try await local.advance(by: .minutes(3))
      try ConformanceFailure.expect(handler.runs, [second.id], "the runs that were attempted")
      try ConformanceFailure.expect(
        Set(await local.runs(of: "send").map(\.status)), [.cancelled, .succeeded], "the statuses of the runs")
    },
    Case("Requests that keep the later move the run that waits, until they pause") { fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate {
        EndpointJob("send") { context in try handler(context, at: context.clock.now()) }
      }
      let start = local.now
      let unique = Uniqueness("one", onConflict: .keepLater)
      var ids = Set<RunID>()
      for _ in 0..<5 {
        ids.insert(try await local.runtime.enqueue("send", after: .seconds(60), unique: unique).id)
        try await local.advance(by: .seconds(40))
      }
      try ConformanceFailure.expect(ids.count, 1, "the runs that were answered")
      try ConformanceFailure.expect(handler.count, 0, "the attempts while requests come")
      try await local.advance(by: .minutes(5))
      try ConformanceFailure.expect(handler.count, 1, "the attempts")
      let time = try ConformanceFailure.unwrap(handler.seconds(since: start).first, "the time of the attempt")
      try ConformanceFailure.expect((215...260).contains(time), "the run starts when requests have paused: \(time) s")
    },
    Case("Requests that are recorded together see each other") { fixture in
      let handler = fixture.handler
      let local = try await fixture.simulate {
        EndpointJob("send") { context in try handler(context, at: .epoch) }
      }
      let drop = Uniqueness("a")
      let replace = Uniqueness("b", onConflict: .replace)
      let requests = [drop, replace, drop, replace, drop].map { EnqueueRequest("send", unique: $0) }
      let runs = try await local.runtime.enqueue(requests + [EnqueueRequest("send")])
      try ConformanceFailure.expect(runs.map(\.isNew), [true, true, false, true, false, true], "which runs are new")
      try ConformanceFailure.expect(runs[2].id == runs[0].id && runs[4].id == runs[0].id, "the first run is kept")
      try ConformanceFailure.expect(runs[1].status, .cancelled, "the status of the replaced run")
      try await local.advance(by: .seconds(5))
      try ConformanceFailure.expect(handler.count, 3, "the attempts")
      let many = (0..<1_000).map { EnqueueRequest("send", unique: Uniqueness("key \($0 % 400)")) }
      let enqueued = try await local.runtime.enqueue(many)
      try ConformanceFailure.expect(enqueued.filter(\.isNew).count, 400, "the new runs of 1,000 requests of 400 keys")
    },
  ]
}
