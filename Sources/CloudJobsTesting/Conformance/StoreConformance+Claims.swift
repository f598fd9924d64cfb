import CloudJobs
import CloudJobsCore

/// Claims of many due runs in one call.
extension StoreConformance {
  static let claimCases: [Case] = [
    Case("A claim reads what is due in the order of its times, up to its limit", needs: [.claiming]) { fixture in
      for (name, seconds) in [("c", -1), ("a", -3), ("b", -2), ("now", 0), ("later", 1)] as [(String, Int64)] {
        try await fixture.commit(.putRun(Samples.run(name, wakeAt: fixture.time(seconds)), .none))
      }
      let store = try fixture.claiming()
      let first = try await store.claim(after: nil, limit: 2, reading: []) { records, _ in records.map { _ in [] } }
      try ConformanceFailure.expect(first.runs.map(\.record.id), ids("a", "b"), "the first page")
      let second = try await store.claim(after: first.next, limit: 10, reading: []) { records, _ in
        records.map { _ in [] }
      }
      try ConformanceFailure.expect(second.runs.map(\.record.id), ids("c", "now"), "the second page")
      try ConformanceFailure.expect(second.next, nil, "the cursor of the last page")
      try ConformanceFailure.expect(second.time, fixture.time(0), "the time")
    },
    Case("Runs without writes stay as they are, and all others change", needs: [.claiming]) { fixture in
      for name in ["a", "b", "c"] {
        try await fixture.commit(.putRun(Samples.run(name, wakeAt: fixture.time(-1)), .none))
      }
      let before = try await fixture.store.read(jobs: [], runs: ids("a", "b", "c")).runs.mapValues(\.version)
      let claims = try await fixture.claiming().claim(after: nil, limit: 10, reading: []) { records, reading in
        records.map { $0.id == Samples.id("b") ? [] : [claim($0, until: reading.time + .seconds(60))] }
      }
      let outcomes = Dictionary(uniqueKeysWithValues: claims.runs.map { ($0.record.id, word(of: $0)) })
      let words = [Samples.id("a"): "done", Samples.id("b"): "none", Samples.id("c"): "done"]
      try ConformanceFailure.expect(outcomes, words, "the outcomes")
      let after = try await fixture.store.read(jobs: [], runs: ids("a", "b", "c")).runs
      for name in ["a", "b", "c"] {
        let id = Samples.id(name)
        let status = try ConformanceFailure.unwrap(after[id], name).run.get().status
        try ConformanceFailure.expect(status, name == "b" ? .pending : .running, "the status of \(name)")
        try ConformanceFailure.expect(
          after[id]?.version == before[id], name == "b", "the version of \(name) is the old")
      }
      let left = try await fixture.store.wakingRuns(after: nil, limit: 10).records.map(\.id)
      try ConformanceFailure.expect(left, ids("b"), "what is still due")
    },
    Case("The plan of a claim has the documents of the jobs that it asks for", needs: [.claiming]) { fixture in
      for (name, seconds) in [("one", 1), ("two", 2)] as [(JobID, Int64)] {
        try await fixture.commit(.patchState(name, Samples.nextRun(fixture.time(seconds)), .none))
        try await fixture.commit(.patchState(name, Samples.nextRun(fixture.time(seconds * 10)), .none))
      }
      let versions = [try await fixture.version("one" as JobID), try await fixture.version("two" as JobID)]
      try await fixture.commit(.putRun(Samples.run("a", wakeAt: fixture.time(-1)), .none))
      let asked: [JobID] = ["one", "two", "missing"]
      let claims = try await fixture.claiming().claim(after: nil, limit: 10, reading: asked) { records, reading in
        let times = ["one", "two"].map { (try? reading.jobs[$0]?.document.get())?.state.nextRun }
        let isWhole =
          times == [fixture.time(10), fixture.time(20)] && reading.jobs.count == 2
          && versions == [reading.jobs["one"]?.version, reading.jobs["two"]?.version]
        return records.map { isWhole ? [claim($0, until: reading.time + .seconds(60))] : [] }
      }
      try ConformanceFailure.expect(claims.runs.map(word), ["done"], "the outcome of a plan with both documents")
    },
    Case("Writes of a run that are refused change nothing, and do not affect other runs", needs: [.claiming]) {
      fixture in
      let limit = JobLimit(.job("sample"), maxConcurrent: 1)
      for (number, name) in ["a", "b", "c", "d"].enumerated() {
        try await fixture.commit(.putRun(Samples.run(name, wakeAt: fixture.time(Int64(number) - 9)), .none))
      }
      let claims = try await fixture.claiming().claim(after: nil, limit: 10, reading: []) { records, reading in
        records.map { record in
          let put = claim(record, until: reading.time + .seconds(60))
          let take = Write.changeLedger(
            limit.ledger, .take(LimitPermit(record.id, until: reading.time + .seconds(60), limit)))
          switch record.id {
          case Samples.id("a"): return [put, .patchState("job", Samples.nextRun(reading.time), .version(Version(7)))]
          case Samples.id("d"): return [put]
          default: return [put, take]
          }
        }
      }
      try ConformanceFailure.expect(claims.runs.map(word), ["conflict", "done", "refused", "done"], "the outcomes")
      let left = try await fixture.store.wakingRuns(after: nil, limit: 10).records.map(\.id)
      try ConformanceFailure.expect(left, ids("a", "c"), "what is still due")
      let ledger = try await fixture.store.read(jobs: [], runs: [], ledgers: [limit.ledger]).ledgers[limit.ledger]
      try ConformanceFailure.expect(ledger?.ledger?.limits?.holders.count, 1, "the permits")
    },
    Case("Of runs that change one document under its version, the first succeeds", needs: [.claiming]) { fixture in
      try await fixture.commit(.patchState("job", Samples.nextRun(fixture.time(9)), .none))
      let version = try await fixture.version("job" as JobID)
      for (number, name) in ["a", "b", "c"].enumerated() {
        try await fixture.commit(.putRun(Samples.run(name, wakeAt: fixture.time(Int64(number) - 9)), .none))
      }
      let claims = try await fixture.claiming().claim(after: nil, limit: 10, reading: []) { records, reading in
        records.map { record in
          let patch = Samples.nextRun(reading.time)
          return [
            claim(record, until: reading.time + .seconds(60)),
            .patchState("job", patch, record.id == Samples.id("c") ? .none : .version(version)),
          ]
        }
      }
      try ConformanceFailure.expect(claims.runs.map(word), ["done", "conflict", "done"], "the outcomes")
    },
    Case("Of runs that change one document without a condition, each one's change counts", needs: [.claiming]) {
      fixture in
      for name in ["a", "b"] { try await fixture.commit(.putRun(Samples.run(name, wakeAt: fixture.time(-1)), .none)) }
      let claims = try await fixture.claiming().claim(after: nil, limit: 10, reading: []) { records, reading in
        records.map { record in
          var patch = JobStatePatch()
          if record.id == Samples.id("a") { patch.set(retries: 7) } else { patch.set(epoch: 8) }
          let child = Write.putRun(Samples.run("child"), .absent)
          return [claim(record, until: reading.time + .seconds(60)), .patchState("job", patch, .none)]
            + (record.id == Samples.id("a") ? [] : [child])
        }
      }
      try ConformanceFailure.expect(claims.runs.map(word), ["done", "done"], "the outcomes")
      let state = try await fixture.store.read(jobs: ["job"], runs: []).jobs["job"]?.document.get().state
      try ConformanceFailure.expect(state?.retries == 7 && state?.epoch == 8, "both changes")
      try await fixture.commit(.putRun(Samples.run("c", wakeAt: fixture.time(-1)), .none))
      try await fixture.commit(.putRun(Samples.run("d", wakeAt: fixture.time(-1)), .none))
      let rivals = try await fixture.claiming().claim(after: nil, limit: 10, reading: []) { records, reading in
        records.map { [claim($0, until: reading.time + .seconds(60)), .putRun(Samples.run("other child"), .absent)] }
      }
      try ConformanceFailure.expect(Set(rivals.runs.map(word)), ["done", "conflict"], "of equal children one is new")
    },
    Case("Of claims at the same time, each gets other runs", needs: [.claiming]) { fixture in
      let names = (0..<120).map { "run \($0)" }
      _ = try await fixture.store.commit(
        names.map { .putRun(Samples.run($0, wakeAt: fixture.time(-1)), .absent) })
      let store = try fixture.claiming()
      let claimed = try await withThrowingTaskGroup(of: [RunID].self) { group in
        for _ in 0..<6 {
          group.addTask {
            var ids = [RunID]()
            while true {
              let claims = try await store.claim(after: nil, limit: 7, reading: []) { records, reading in
                records.map { [claim($0, until: reading.time + .seconds(60))] }
              }
              if claims.runs.isEmpty { return ids }
              ids += claims.runs.filter { word(of: $0) == "done" }.map(\.record.id)
            }
          }
        }
        return try await group.reduce(into: []) { $0 += $1 }
      }
      try ConformanceFailure.expect(claimed.count, 120, "the claims")
      try ConformanceFailure.expect(Set(claimed), Set(names.map { Samples.id($0) }), "the claimed runs")
    },
  ]

  private static func ids(_ names: String...) -> [RunID] { names.map { Samples.id($0) } }

  private static func claim(_ record: RunRecord, until lease: Timestamp) -> Write {
    guard var run = try? record.run.get() else { return .deleteRun(record.id, .absent) }
    (run.status, run.wakeAt) = (.running, lease)
    run.fence += 1
    return .putRun(run, .version(record.version))
  }

  private static func word(of claim: RunClaims.Claim) -> String {
    switch claim.outcome {
    case nil: "none"
    case .success?: "done"
    case .failure(let error)?: error.code.rawValue
    }
  }
}
