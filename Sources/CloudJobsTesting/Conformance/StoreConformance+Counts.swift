import CloudJobs
import CloudJobsCore

/// The counts of runs.
extension StoreConformance {
  static let countCases: [Case] = [
    Case("An empty store counts no runs", needs: [.counting]) { fixture in
      let store = try fixture.counting()
      try ConformanceFailure.expect(
        try await store.waitingRunCounts(tellingApart: ["mail"]), [], "the counts of waiting runs")
      let counts = try await store.runCounts(createdFrom: fixture.time(0), before: fixture.time(60), bucket: .hours(1))
      try ConformanceFailure.expect(counts, [], "the counts of a span")
      try ConformanceFailure.expect(try await store.failedRunCount(), 0, "the failed runs")
    },
    Case("Failed runs are counted, whenever they were created, until they are deleted", needs: [.counting]) { fixture in
      let store = try fixture.counting()
      let failed = try await fillQueues(fixture).filter { $0.status == .failed }
      try ConformanceFailure.expect(try await store.failedRunCount(), failed.count, "the failed runs")
      var old = Samples.run("old", status: .failed, createdAt: fixture.time(-86_400 * 400))
      try await fixture.commit(.putRun(old, .none))
      try ConformanceFailure.expect(try await store.failedRunCount(), failed.count + 1, "the runs with an old one")
      old.status = .cancelled
      try await fixture.commit(.putRun(old, .none))
      try ConformanceFailure.expect(try await store.failedRunCount(), failed.count, "the runs that are left")
      try await fixture.commit(.deleteRun(failed[0].id, .none))
      try ConformanceFailure.expect(try await store.failedRunCount(), failed.count - 1, "the runs that are left")
    },
    Case("Waiting runs are counted by status and by the queues that are told apart", needs: [.counting]) { fixture in
      let store = try fixture.counting()
      let runs = try await fillQueues(fixture)
      for queues in [[], ["mail"], ["mail", "caf\u{E9}"], ["caf\u{65}\u{301}", "nul\u{0}a", "none"]] as [Set<String>] {
        var expected: [WaitingRunCount: Int] = [:]
        for run in runs where !run.status.isTerminal {
          let queue = queues.first { name in run.queue.map { $0.utf8.elementsEqual(name.utf8) } ?? false }
          expected[WaitingRunCount(status: run.status, queue: queue, count: 0), default: 0] += 1
        }
        let found = try await store.waitingRunCounts(tellingApart: queues)
        try ConformanceFailure.expect(
          Set(found), Set(expected.map { WaitingRunCount(status: $0.status, queue: $0.queue, count: $1) }),
          "the counts with \(queues.count) queues")
      }
    },
    Case("Counts follow a run that changes its status and queue, ends and is deleted", needs: [.counting]) { fixture in
      let store = try fixture.counting()
      var run = Samples.run("one")
      for (status, queue) in [
        (.pending, nil), (.running, "mail"), (.scheduled, "bulk"), (.succeeded, "bulk"),
      ] as [(RunStatus, String?)] {
        (run.status, run.queue) = (status, queue)
        try await fixture.commit(.putRun(run, .none))
        try ConformanceFailure.expect(
          try await store.waitingRunCounts(tellingApart: ["mail", "bulk"]),
          status.isTerminal ? [] : [WaitingRunCount(status: status, queue: queue, count: 1)], "the waiting run")
        try ConformanceFailure.expect(
          try await store.runCounts(createdFrom: run.createdAt, before: fixture.time(1), bucket: .hours(1)),
          [RunCount(status: status, start: run.createdAt, count: 1)], "the run in its span")
      }
      try await fixture.commit(.deleteRun(run.id, .none))
      try ConformanceFailure.expect(
        try await store.runCounts(createdFrom: run.createdAt, before: fixture.time(1), bucket: .hours(1)), [],
        "the counts without the run")
    },
    Case("Runs of a span are counted by status and bucket", needs: [.counting]) { fixture in
      let store = try fixture.counting()
      let runs = try await fillQueues(fixture)
      for (from, before, bucket) in [(0, 8, 1), (0, 8, 8), (1, 7, 4), (-5, 20, 3), (3, 3, 1), (5, 2, 1)]
        as [(Int64, Int64, Int64)]
      {
        let (start, end) = (fixture.time(from), fixture.time(before))
        var expected: [RunCount: Int] = [:]
        for run in runs where run.createdAt >= start && run.createdAt < end {
          let number = (run.createdAt - start) / Duration.seconds(bucket)
          let first = start + .seconds(Int64(number) * bucket)
          expected[RunCount(status: run.status, start: first, count: 0), default: 0] += 1
        }
        let found = try await store.runCounts(createdFrom: start, before: end, bucket: .seconds(bucket))
        try ConformanceFailure.expect(
          Set(found), Set(expected.map { RunCount(status: $0.status, start: $0.start, count: $1) }),
          "the counts from \(from) before \(before) by \(bucket) seconds")
      }
    },
    Case("Too many buckets or queues, and too short a bucket, are refused as invalid", needs: [.counting]) { fixture in
      let store = try fixture.counting()
      let start = fixture.time(0)
      _ = try await store.runCounts(createdFrom: start, before: start + .seconds(20), bucket: .seconds(1))
      let spans: [(Duration, Duration)] = [
        (.seconds(1_001), .seconds(1)), (.days(366), .seconds(1)), (.seconds(1), .zero), (.seconds(1), .seconds(-1)),
        (.seconds(1), .milliseconds(999)), (.seconds(1), .days(367)),
      ]
      for (span, bucket) in spans {
        try await refuse("a span of \(span) by \(bucket)") { () async throws(StoreError) in
          _ = try await store.runCounts(createdFrom: start, before: start + span, bucket: bucket)
        }
      }
      try await refuse("the longest span") { () async throws(StoreError) in
        _ = try await store.runCounts(createdFrom: .distantPast, before: .distantFuture, bucket: .days(1))
      }
      try await refuse("101 queues") { () async throws(StoreError) in
        _ = try await store.waitingRunCounts(tellingApart: Set((0..<101).map { "queue-\($0)" }))
      }
    },
  ]

  private static func refuse(_ subject: String, _ call: () async throws(StoreError) -> Void) async throws {
    do throws(StoreError) {
      try await call()
    } catch {
      return try ConformanceFailure.expect(error.code, .invalid, "the code of the error of \(subject)")
    }
    throw ConformanceFailure(subject, expected: "invalid", found: "success")
  }

  /// Writes 90 runs of all statuses and some queues, at each of eight times.
  private static func fillQueues(_ fixture: ConformanceFixture) async throws -> [Run] {
    let queues = [nil, "mail", "bulk", "caf\u{E9}", "caf\u{65}\u{301}", "nul\u{0}a", "nul\u{0}b"]
    let runs = (0..<90).map { number in
      var run = Samples.run(
        "run \(number)", status: RunStatus.allCases[number / 7 % 6], createdAt: fixture.time(Int64(number * 7 % 8)))
      run.queue = queues[number % 7]
      return run
    }
    _ = try await fixture.store.commit(runs.map { .putRun($0, .absent) })
    return runs
  }
}
