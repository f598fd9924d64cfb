import CloudJobs
import CloudJobsCore

/// Versions change when and only when a document does.
extension StoreConformance {
  static let versionCases: [Case] = [
    Case("Each change of a run gives it another version") { world in
      var run = Samples.run("one")
      var seen = Set<Version>()
      for number in 0..<5 {
        run.reenqueues = number
        try await world.commit(.putRun(run, .none))
        seen.insert(try await world.version(run.id))
      }
      try ConformanceFailure.expect(seen.count, 5, "the different versions of five writes")
    },
    Case("Each change of a job's document gives it another version") { world in
      var seen = Set<Version>()
      for number in 0..<4 {
        try await world.commit(.putConfiguration("one", Samples.configuration("edit \(number)"), .none))
        seen.insert(try await world.version("one" as JobID))
        try await world.commit(.patchState("one", Samples.epoch(Int64(number)), .none))
        seen.insert(try await world.version("one" as JobID))
      }
      try ConformanceFailure.expect(seen.count, 8, "the different versions of eight writes")
    },
    Case("A document that is made again never gets an old version") { world in
      let run = Samples.run("one")
      var runs = Set<Version>()
      var jobs = Set<Version>()
      for _ in 0..<4 {
        try await world.commit(.putRun(run, .absent), .patchState("one", Samples.epoch(1), .absent))
        let (version, other) = (try await world.version(run.id), try await world.version("one" as JobID))
        runs.insert(version)
        jobs.insert(other)
        try await world.commit(.deleteRun(run.id, .version(version)), .deleteJob("one", .version(other)))
      }
      try ConformanceFailure.expect(runs.count, 4, "the different versions of a run made four times")
      try ConformanceFailure.expect(jobs.count, 4, "the different versions of a document made four times")
    },
    Case("A refused commit leaves versions as they were") { world in
      let run = Samples.run("one")
      try await world.commit(.putRun(run, .none), .patchState("one", Samples.epoch(1), .none))
      let (before, other) = (try await world.version(run.id), try await world.version("one" as JobID))
      try await world.refuse(
        .conflict, [.putRun(run, .version(before)), .patchState("one", Samples.epoch(2), .absent)])
      try ConformanceFailure.expect(try await world.version(run.id), before, "the run's version")
      try ConformanceFailure.expect(try await world.version("one" as JobID), other, "the document's version")
    },
    Case("A write leaves other documents' versions as they were") { world in
      try await world.commit(.putRun(Samples.run("one"), .none), .patchState("one", Samples.epoch(1), .none))
      let (run, job) = (try await world.version(Samples.id("one")), try await world.version("one" as JobID))
      try await world.commit(.putRun(Samples.run("two"), .none), .patchState("two", Samples.epoch(1), .none))
      try ConformanceFailure.expect(try await world.version(Samples.id("one")), run, "the run's version")
      try ConformanceFailure.expect(try await world.version("one" as JobID), job, "the document's version")
    },
    Case("Lists answer the same versions as reads by id") { world in
      try await world.commit(
        .putRun(Samples.run("one", wakeAt: world.time(-1)), .none),
        .patchState("one", Samples.nextRun(world.time(-1)), .none))
      let (run, job) = (try await world.version(Samples.id("one")), try await world.version("one" as JobID))
      let store = world.store
      let waking = try await store.wakingRuns(after: nil, limit: 5).records.map(\.version)
      try ConformanceFailure.expect(waking, [run], "the versions of the waking runs")
      let runs = try await store.runs(matching: RunFilter(), after: nil, limit: 5).records.map(\.version)
      try ConformanceFailure.expect(runs, [run], "the versions of the runs")
      let due = try await store.dueJobs(after: nil, limit: 5).records.map(\.version)
      try ConformanceFailure.expect(due, [job], "the versions of the due jobs")
      let jobs = try await store.jobs(after: nil, limit: 5).records.map(\.version)
      try ConformanceFailure.expect(jobs, [job], "the versions of the jobs")
    },
  ]
}
