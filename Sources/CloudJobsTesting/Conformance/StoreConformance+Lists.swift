import CloudJobs
import CloudJobsCore

/// The lists of jobs and of runs.
extension StoreConformance {
  static let jobListCases: [Case] = [
    Case("jobs is in the order of ids by bytes, whatever the page's size") { fixture in
      let names: [JobID] = ["0", "9:z", "A", "Z", "_x", "a", "a-a", "a.a", "aa", "b"]
      for name in names.reversed() { try await fixture.commit(.patchState(name, JobStatePatch(), .none)) }
      for limit in [1, 3, 5, 10, 11] {
        let found = try await fixture.walk(limit) { try await fixture.store.jobs(after: $0, limit: limit) }
        try ConformanceFailure.expect(found.map(\.id), names.map(\.rawValue), "the ids by pages of \(limit)")
      }
    },
    Case("jobs takes a limit outside 1 to 500 for the nearest") { fixture in
      let writes = try (0..<501).map { Write.patchState(try JobID("job-\($0)"), JobStatePatch(), .none) }
      _ = try await fixture.store.commit(Array(writes.prefix(500)))
      _ = try await fixture.store.commit(Array(writes.suffix(1)))
      for (limit, count) in [(-1, 1), (0, 1), (501, 500), (.max, 500)] {
        let page = try await fixture.store.jobs(after: nil, limit: limit)
        try ConformanceFailure.expect(page.records.count, count, "the records for a limit of \(limit)")
      }
    },
    Case("jobs goes on after a document that has gone") { fixture in
      for name in ["a", "b", "c"] as [JobID] { try await fixture.commit(.patchState(name, JobStatePatch(), .none)) }
      let first = try await fixture.store.jobs(after: nil, limit: 2)
      try await fixture.commit(.deleteJob("b", .none))
      let second = try await fixture.store.jobs(after: first.next, limit: 2)
      try ConformanceFailure.expect(second.records.map(\.id), ["c"], "the second page")
    },
  ]

  static var runListCases: [Case] {
    filters.map { name, filter in
      Case("runs by \(name) answers what matches, latest first, whatever the page's size") { fixture in
        let runs = try await fill(fixture)
        let expected = runs.filter { filter.matches($0) }.sorted { ($1.createdAt, $1.id) < ($0.createdAt, $0.id) }
        try ConformanceFailure.expect(expected.isEmpty, name.hasPrefix("no "), "the filter matches nothing")
        for limit in [1, 2, 7, 100] {
          let found = try await fixture.walk(limit) {
            try await fixture.store.runs(matching: filter, after: $0, limit: limit)
          }
          try ConformanceFailure.expect(
            try found.map { try $0.run.get() }, expected, "the runs by pages of \(limit)")
        }
      }
    } + [
      Case("runs goes on after a run that has gone") { fixture in
        for number in 0..<4 {
          try await fixture.commit(
            .putRun(Samples.run("run \(number)", createdAt: fixture.time(Int64(-number))), .none))
        }
        let first = try await fixture.store.runs(matching: RunFilter(), after: nil, limit: 2)
        try await fixture.commit(.deleteRun(Samples.id("run 1"), .none))
        let second = try await fixture.store.runs(matching: RunFilter(), after: first.next, limit: 2)
        try ConformanceFailure.expect(
          second.records.map(\.id), [Samples.id("run 2"), Samples.id("run 3")], "the second page")
      },
      Case("runs takes a limit outside 1 to 500 for the nearest") { fixture in
        let writes = (0..<501).map { Write.putRun(Samples.run("run \($0)"), .none) }
        _ = try await fixture.store.commit(Array(writes.prefix(500)))
        _ = try await fixture.store.commit(Array(writes.suffix(1)))
        for (limit, count) in [(Int.min, 1), (0, 1), (501, 500), (.max, 500)] {
          let page = try await fixture.store.runs(matching: RunFilter(statuses: [.pending]), after: nil, limit: limit)
          try ConformanceFailure.expect(page.records.count, count, "the records for a limit of \(limit)")
        }
      },
    ]
  }

  private static let base = ConformanceFixture.start

  private static let filters: [(String, RunFilter)] = [
    ("nothing", RunFilter()),
    ("job", RunFilter(job: "a")),
    ("no job of that name", RunFilter(job: "A")),
    ("one status", RunFilter(statuses: [.failed])),
    ("three statuses", RunFilter(statuses: [.failed, .running, .pending])),
    ("all statuses", RunFilter(statuses: Set(RunStatus.allCases))),
    ("no status at all", RunFilter(statuses: [])),
    ("earliest time", RunFilter(createdFrom: base + .seconds(3))),
    ("latest time", RunFilter(createdBefore: base + .seconds(3))),
    ("a span of time", RunFilter(createdFrom: base + .seconds(2), createdBefore: base + .seconds(5))),
    ("no span of time", RunFilter(createdFrom: base + .seconds(5), createdBefore: base + .seconds(5))),
    ("cause", RunFilter(correlationID: "caf\u{E9}")),
    ("no cause that only looks alike", RunFilter(correlationID: "CAF\u{E9}")),
    ("a cause with a NUL", RunFilter(correlationID: "nul\u{0}b")),
    ("job and statuses", RunFilter(job: "b", statuses: [.succeeded, .failed])),
    ("job and cause", RunFilter(job: "b", correlationID: "caf\u{65}\u{301}")),
    ("statuses and a span of time", RunFilter(statuses: [.running, .cancelled], createdFrom: base + .seconds(1))),
    (
      "everything at once",
      RunFilter(
        job: "a", statuses: [.pending, .running, .failed], createdFrom: base, createdBefore: base + .seconds(9),
        correlationID: "caf\u{E9}")
    ),
  ]

  /// Writes 60 runs of three jobs, all states and some causes, several at each of eight times.
  private static func fill(_ fixture: ConformanceFixture) async throws -> [Run] {
    let jobs: [JobID] = ["a", "b", "ab"]
    let causes = [nil, "caf\u{E9}", "caf\u{65}\u{301}", "nul\u{0}a", "nul\u{0}b"]
    let runs = (0..<60).map { number in
      var run = Samples.run(
        "run \(number)", job: jobs[number % 3], status: RunStatus.allCases[number / 3 % 6],
        createdAt: fixture.time(Int64(number * 7 % 8)))
      run.correlationID = causes[number % 5]
      return run
    }
    _ = try await fixture.store.commit(runs.map { .putRun($0, .absent) })
    return runs
  }
}
