import CloudJobs
import CloudJobsCore

/// The two lists by time: jobs that are due and runs that wake.
extension StoreConformance {
  static var dueCases: [Case] { timedCases(.dueJobs) + dueOnlyCases }
  static var wakingCases: [Case] { timedCases(.wakingRuns) }

  /// A list by time.
  private enum TimedList: String {
    case dueJobs, wakingRuns

    /// A write that gives the document of some name a time; nil takes it away.
    func write(_ name: JobID, _ time: Timestamp?) -> Write {
      switch self {
      case .dueJobs: .patchState(name, Samples.nextRun(time), .none)
      case .wakingRuns: .putRun(Samples.run("wake", job: name, wakeAt: time), .none)
      }
    }

    func delete(_ name: JobID) -> Write {
      switch self {
      case .dueJobs: .deleteJob(name, .none)
      case .wakingRuns: .deleteRun(Samples.id("wake", job: name), .none)
      }
    }

    /// The id by which the list orders a document.
    func id(_ name: JobID) -> String {
      switch self {
      case .dueJobs: name.rawValue
      case .wakingRuns: Samples.id("wake", job: name).rawValue
      }
    }

    func page(_ store: any JobStore, _ cursor: StoreCursor?, _ limit: Int) async throws -> StorePage<String> {
      switch self {
      case .dueJobs:
        let page = try await store.dueJobs(after: cursor, limit: limit)
        return StorePage(records: page.records.map(\.id), next: page.next, time: page.time)
      case .wakingRuns:
        let page = try await store.wakingRuns(after: cursor, limit: limit)
        return StorePage(records: page.records.map(\.id.rawValue), next: page.next, time: page.time)
      }
    }
  }

  private static func timedCases(_ list: TimedList) -> [Case] {
    membershipCases(list) + pagingCases(list)
  }

  private static func membershipCases(_ list: TimedList) -> [Case] {
    [
      Case("\(list.rawValue) is empty in an empty store") { fixture in
        let page = try await list.page(fixture.store, nil, 10)
        try ConformanceFailure.expect(page.records, [], "the records")
        try ConformanceFailure.expect(page.next, nil, "the cursor")
        try ConformanceFailure.expect(page.time, fixture.time(0), "the time")
      },
      Case("\(list.rawValue) answers a document at its time and after it, and not a microsecond before") { fixture in
        let time = fixture.time(10)
        try await fixture.commit(list.write("one", time))
        for (shift, count) in [(-1, 0), (0, 1), (1, 1)] {
          fixture.clock.set(time + .microseconds(shift))
          let page = try await list.page(fixture.store, nil, 10)
          try ConformanceFailure.expect(page.records.count, count, "the records \(shift) µs after the time")
        }
      },
      Case("\(list.rawValue) leaves out what has no time") { fixture in
        try await fixture.commit(
          list.write("none", nil), list.write("cleared", fixture.time(-1)), list.write("past", .distantPast))
        try await fixture.commit(list.write("cleared", nil))
        let page = try await list.page(fixture.store, nil, 10)
        try ConformanceFailure.expect(page.records, [list.id("past")], "the records")
      },
    ]
  }

  private static func pagingCases(_ list: TimedList) -> [Case] {
    [
      Case("\(list.rawValue) is in the order of time and then of ids, whatever the page's size") { fixture in
        let names: [JobID] = ["Zeta", "a", "a.b", "a-b", "a_b", "aa", "b", "m", "x", "z"]
        var expected = [(Int64, String)]()
        for (number, name) in names.enumerated() {
          let seconds = Int64([-3, -1, -1, -1, -2, -1, -1, -3, 0, 1][number])
          try await fixture.commit(list.write(name, fixture.time(seconds)))
          if seconds <= 0 { expected.append((seconds, list.id(name))) }
        }
        let order = expected.sorted { $0 < $1 }.map(\.1)
        for limit in [1, 2, 3, 4, 9, 10, 500] {
          let found = try await fixture.walk(limit) { try await list.page(fixture.store, $0, limit) }
          try ConformanceFailure.expect(found, order, "the ids by pages of \(limit)")
        }
      },
      Case("\(list.rawValue) ends without a cursor where the last page is just full") { fixture in
        for name in ["a", "b", "c", "d"] as [JobID] { try await fixture.commit(list.write(name, fixture.time(-1))) }
        let first = try await list.page(fixture.store, nil, 2)
        try ConformanceFailure.expect(first.next == nil, false, "the first page is the last")
        let second = try await list.page(fixture.store, first.next, 2)
        try ConformanceFailure.expect(second.records.count, 2, "the records of the second page")
        try ConformanceFailure.expect(second.next, nil, "the cursor of the second page")
      },
      Case("\(list.rawValue) goes on after a record that has moved or gone") { fixture in
        for (name, seconds) in [("a", -4), ("b", -3), ("c", -2), ("d", -1)] as [(JobID, Int64)] {
          try await fixture.commit(list.write(name, fixture.time(seconds)))
        }
        let first = try await list.page(fixture.store, nil, 2)
        try ConformanceFailure.expect(first.records, [list.id("a"), list.id("b")], "the first page")
        try await fixture.commit(list.write("a", fixture.time(60)), list.delete("b"))
        let second = try await list.page(fixture.store, first.next, 2)
        try ConformanceFailure.expect(second.records, [list.id("c"), list.id("d")], "the second page")
      },
      Case("\(list.rawValue) follows a document to its new time") { fixture in
        try await fixture.commit(list.write("one", fixture.time(-5)), list.write("two", fixture.time(-4)))
        try await fixture.commit(list.write("one", fixture.time(-3)))
        let page = try await list.page(fixture.store, nil, 10)
        try ConformanceFailure.expect(page.records, [list.id("two"), list.id("one")], "the records")
        try await fixture.commit(list.delete("two"))
        let rest = try await list.page(fixture.store, nil, 10)
        try ConformanceFailure.expect(rest.records, [list.id("one")], "the records after a deletion")
      },
      Case("\(list.rawValue) takes a limit outside 1 to 500 for the nearest") { fixture in
        let names = (0..<501).map { "job-\($0)" }
        let writes = try names.map { list.write(try JobID($0), fixture.time(-1)) }
        _ = try await fixture.store.commit(Array(writes.prefix(500)))
        _ = try await fixture.store.commit(Array(writes.suffix(1)))
        for (limit, count) in [(Int.min, 1), (0, 1), (501, 500), (.max, 500)] {
          let page = try await list.page(fixture.store, nil, limit)
          try ConformanceFailure.expect(page.records.count, count, "the records for a limit of \(limit)")
          try ConformanceFailure.expect(page.next == nil, false, "the page is the last")
        }
      },
    ]
  }

  private static let dueOnlyCases: [Case] = [
    Case("dueJobs answers documents whatever their configuration says") { fixture in
      var disabled = JobConfiguration()
      disabled.enabled = false
      disabled.endAt = .instant(fixture.time(-100))
      try await fixture.commit(.putConfiguration("off", disabled, .none))
      try await fixture.commit(.patchState("off", Samples.nextRun(fixture.time(-1)), .none))
      let page = try await fixture.store.dueJobs(after: nil, limit: 10)
      try ConformanceFailure.expect(page.records.map(\.id), ["off"], "the due jobs")
      try ConformanceFailure.expect(page.records.first?.nextRun, fixture.time(-1), "the time by which it is listed")
      try ConformanceFailure.expect(try page.records.first?.document.get().configuration, disabled, "the configuration")
    }
  ]
}

/// When work comes due.
extension StoreConformance {
  static let dueTimeCases: [Case] = [
    Case("An empty store has no due times", needs: [.dueTimes]) { fixture in
      let times = try await fixture.dueTimes()
      try ConformanceFailure.expect(
        times, DueTimes(time: fixture.time(0), earliestJob: nil, earliestRun: nil, next: nil), "the times")
    },
    Case("The earliest due time may have passed or be now; the next one is ahead", needs: [.dueTimes]) { fixture in
      try await fixture.commit(.patchState("late", Samples.nextRun(fixture.time(-9)), .none))
      try await fixture.commit(.putRun(Samples.run("now", wakeAt: fixture.time(0)), .none))
      let due = DueTimes(
        time: fixture.time(0), earliestJob: fixture.time(-9), earliestRun: fixture.time(0), next: nil)
      try ConformanceFailure.expect(try await fixture.dueTimes(), due, "the times while all has come")
      try await fixture.commit(.putRun(Samples.run("soon", wakeAt: fixture.time(3)), .none))
      try await fixture.commit(.patchState("later", Samples.nextRun(fixture.time(5)), .none))
      try ConformanceFailure.expect(try await fixture.dueTimes().next, fixture.time(3), "the next time, of a run")
      try await fixture.commit(.patchState("sooner", Samples.nextRun(fixture.time(1)), .none))
      try ConformanceFailure.expect(try await fixture.dueTimes().next, fixture.time(1), "the next time, of a job")
    },
    Case("Due times move with changes and deletions", needs: [.dueTimes]) { fixture in
      try await fixture.commit(.putRun(Samples.run("one", wakeAt: fixture.time(3)), .none))
      try await fixture.commit(.putRun(Samples.run("one", wakeAt: fixture.time(4)), .none))
      try ConformanceFailure.expect(try await fixture.dueTimes().earliest, fixture.time(4), "the changed time")
      try await fixture.commit(.putRun(Samples.run("one", wakeAt: nil), .none))
      try ConformanceFailure.expect(try await fixture.dueTimes().earliest, nil, "the time that was taken away")
      try await fixture.commit(.patchState("job", Samples.nextRun(fixture.time(2)), .none))
      try await fixture.commit(.deleteJob("job", .none))
      try ConformanceFailure.expect(try await fixture.dueTimes().earliest, nil, "the time of a deleted document")
    },
    Case("What has come stays the earliest when time moves on", needs: [.dueTimes]) { fixture in
      try await fixture.commit(.putRun(Samples.run("one", wakeAt: fixture.time(3)), .none))
      fixture.clock.advance(by: .seconds(3))
      let times = try await fixture.dueTimes()
      try ConformanceFailure.expect(
        times, DueTimes(time: fixture.time(3), earliestJob: nil, earliestRun: fixture.time(3), next: nil), "the times")
    },
  ]
}
