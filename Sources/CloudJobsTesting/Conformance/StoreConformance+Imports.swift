import CloudJobs
import CloudJobsCore

/// Documents that other programs and hands have written.
extension StoreConformance {
  static let importCases: [Case] = [
    Case("Members that are not known survive patches and configurations", needs: [.importing]) { fixture in
      try await fixture.importJob(
        "one",
        ["enabled": true, "colour": ["red", 1.5], "state": ["epoch": 1, "shard": "b", "breaker": ["open": true]]])
      try await fixture.commit(.patchState("one", Samples.epoch(2), .none))
      try await fixture.commit(.putConfiguration("one", Samples.configuration("new"), .none))
      try ConformanceFailure.expect(
        try await fixture.exportJob("one"),
        [
          "enabled": true, "group": "new", "colour": ["red", 1.5],
          "state": ["epoch": 2, "shard": "b", "breaker": ["open": true]],
        ], "the document's fields")
    },
    Case("A document with dates of other forms is read and due", needs: [.importing]) { fixture in
      let milliseconds = (fixture.time(-5).microseconds / 1_000)
      try await fixture.importJob("millis", ["enabled": true, "state": ["nextRun": .integer(milliseconds)]])
      try await fixture.importJob("offset", ["state": ["nextRun": "2026-01-01T12:59:56+01:00"]])
      try await fixture.importJob("float", ["state": ["nextRun": .double(Double(milliseconds) + 2_000)]])
      let due = try await fixture.store.dueJobs(after: nil, limit: 5).records
      try ConformanceFailure.expect(due.map(\.id), ["millis", "offset", "float"], "the due jobs")
      let times = try due.map { try $0.document.get().state.nextRun }
      try ConformanceFailure.expect(times, [fixture.time(-5), fixture.time(-4), fixture.time(-3)], "their times")
    },
    Case("A malformed document comes back as its failure and harms no other", needs: [.importing]) { fixture in
      let next: JSONValue = .string(fixture.time(-1).description)
      try await fixture.commit(.patchState("good", Samples.nextRun(fixture.time(-1)), .none))
      try await fixture.importJob("bad", ["cron": 7, "state": ["nextRun": next]])
      try await fixture.importJob("worse", ["state": ["nextRun": next, "epoch": "many"]])
      let due = try await fixture.store.dueJobs(after: nil, limit: 5).records
      try ConformanceFailure.expect(due.map(\.id), ["bad", "good", "worse"], "the due jobs")
      try ConformanceFailure.expect(due.map { fault($0) }, ["cron", nil, "state.epoch"], "the fields that fail")
      let jobs = try await fixture.store.jobs(after: nil, limit: 5).records
      try ConformanceFailure.expect(jobs.map { fault($0) }, ["cron", nil, "state.epoch"], "the fields that fail")
      let reading = try await fixture.store.read(jobs: ["bad", "good", "worse"], runs: [])
      try ConformanceFailure.expect(reading.jobs["bad"].map { fault($0) }, "cron", "the field that fails")
      try ConformanceFailure.expect(
        try reading.jobs["good"]?.document.get().state.nextRun, fixture.time(-1), "the good")
    },
    Case("A malformed document can be patched, mended and deleted", needs: [.importing]) { fixture in
      try await fixture.importJob("bad", ["cron": 7, "owner": "us", "state": ["epoch": 1]])
      let version = try await fixture.version("bad" as JobID)
      var patch = JobStatePatch()
      patch.set(quarantine: "cron")
      try await fixture.commit(.patchState("bad", patch, .version(version)))
      try ConformanceFailure.expect(
        try await fixture.record("bad" as JobID).map { fault($0) }, "cron", "the field that still fails")
      try await fixture.commit(.putConfiguration("bad", Samples.configuration("mended"), .none))
      let document = try await fixture.document("bad")
      try ConformanceFailure.expect(document.configuration, Samples.configuration("mended"), "the configuration")
      try ConformanceFailure.expect(document.state.quarantine, "cron", "the state")
      try ConformanceFailure.expect(document.state.epoch, 1, "the state")
      try await fixture.importJob("bad", ["enabled": "perhaps"])
      try await fixture.commit(.deleteJob("bad", .none))
      try ConformanceFailure.expect(try await fixture.record("bad" as JobID) == nil, "the document is gone")
    },
    Case("A document that is no object is a failure, and a patch makes it one", needs: [.importing]) { fixture in
      for (id, fields) in [("list", [1, 2]), ("null", nil), ("text", "hello")] as [(JobID, JSONValue)] {
        try await fixture.importJob(id.rawValue, fields)
        try ConformanceFailure.expect(try await fixture.record(id).map { fault($0) }, "document", "what fails of \(id)")
        try await fixture.commit(.patchState(id, Samples.epoch(3), .none))
        try ConformanceFailure.expect(try await fixture.document(id).state.epoch, 3, "the epoch of \(id)")
      }
    },
    Case("A state that is no object fails, and a patch replaces it", needs: [.importing]) { fixture in
      try await fixture.importJob("one", ["enabled": true, "state": "lost"])
      try ConformanceFailure.expect(try await fixture.record("one" as JobID).map { fault($0) }, "state", "what fails")
      try await fixture.commit(.patchState("one", Samples.epoch(3), .none))
      let document = try await fixture.document("one")
      try ConformanceFailure.expect(document.configuration.enabled, true, "the configuration")
      try ConformanceFailure.expect(document.state.epoch, 3, "the state")
      try await fixture.importJob("two", ["enabled": true, "state": nil])
      try ConformanceFailure.expect(try await fixture.document("two").state, JobState(), "a state of null")
    },
    Case("A next run that can't be read is not due", needs: [.importing]) { fixture in
      try await fixture.importJob("one", ["state": ["nextRun": "soon"]])
      try await fixture.importJob("two", ["state": ["nextRun": true]])
      try await fixture.importJob("three", ["state": ["nextRun": nil]])
      let due = try await fixture.store.dueJobs(after: nil, limit: 5).records
      try ConformanceFailure.expect(due.map(\.id), [], "the due jobs")
      try ConformanceFailure.expect(
        try await fixture.record("one" as JobID).map { fault($0) }, "state.nextRun", "the field that fails")
    },
    Case("Ids of any form are listed by their bytes; those that name no job are failures", needs: [.importing]) {
      fixture in
      let ids = ["", " spaced out", "Z", "a", "a/b", "caf\u{65}\u{301}", "caf\u{E9}", "日本", "🚀"]
      for id in ids.reversed() { try await fixture.importJob(id, ["group": .string(id)]) }
      let records = try await fixture.walk(2) { try await fixture.store.jobs(after: $0, limit: 2) }
      try ConformanceFailure.expect(records.map { Array($0.id.utf8) }, ids.map { Array($0.utf8) }, "the ids")
      let readable = records.filter { fault($0) == nil }
      try ConformanceFailure.expect(readable.map(\.id), ["Z", "a"], "the ids that name jobs")
    },
    Case("An import replaces the whole document and changes its version", needs: [.importing]) { fixture in
      try await fixture.commit(
        .putConfiguration("one", Samples.configuration("old"), .none), .putRun(Samples.run("other"), .none))
      try await fixture.commit(.patchState("one", Samples.nextRun(fixture.time(-1)), .none))
      let before = try await fixture.version("one" as JobID)
      try await fixture.importJob("one", ["enabled": false])
      try await fixture.refuse(.conflict, [.patchState("one", Samples.epoch(1), .version(before))])
      let document = try await fixture.document("one")
      try ConformanceFailure.expect(document.configuration.group, nil, "the old configuration's group")
      try ConformanceFailure.expect(document.state, JobState(), "the state")
      try ConformanceFailure.expect(
        try await fixture.store.dueJobs(after: nil, limit: 5).records.map(\.id), [], "the due jobs")
    },
  ]

  /// The field that could not be read, or nil where the document is readable.
  private static func fault(_ record: JobRecord) -> String? {
    if case .failure(let error) = record.document { error.field ?? error.code.rawValue } else { nil }
  }
}
