import CloudJobs
import CloudJobsCore

/// Configuration and state of a job's document.
extension StoreConformance {
  static let documentCases: [Case] = [
    Case("Every field of a configuration comes back as it was") { fixture in
      try await fixture.commit(.putConfiguration("one", Samples.fullConfiguration, .absent))
      let document = try await fixture.document("one")
      try ConformanceFailure.expect(document.configuration, Samples.fullConfiguration, "the configuration")
      try ConformanceFailure.expect(document.state, JobState(), "the state of a new document")
    },
    Case("Every field of a state comes back as it was") { fixture in
      try await fixture.commit(.patchState("one", Samples.fullPatch, .absent))
      let record = try ConformanceFailure.unwrap(try await fixture.record("one" as JobID), "the record")
      let document = try record.document.get()
      let expected = try JobState(fields: Samples.fullPatch.applied(to: nil))
      try ConformanceFailure.expect(document.state, expected, "the state")
      try ConformanceFailure.expect(document.configuration, JobConfiguration(), "the configuration of a new document")
      try ConformanceFailure.expect(record.nextRun, expected.nextRun, "the record's next run")
      try ConformanceFailure.expect(record.id, "one", "the record's id")
    },
    Case("A patch of the state keeps the configuration") { fixture in
      try await fixture.commit(.putConfiguration("one", Samples.fullConfiguration, .none))
      try await fixture.commit(.patchState("one", Samples.epoch(7), .none))
      let document = try await fixture.document("one")
      try ConformanceFailure.expect(document.configuration, Samples.fullConfiguration, "the configuration")
      try ConformanceFailure.expect(document.state.epoch, 7, "the state's epoch")
    },
    Case("A new configuration keeps the state") { fixture in
      try await fixture.commit(.patchState("one", Samples.fullPatch, .none))
      let before = try await fixture.document("one").state
      try await fixture.commit(.putConfiguration("one", Samples.configuration("new"), .none))
      try ConformanceFailure.expect(try await fixture.document("one").state, before, "the state")
    },
    Case("A new configuration drops the fields that it does not set") { fixture in
      try await fixture.commit(.putConfiguration("one", Samples.fullConfiguration, .none))
      try await fixture.commit(.putConfiguration("one", Samples.configuration("new"), .none))
      let document = try await fixture.document("one")
      try ConformanceFailure.expect(document.configuration, Samples.configuration("new"), "the configuration")
    },
    Case("A patch keeps the fields that it does not name") { fixture in
      try await fixture.commit(.patchState("one", Samples.fullPatch, .none))
      var expected = try await fixture.document("one").state
      try await fixture.commit(.patchState("one", Samples.epoch(1), .none))
      expected.epoch = 1
      try ConformanceFailure.expect(try await fixture.document("one").state, expected, "the state")
    },
    Case("A patch's null removes a field") { fixture in
      try await fixture.commit(.patchState("one", Samples.fullPatch, .none))
      var expected = try await fixture.document("one").state
      var patch = JobStatePatch()
      patch.set(nextRun: nil)
      patch.set(quarantine: nil)
      try await fixture.commit(.patchState("one", patch, .none))
      expected.nextRun = nil
      expected.quarantine = nil
      try ConformanceFailure.expect(try await fixture.document("one").state, expected, "the state")
      try ConformanceFailure.expect(
        try await fixture.record("one" as JobID)?.nextRun, nil, "the next run as the store lists it")
    },
    Case("A patch's null for a field that is not there is no failure") { fixture in
      try await fixture.commit(.patchState("one", Samples.nextRun(nil), .none))
      try ConformanceFailure.expect(try await fixture.document("one").state, JobState(), "the state")
    },
    Case("A patch that names nothing makes the document") { fixture in
      try await fixture.commit(.patchState("one", JobStatePatch(), .absent))
      try ConformanceFailure.expect(try await fixture.document("one"), JobDocument(id: "one"), "the document")
    },
    Case("An empty configuration makes the document") { fixture in
      try await fixture.commit(.putConfiguration("one", JobConfiguration(), .absent))
      try ConformanceFailure.expect(try await fixture.document("one"), JobDocument(id: "one"), "the document")
    },
    Case("A deleted document and its state are gone from all lists") { fixture in
      try await fixture.commit(
        .patchState("one", Samples.nextRun(fixture.time(-1)), .none), .patchState("two", JobStatePatch(), .none))
      try await fixture.commit(.deleteJob("one", .none))
      try ConformanceFailure.expect(try await fixture.record("one" as JobID) == nil, "the document is gone")
      let due = try await fixture.store.dueJobs(after: nil, limit: 5).records
      try ConformanceFailure.expect(due.map(\.id), [], "the due jobs")
      let jobs = try await fixture.store.jobs(after: nil, limit: 5).records
      try ConformanceFailure.expect(jobs.map(\.id), ["two"], "the jobs")
      try await fixture.commit(.putConfiguration("one", Samples.configuration("new"), .absent))
      try ConformanceFailure.expect(
        try await fixture.document("one").state, JobState(), "the state of the new document")
    },
    Case("A read answers what exists and leaves out what does not") { fixture in
      try await fixture.commit(.patchState("one", JobStatePatch(), .none), .putRun(Samples.run("one"), .none))
      let reading = try await fixture.store.read(
        jobs: ["one", "two", "one"], runs: [Samples.id("two"), Samples.id("one"), Samples.id("one")])
      try ConformanceFailure.expect(Set(reading.jobs.keys), ["one"], "the jobs read")
      try ConformanceFailure.expect(Set(reading.runs.keys), [Samples.id("one")], "the runs read")
    },
  ]
}
