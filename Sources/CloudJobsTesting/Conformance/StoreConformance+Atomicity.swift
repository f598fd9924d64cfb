import CloudJobs
import CloudJobsCore

/// All the writes of a commit, or none.
extension StoreConformance {
  static var atomicityCases: [Case] {
    [0, 3, 6].map { place in
      Case("A refused write in place \(place) of a commit undoes the other six") { fixture in
        try await refusedWrite(in: place, fixture)
      }
    } + [wholeBatch, refusedBatch, mixedCommit, wholeForReaders]
  }

  private static func refusedWrite(in place: Int, _ fixture: ConformanceFixture) async throws {
    let kept = Samples.run("kept")
    try await fixture.commit(
      .putRun(kept, .none), .putConfiguration("doomed", Samples.configuration("kept"), .none),
      .putConfiguration("edited", Samples.configuration("kept"), .none))
    var changed = kept
    changed.status = .succeeded
    var writes: [Write] = [
      .putRun(Samples.run("new"), .absent), .putRun(changed, .none), .deleteJob("doomed", .none),
      .putConfiguration("edited", Samples.configuration("lost"), .none),
      .patchState("fresh", Samples.epoch(1), .absent),
      .putJournal(Samples.entry("lost", fixture.time(0))),
    ]
    writes.insert(.deleteRun(Samples.id("missing"), .fence(1)), at: place)
    try await fixture.refuse(.conflict, writes)
    try ConformanceFailure.expect(try await fixture.record(Samples.id("new")) == nil, "the new run is not there")
    try ConformanceFailure.expect(try await fixture.run(kept.id), kept, "the run as it was")
    try ConformanceFailure.expect(try await fixture.record("doomed" as JobID) != nil, "the job is not deleted")
    try ConformanceFailure.expect(try await fixture.document("edited").configuration.group, "kept", "the configuration")
    try ConformanceFailure.expect(try await fixture.record("fresh" as JobID) == nil, "the new document is not there")
    try ConformanceFailure.expect(
      try await fixture.store.journal(matching: JournalFilter(), limit: 1), [], "the journal after a refusal")
  }

  private static let wholeBatch = Case("A commit of 500 writes takes place as a whole") { fixture in
    let runs = (0..<StoreLimits.batch).map { Samples.run("run \($0)", wakeAt: fixture.time(0)) }
    _ = try await fixture.store.commit(runs.map { .putRun($0, .absent) })
    let reading = try await fixture.store.read(jobs: [], runs: runs.map(\.id))
    try ConformanceFailure.expect(reading.runs.count, StoreLimits.batch, "the runs that were written")
    try ConformanceFailure.expect(Set(reading.runs.values.map(\.version)).count >= 1, "the runs have versions")
    for run in runs { try ConformanceFailure.expect(try reading.runs[run.id]?.run.get(), run, "a run of the batch") }
  }

  private static let refusedBatch = Case("A commit of 500 writes whose last is refused changes nothing") { fixture in
    try await fixture.commit(.putRun(Samples.run("run 499"), .none))
    let runs = (0..<StoreLimits.batch).map { Samples.run("run \($0)") }
    try await fixture.refuse(.conflict, runs.map { .putRun($0, .absent) })
    let page = try await fixture.store.runs(matching: RunFilter(), after: nil, limit: 500)
    try ConformanceFailure.expect(page.records.map(\.id), [Samples.id("run 499")], "the runs after a refusal")
  }

  private static let mixedCommit = Case("A commit may mix all kinds of writes") { fixture in
    let old = Samples.run("old")
    try await fixture.commit(.putRun(old, .none), .putConfiguration("doomed", Samples.configuration("x"), .none))
    let version = try await fixture.version(old.id)
    try await fixture.commit(
      .deleteRun(old.id, .version(version)), .putRun(Samples.run("new"), .absent), .deleteJob("doomed", .none),
      .putConfiguration("first", Samples.configuration("y"), .absent), .patchState("second", Samples.epoch(4), .none),
      .putJournal(Samples.entry("entry", fixture.time(0))))
    try ConformanceFailure.expect(try await fixture.record(old.id) == nil, "the old run is gone")
    try ConformanceFailure.expect(try await fixture.run(Samples.id("new")) != nil, "the new run is there")
    try ConformanceFailure.expect(try await fixture.record("doomed" as JobID) == nil, "the job is gone")
    try ConformanceFailure.expect(try await fixture.document("first").configuration.group, "y", "the configuration")
    try ConformanceFailure.expect(try await fixture.document("second").state.epoch, 4, "the state")
    try ConformanceFailure.expect(
      try await fixture.store.journal(matching: JournalFilter(), limit: 5).map(\.id), ["entry"], "the journal")
  }

  private static let wholeForReaders = Case("A reader sees all of a commit or nothing of it") { fixture in
    let (left, right) = (Samples.run("left"), Samples.run("right"))
    try await fixture.commit(.putRun(left, .none), .putRun(right, .none))
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for number in 1...50 {
          var (left, right) = (left, right)
          left.reenqueues = number
          right.reenqueues = number
          try await fixture.commit(.putRun(left, .none), .putRun(right, .none))
        }
      }
      group.addTask {
        for _ in 1...50 {
          let reading = try await fixture.store.read(jobs: [], runs: [left.id, right.id])
          let numbers = try reading.runs.values.map { try $0.run.get().reenqueues }
          try ConformanceFailure.expect(Set(numbers).count, 1, "the different numbers in two runs written together")
        }
      }
      try await group.waitForAll()
    }
  }
}
