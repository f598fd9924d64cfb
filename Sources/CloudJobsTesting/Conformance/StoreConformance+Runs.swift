import CloudJobs
import CloudJobsCore

/// Runs and their payloads.
extension StoreConformance {
  static let runCases: [Case] = [
    Case("Every field of a run comes back as it was") { fixture in
      let run = Samples.fullRun("full")
      try await fixture.commit(.putRun(run, .absent))
      try ConformanceFailure.expect(try await fixture.run(run.id), run, "the run")
    },
    Case("A run with the least fields comes back as it was") { fixture in
      let run = Samples.run("least")
      try await fixture.commit(.putRun(run, .absent))
      try ConformanceFailure.expect(try await fixture.run(run.id), run, "the run")
    },
    Case("A run that is put again loses the fields that it no longer has") { fixture in
      let full = Samples.fullRun("one")
      try await fixture.commit(.putRun(full, .none))
      let least = Samples.run("one")
      try await fixture.commit(.putRun(least, .none))
      try ConformanceFailure.expect(try await fixture.run(full.id), least, "the run")
      try await fixture.commit(.putRun(full, .none))
      try ConformanceFailure.expect(try await fixture.run(full.id), full, "the run put a third time")
    },
    Case("A run's extreme values come back as they were") { fixture in
      var run = Samples.run("extreme", createdAt: .distantPast, wakeAt: .distantFuture, fence: .max)
      run.notBefore = .distantFuture
      run.expireAt = .distantFuture
      run.startedAt = .distantPast
      run.priority = .min
      run.attempt = .max
      run.maxAttempts = .max
      run.lease = Lease(owner: "", token: .min, expiresAt: .epoch)
      try await fixture.commit(.putRun(run, .none))
      try ConformanceFailure.expect(try await fixture.run(run.id), run, "the run")
    },
    Case("A run's texts come back byte for byte") { fixture in
      for (number, text) in texts.enumerated() {
        var run = Samples.run("text \(number)")
        run.reason = text
        run.correlationID = text
        run.uniqueKey = text
        run.failure = RunFailure(kind: text, message: text)
        try await fixture.commit(.putRun(run, .none))
        let found = try ConformanceFailure.unwrap(try await fixture.run(run.id), "the run")
        for value in [found.reason, found.correlationID, found.uniqueKey, found.failure?.message] {
          try ConformanceFailure.expect(value.map { Array($0.utf8) }, Array(text.utf8), "text \(number)")
        }
      }
    },
    Case("A run may go from any state to any other") { fixture in
      for first in RunStatus.allCases {
        for second in RunStatus.allCases {
          try await fixture.commit(.putRun(Samples.run("one", status: first), .none))
          try await fixture.commit(.putRun(Samples.run("one", status: second), .none))
          try ConformanceFailure.expect(try await fixture.run(Samples.id("one"))?.status, second, "the status")
        }
      }
    },
    Case("A run's job, cause and time of making may change, and the lists follow") { fixture in
      var run = Samples.run("one", createdAt: fixture.time(0), wakeAt: fixture.time(-1))
      run.correlationID = "before"
      try await fixture.commit(.putRun(run, .none))
      run.job = "other"
      run.correlationID = "after"
      run.createdAt = fixture.time(9)
      run.wakeAt = nil
      run.status = .succeeded
      try await fixture.commit(.putRun(run, .none))
      let old = [
        RunFilter(job: "sample"), RunFilter(statuses: [.pending]), RunFilter(createdBefore: fixture.time(9)),
        RunFilter(correlationID: "before"),
      ]
      for filter in old {
        let page = try await fixture.store.runs(matching: filter, after: nil, limit: 5)
        try ConformanceFailure.expect(page.records.count, 0, "the runs of the old values")
      }
      let new = RunFilter(
        job: "other", statuses: [.succeeded], createdFrom: fixture.time(9), correlationID: "after")
      let page = try await fixture.store.runs(matching: new, after: nil, limit: 5)
      try ConformanceFailure.expect(page.records.map(\.id), [run.id], "the runs of the new values")
      let waking = try await fixture.store.wakingRuns(after: nil, limit: 5)
      try ConformanceFailure.expect(waking.records.count, 0, "the waking runs")
    },
  ]

  static let payloadCases: [Case] = [
    Case("A payload's bytes come back as they were given") { fixture in
      for (number, text) in payloads.enumerated() {
        var run = Samples.run("payload \(number)")
        run.input = try JSONText(checking: Array(text.utf8))
        run.output = try JSONText(checking: Array(" \(text)\n".utf8))
        try await fixture.commit(.putRun(run, .none))
        try ConformanceFailure.expect(try await fixture.run(run.id), run, "the run with payload \(number)")
      }
    },
    Case("A payload of null is not the same as none") { fixture in
      var run = Samples.run("null")
      run.input = .null
      try await fixture.commit(.putRun(run, .none))
      try ConformanceFailure.expect(try await fixture.run(run.id)?.input, .null, "the input")
      try ConformanceFailure.expect(try await fixture.run(run.id)?.output, nil, "the output")
    },
    Case("Payloads of a mebibyte come back byte for byte") { fixture in
      let text = "\"xxxxxx" + String(repeating: "ä🚀\\n", count: 131_071) + "\""
      try ConformanceFailure.expect(text.utf8.count, JSONLimits.envelope.bytes, "the bytes of the largest payload")
      var run = Samples.run("large")
      run.input = try JSONText(checking: Array(text.utf8))
      run.output = run.input
      try await fixture.commit(.putRun(run, .none))
      try ConformanceFailure.expect(try await fixture.run(run.id), run, "the run")
      let listed = try await fixture.store.runs(matching: RunFilter(job: "sample"), after: nil, limit: 1).records
      try ConformanceFailure.expect(try listed.first?.run.get(), run, "the run as listed")
    },
    Case("Payloads stay when the rest of the run changes") { fixture in
      var run = Samples.run("kept")
      run.input = JSONText(trusted: Array(#" { "b" : 1.0, "a" : 2 } "#.utf8))
      try await fixture.commit(.putRun(run, .none))
      for number in 1...3 {
        run.reenqueues = number
        try await fixture.commit(.putRun(run, .fence(0)))
      }
      try ConformanceFailure.expect(try await fixture.run(run.id), run, "the run")
    },
  ]

  private static let texts = [
    "", " ", "\"quoted\" \\ back / slash", "line\nfeed\r\ttab", "\u{0}nul\u{0}\u{1}\u{1F}\u{7F}", "e\u{301} and \u{E9}",
    "日本語 العربية 🚀👩‍👩‍👧‍👦", "\u{FEFF}mark", "\u{2028}\u{2029}", "'; DROP TABLE runs; --", "%_*?[a-z]",
    String(repeating: "long ", count: 400),
  ]

  private static let payloads = [
    "{}", "[]", "0", "-0", "1.0", "1e2", "1E+2", "0.1", "18446744073709551616", "9007199254740993", "true",
    #"{"b":1,"a":2}"#, "{ \"a\" :\t[ 1 ,\r\n2 ] }", #""\u0041\/\ud83d\ude80""#, #""é 日本 🚀""#,
    #"{"a":{"a":{"a":null}}}"#,
    #""\u0000""#, "12345678901234567890.123456789012345678901234567890",
  ]
}
