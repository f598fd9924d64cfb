import CloudJobs
import CloudJobsCore

/// Versions change when and only when a document does.
extension StoreConformance {
  static let versionCases: [Case] = [
    Case("Each change of a run gives it another version") { fixture in
      var run = Samples.run("one")
      var seen = Set<Version>()
      for number in 0..<5 {
        run.reenqueues = number
        try await fixture.commit(.putRun(run, .none))
        seen.insert(try await fixture.version(run.id))
      }
      try ConformanceFailure.expect(seen.count, 5, "the different versions of five writes")
    },
    Case("Each change of a job's document gives it another version") { fixture in
      var seen = Set<Version>()
      for number in 0..<4 {
        try await fixture.commit(.putConfiguration("one", Samples.configuration("edit \(number)"), .none))
        seen.insert(try await fixture.version("one" as JobID))
        try await fixture.commit(.patchState("one", Samples.epoch(Int64(number)), .none))
        seen.insert(try await fixture.version("one" as JobID))
      }
      try ConformanceFailure.expect(seen.count, 8, "the different versions of eight writes")
    },
    Case("A document that is made again never gets an old version") { fixture in
      let run = Samples.run("one")
      var runs = Set<Version>()
      var jobs = Set<Version>()
      for _ in 0..<4 {
        try await fixture.commit(.putRun(run, .absent), .patchState("one", Samples.epoch(1), .absent))
        let (version, other) = (try await fixture.version(run.id), try await fixture.version("one" as JobID))
        runs.insert(version)
        jobs.insert(other)
        try await fixture.commit(.deleteRun(run.id, .version(version)), .deleteJob("one", .version(other)))
      }
      try ConformanceFailure.expect(runs.count, 4, "the different versions of a run made four times")
      try ConformanceFailure.expect(jobs.count, 4, "the different versions of a document made four times")
    },
    Case("A refused commit leaves versions as they were") { fixture in
      let run = Samples.run("one")
      try await fixture.commit(.putRun(run, .none), .patchState("one", Samples.epoch(1), .none))
      let (before, other) = (try await fixture.version(run.id), try await fixture.version("one" as JobID))
      try await fixture.refuse(
        .conflict, [.putRun(run, .version(before)), .patchState("one", Samples.epoch(2), .absent)])
      try ConformanceFailure.expect(try await fixture.version(run.id), before, "the run's version")
      try ConformanceFailure.expect(try await fixture.version("one" as JobID), other, "the document's version")
    },
    Case("A write leaves other documents' versions as they were") { fixture in
      try await fixture.commit(.putRun(Samples.run("one"), .none), .patchState("one", Samples.epoch(1), .none))
      let (run, job) = (try await fixture.version(Samples.id("one")), try await fixture.version("one" as JobID))
      try await fixture.commit(.putRun(Samples.run("two"), .none), .patchState("two", Samples.epoch(1), .none))
      try ConformanceFailure.expect(try await fixture.version(Samples.id("one")), run, "the run's version")
      try ConformanceFailure.expect(try await fixture.version("one" as JobID), job, "the document's version")
    },
    Case("Lists answer the same versions as reads by id") { fixture in
      try await fixture.commit(
        .putRun(Samples.run("one", wakeAt: fixture.time(-1)), .none),
        .patchState("one", Samples.nextRun(fixture.time(-1)), .none))
      let (run, job) = (try await fixture.version(Samples.id("one")), try await fixture.version("one" as JobID))
      let store = fixture.store
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
