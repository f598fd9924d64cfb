import CloudJobs
import CloudJobsCore

/// The journal of passes.
extension StoreConformance {
  static let journalCases: [Case] = [
    Case("A journal entry comes back as it was") { fixture in
      let entry = Samples.entry("entry \u{0}é", fixture.time(-1))
      try await fixture.commit(.putJournal(entry))
      try ConformanceFailure.expect(
        try await fixture.store.journal(matching: JournalFilter(), limit: 5), [entry], "the journal")
    },
    Case("The journal is latest first and, of one time, by ids downwards") { fixture in
      let entries = [("a", 1), ("c", 2), ("b", 2), ("d", 0), ("B", 2)].map { name, seconds in
        Samples.entry(name, fixture.time(Int64(seconds)))
      }
      _ = try await fixture.store.commit(entries.map { .putJournal($0) })
      let found = try await fixture.store.journal(matching: JournalFilter(), limit: 10).map(\.id)
      try ConformanceFailure.expect(found, ["c", "b", "B", "a", "d"], "the ids")
    },
    Case("The journal leaves out what is later, and takes the time itself") { fixture in
      for seconds in 0..<5 {
        try await fixture.commit(.putJournal(Samples.entry("entry \(seconds)", fixture.time(Int64(seconds)))))
      }
      let found = try await fixture.store.journal(matching: JournalFilter(until: fixture.time(2)), limit: 2).map(\.id)
      try ConformanceFailure.expect(found, ["entry 2", "entry 1"], "the ids")
      let before = try await fixture.store.journal(
        matching: JournalFilter(until: fixture.time(2) - .microseconds(1)), limit: 2
      ).map(\.id)
      try ConformanceFailure.expect(before, ["entry 1", "entry 0"], "the ids a microsecond earlier")
    },
    Case("The journal lists the entries of a job within a time, earliest first if that is asked for") { fixture in
      let names = ["a", "b", "a \"job\":\"b\"", "\u{0}", "b", "ab"]
      for (index, name) in names.enumerated() {
        let time = fixture.time(Int64(index))
        var entry = Samples.entry("entry \(index)", time)
        entry.lines[0].job = name
        try await fixture.commit(.putJournal(entry))
      }
      for (filter, expected) in [
        (JournalFilter(job: "b"), ["entry 4", "entry 1"]),
        (JournalFilter(job: "b", isAscending: true), ["entry 1", "entry 4"]),
        (JournalFilter(job: "b", from: fixture.time(2)), ["entry 4"]),
        (JournalFilter(job: "b", from: fixture.time(1), until: fixture.time(3)), ["entry 1"]),
        (JournalFilter(job: "\u{0}"), ["entry 3"]), (JournalFilter(job: "none"), []),
        (JournalFilter(from: fixture.time(3), isAscending: true), ["entry 3", "entry 4", "entry 5"]),
      ] {
        let found = try await fixture.store.journal(matching: filter, limit: 5).map(\.id)
        try ConformanceFailure.expect(found, expected, "the ids for \(filter)")
      }
      let first = try await fixture.store.journal(matching: JournalFilter(job: "b", isAscending: true), limit: 1)
      try ConformanceFailure.expect(first.map(\.id), ["entry 1"], "the first id")
    },
    Case("A journal entry of the same id is replaced") { fixture in
      try await fixture.commit(.putJournal(Samples.entry("one", fixture.time(1), owner: "first")))
      let second = Samples.entry("one", fixture.time(5), owner: "second")
      try await fixture.commit(.putJournal(second))
      try ConformanceFailure.expect(
        try await fixture.store.journal(matching: JournalFilter(), limit: 5), [second], "the journal")
      let old = try await fixture.store.journal(matching: JournalFilter(until: fixture.time(1)), limit: 5)
      try ConformanceFailure.expect(old, [], "the journal until the first time")
    },
    Case("The journal takes a limit outside 1 to 500 for the nearest") { fixture in
      let writes = (0..<501).map { Write.putJournal(Samples.entry("entry \($0)", fixture.time(Int64($0)))) }
      _ = try await fixture.store.commit(Array(writes.prefix(500)))
      _ = try await fixture.store.commit(Array(writes.suffix(1)))
      for (limit, count) in [(Int.min, 1), (0, 1), (501, 500), (.max, 500)] {
        let entries = try await fixture.store.journal(matching: JournalFilter(), limit: limit)
        try ConformanceFailure.expect(entries.count, count, "the entries for a limit of \(limit)")
      }
    },
  ]
}
