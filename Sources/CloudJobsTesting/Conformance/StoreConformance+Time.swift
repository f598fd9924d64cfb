import CloudJobs
import CloudJobsCore
import CloudJobsEmulator

/// The store's clock, and what a commit may ask for.
extension StoreConformance {
  static let timeCases: [Case] = [
    Case("All answers carry the time of one clock") { fixture in
      for seconds in [0, 1, 60, 86_400] as [Int64] {
        fixture.clock.set(fixture.time(seconds))
        for (name, time) in try await times(fixture.store) {
          try ConformanceFailure.expect(time, fixture.time(seconds), "the time of \(name)")
        }
      }
    },
    Case("The time keeps its microseconds") { fixture in
      fixture.clock.set(fixture.time(5) + .microseconds(123_457))
      for (name, time) in try await times(fixture.store) {
        try ConformanceFailure.expect(time, fixture.time(5) + .microseconds(123_457), "the time of \(name)")
      }
    },
    Case("The time never goes backwards, whichever call was the latest") { fixture in
      for call in 0..<6 {
        fixture.clock.set(fixture.time(Int64(call * 100 + 100)))
        _ = try await times(fixture.store, only: call)
        fixture.clock.set(fixture.time(0))
        for (name, time) in try await times(fixture.store) {
          try ConformanceFailure.expect(time, fixture.time(Int64(call * 100 + 100)), "the time of \(name)")
        }
      }
    },
    Case("A refused commit does not disturb the time") { fixture in
      fixture.clock.set(fixture.time(50))
      try await fixture.refuse(.conflict, [.putRun(Samples.run("one"), .fence(1))])
      fixture.clock.set(fixture.time(60))
      try ConformanceFailure.expect(try await fixture.store.read(jobs: [], runs: []).time, fixture.time(60), "the time")
    },
    Case("What is due is told by the store's time and not by a clock that went back") { fixture in
      try await fixture.commit(.patchState("one", Samples.nextRun(fixture.time(50)), .none))
      fixture.clock.set(fixture.time(50))
      try await fixture.commit()
      fixture.clock.set(fixture.time(0))
      let due = try await fixture.store.dueJobs(after: nil, limit: 5)
      try ConformanceFailure.expect(due.records.map(\.id), ["one"], "the due jobs")
    },
    Case("A store opened a second time has the same documents and goes on with the time", needs: [.reopening]) {
      fixture in
      fixture.clock.set(fixture.time(100))
      let run = Samples.fullRun("one")
      try await fixture.commit(.putRun(run, .none), .putConfiguration("one", Samples.fullConfiguration, .none))
      let version = try await fixture.version(run.id)
      let late = VirtualClock(start: fixture.time(0), sleep: .moves)
      let second = try await fixture.reopened(late)
      for (name, time) in try await times(second) {
        try ConformanceFailure.expect(time, fixture.time(100), "the time of \(name)")
      }
      let reading = try await second.read(jobs: ["one"], runs: [run.id])
      try ConformanceFailure.expect(try reading.runs[run.id]?.run.get(), run, "the run")
      try ConformanceFailure.expect(reading.runs[run.id]?.version, version, "its version")
      let configuration = try reading.jobs["one"]?.document.get().configuration
      try ConformanceFailure.expect(configuration, Samples.fullConfiguration, "the configuration")
    },
    Case("What two openings write, both see, with versions and times that grow", needs: [.reopening]) { fixture in
      let late = VirtualClock(start: fixture.time(-50), sleep: .moves)
      let second = try await fixture.reopened(late)
      let run = Samples.run("shared")
      var last = Version(.min)
      for number in 1...5 {
        fixture.clock.set(fixture.time(Int64(number)))
        for store in [fixture.store, second] {
          var changed = run
          changed.reenqueues = number
          let time = try await store.commit([.putRun(changed, number == 1 ? .none : .version(last))])
          try ConformanceFailure.expect(time, fixture.time(Int64(number)), "the time of the commit")
          let version = try await fixture.version(run.id)
          try ConformanceFailure.expect(version != last, "the version is another")
          let other = try await second.read(jobs: [], runs: [run.id]).runs[run.id]
          try ConformanceFailure.expect(other?.version, version, "the version as the second opening sees it")
          last = version
        }
      }
    },
  ]

  static let limitCases: [Case] = [
    Case("A commit of no writes answers the time") { fixture in
      fixture.clock.set(fixture.time(9))
      try ConformanceFailure.expect(try await fixture.store.commit([]), fixture.time(9), "the time")
    },
    Case("A commit of 501 writes is refused as invalid and changes nothing") { fixture in
      try await fixture.refuse(.invalid, (0..<501).map { .putRun(Samples.run("run \($0)"), .none) })
      let page = try await fixture.store.runs(matching: RunFilter(), after: nil, limit: 1)
      try ConformanceFailure.expect(page.records.count, 0, "the runs")
    },
    Case("Two writes of one document are refused as invalid") { fixture in
      let run = Samples.run("one")
      let entry = Samples.entry("one", fixture.time(0))
      let pairs: [[Write]] = [
        [.putRun(run, .none), .putRun(run, .none)], [.putRun(run, .none), .deleteRun(run.id, .none)],
        [.putConfiguration("one", JobConfiguration(), .none), .patchState("one", JobStatePatch(), .none)],
        [.patchState("one", JobStatePatch(), .none), .deleteJob("one", .none)],
        [.putJournal(entry), .putJournal(entry)],
      ]
      for (number, pair) in pairs.enumerated() { try await fixture.refuse(.invalid, pair, "pair \(number)") }
      try await fixture.commit(.putRun(run, .absent), .patchState("one", JobStatePatch(), .absent), .putJournal(entry))
    },
    Case("A read of 500 documents of each kind is answered, one of 501 is refused as invalid") { fixture in
      let jobs = try (0..<501).map { try JobID("job-\($0)") }
      let runs = (0..<501).map { Samples.id("run \($0)") }
      let reading = try await fixture.store.read(jobs: Array(jobs.dropLast()), runs: Array(runs.dropLast()))
      try ConformanceFailure.expect(reading.jobs.count + reading.runs.count, 0, "the documents of an empty store")
      for (jobs, runs) in [(jobs, []), ([], runs)] {
        do throws(StoreError) {
          _ = try await fixture.store.read(jobs: jobs, runs: runs)
        } catch {
          try ConformanceFailure.expect(error.code, .invalid, "the code of the error")
          continue
        }
        throw ConformanceFailure("a read of 501 documents", expected: "invalid", found: "success")
      }
    },
    Case("A cancelled task may still commit and read") { fixture in
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.cancelAll()
        group.addTask {
          try ConformanceFailure.expect(Task.isCancelled, "the task is cancelled")
          try await fixture.commit(.putRun(Samples.run("one"), .absent))
          try ConformanceFailure.expect(try await fixture.run(Samples.id("one")) != nil, "the run is there")
          _ = try await times(fixture.store)
        }
        try await group.waitForAll()
      }
    },
  ]

  /// The times of all calls, or of one.
  private static func times(_ store: any JobStore, only call: Int? = nil) async throws -> [(String, Timestamp)] {
    let calls: [(String, () async throws -> Timestamp)] = [
      ("read", { try await store.read(jobs: [], runs: []).time }),
      ("dueJobs", { try await store.dueJobs(after: nil, limit: 1).time }),
      ("wakingRuns", { try await store.wakingRuns(after: nil, limit: 1).time }),
      ("jobs", { try await store.jobs(after: nil, limit: 1).time }),
      ("runs", { try await store.runs(matching: RunFilter(), after: nil, limit: 1).time }),
      ("commit", { try await store.commit([]) }),
    ]
    var times = [(String, Timestamp)]()
    for (number, (name, ask)) in calls.enumerated() where call == nil || call == number {
      times.append((name, try await ask()))
    }
    return times
  }
}
