import CloudJobs
import CloudJobsCore

/// Many callers at once, and what has expired.
extension StoreConformance {
  package static let concurrencyCases: [Case] = [
    Case("8 tasks with 200 conditional increments each lose nothing and double nothing") { fixture in
      let run = Samples.run("counter")
      try await fixture.commit(.putRun(run, .none))
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<8 { group.addTask { try await increment(run.id, by: 200, fixture.store) } }
        try await group.waitForAll()
      }
      try ConformanceFailure.expect(try await fixture.run(run.id)?.reenqueues, 1_600, "the counter")
    },
    Case("Of 100 tasks that claim one run exactly one wins") { fixture in
      let run = Samples.run("prize")
      try await fixture.commit(.putRun(run, .none))
      let version = try await fixture.version(run.id)
      let winners = try await wins(fixture, 100) { number in
        var claimed = run
        claimed.status = .running
        claimed.fence = Int64(number + 1)
        return [.putRun(claimed, .version(version))]
      }
      try ConformanceFailure.expect(winners.count, 1, "the winners")
      let fence = try await fixture.run(run.id)?.fence
      try ConformanceFailure.expect(fence, winners.first.map { Int64($0 + 1) }, "the winner's token")
    },
    Case("Of 100 tasks that make one run exactly one wins") { fixture in
      let winners = try await wins(fixture, 100) { number in
        var run = Samples.run("made once")
        run.reenqueues = number
        return [.putRun(run, .absent), .putJournal(Samples.entry("entry \(number)", ConformanceFixture.start))]
      }
      try ConformanceFailure.expect(winners.count, 1, "the winners")
      let journal = try await fixture.store.journal(matching: JournalFilter(), limit: 500).map(\.id)
      try ConformanceFailure.expect(journal, winners.map { "entry \($0)" }, "the winner's entry in the journal")
      try ConformanceFailure.expect(
        try await fixture.run(Samples.id("made once"))?.reenqueues, winners.first, "the winner's run")
    },
    Case("Refused and invalid commits do not fail those beside them") { fixture in
      try await fixture.commit(.putRun(Samples.run("taken"), .none))
      let winners = try await wins(fixture, 120) { number in
        switch number % 3 {
        case 0: return [.putRun(Samples.run("run \(number)"), .absent)]
        case 1: return [.putRun(Samples.run("run \(number)"), .absent), .putRun(Samples.run("taken"), .absent)]
        default: return [.putRun(Samples.run("twice"), .none), .putRun(Samples.run("twice"), .none)]
        }
      }
      try ConformanceFailure.expect(winners, (0..<120).filter { $0 % 3 == 0 }, "the commits that took place")
      let runs = try await fixture.store.runs(matching: RunFilter(), after: nil, limit: 500).records.map(\.id)
      let expected = Set(winners.map { Samples.id("run \($0)") } + [Samples.id("taken")])
      try ConformanceFailure.expect(Set(runs), expected, "the runs")
    },
    Case("Patches of different fields at once keep each other") { fixture in
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          for n in 1...50 { try await fixture.commit(.patchState("one", Samples.epoch(Int64(n)), .none)) }
        }
        group.addTask {
          for number in 1...50 {
            let patch = Samples.nextRun(ConformanceFixture.start + .seconds(number))
            try await fixture.commit(.patchState("one", patch, .none))
          }
        }
        group.addTask {
          for n in 1...50 { try await fixture.commit(.putConfiguration("one", Samples.configuration("\(n)"), .none)) }
        }
        try await group.waitForAll()
      }
      let document = try await fixture.document("one")
      try ConformanceFailure.expect(document.state.epoch, 50, "the epoch")
      try ConformanceFailure.expect(document.state.nextRun, fixture.time(50), "the next run")
      try ConformanceFailure.expect(document.configuration.group, "50", "the configuration")
    },
  ]

  static let purgeCases: [Case] = [
    Case("A purge deletes what has expired, first what expired first", needs: [.purging]) { fixture in
      let store = try fixture.purging()
      for (name, seconds) in [("c", -1), ("a", -3), ("b", -2), ("now", 0), ("later", 1)] as [(String, Int64)] {
        var run = Samples.run(name, status: .succeeded)
        run.expireAt = fixture.time(seconds)
        try await fixture.commit(.putRun(run, .none))
      }
      try await fixture.commit(.putRun(Samples.run("never"), .none))
      try ConformanceFailure.expect(try await store.purgeExpired(limit: 2), 2, "the runs purged first")
      try ConformanceFailure.expect(try await fixture.record(Samples.id("a")) == nil, "the first is gone")
      try ConformanceFailure.expect(try await fixture.record(Samples.id("c")) == nil, false, "the third is gone")
      try ConformanceFailure.expect(try await store.purgeExpired(limit: 9), 2, "the runs purged then")
      try ConformanceFailure.expect(try await store.purgeExpired(limit: 9), 0, "the runs purged last")
      let left = try await store.runs(matching: RunFilter(), after: nil, limit: 9).records.map(\.id)
      try ConformanceFailure.expect(Set(left), [Samples.id("later"), Samples.id("never")], "the runs left")
    },
    Case("A purge of logs deletes the entries that have expired, and no run", needs: [.purging]) { fixture in
      let store = try fixture.purging()
      let id = Samples.id("one")
      try await fixture.commit(.putRun(Samples.run("one"), .none))
      for (number, seconds) in [-3, -2, -1, 0, 1].enumerated() {
        let line = RunLogLine(time: fixture.time(0), level: "info", message: "line \(number)")
        let entry = RunLogEntry(
          run: number == 1 ? Samples.id("other") : id, sequence: Int64(number), lines: [line],
          expireAt: fixture.time(Int64(seconds)))
        try await fixture.commit(.putLog(entry))
      }
      try ConformanceFailure.expect(try await store.purgeLogs(limit: 3), 3, "the entries purged first")
      try ConformanceFailure.expect(try await store.purgeLogs(limit: 9), 1, "the entries purged then")
      try ConformanceFailure.expect(try await store.purgeLogs(limit: 9), 0, "the entries purged last")
      let left = try await store.log(of: id, after: nil, limit: 9)
      try ConformanceFailure.expect(left.flatMap(\.lines).map(\.message), ["line 4"], "the lines left")
      let other = try await store.log(of: Samples.id("other"), after: nil, limit: 9)
      try ConformanceFailure.expect(other.count, 0, "the entries of the other run")
      try ConformanceFailure.expect(try await fixture.run(id), Samples.run("one"), "the run")
    },
    Case("A purge of the journal deletes the oldest entries before a time", needs: [.purging]) { fixture in
      let store = try fixture.purging()
      for seconds in 0..<5 {
        try await fixture.commit(.putJournal(Samples.entry("entry \(seconds)", fixture.time(Int64(seconds)))))
      }
      try ConformanceFailure.expect(try await store.purgeJournal(before: fixture.time(3), limit: 2), 2, "purged first")
      try ConformanceFailure.expect(try await store.purgeJournal(before: fixture.time(3), limit: 2), 1, "purged then")
      let left = try await store.journal(matching: JournalFilter(), limit: 9).map(\.id)
      try ConformanceFailure.expect(left, ["entry 4", "entry 3"], "the entries left")
    },
  ]

  /// Adds 1 to a run's counter as often as asked, each time from what was read.
  private static func increment(_ id: RunID, by count: Int, _ store: any JobStore) async throws {
    var done = 0
    while done < count {
      let record = try ConformanceFailure.unwrap(try await store.read(jobs: [], runs: [id]).runs[id], "the run")
      var run = try record.run.get()
      run.reenqueues += 1
      do throws(StoreError) {
        _ = try await store.commit([.putRun(run, .version(record.version))])
        done += 1
      } catch {
        if error.code != .conflict { throw error }
      }
    }
  }

  /// Commits many lists at once; answers the numbers of those that took place.
  private static func wins(
    _ fixture: ConformanceFixture, _ count: Int, _ writes: @escaping @Sendable (Int) -> [Write]
  ) async throws -> [Int] {
    try await withThrowingTaskGroup(of: Int?.self) { group in
      for number in 0..<count {
        group.addTask {
          do throws(StoreError) {
            _ = try await fixture.store.commit(writes(number))
            return number
          } catch {
            if error.code == .unavailable || error.code == .unknownOutcome { throw error }
            return nil
          }
        }
      }
      return try await group.reduce(into: [Int]()) { $0 += $1.map { [$0] } ?? [] }.sorted()
    }
  }
}
