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
      Case("\(list.rawValue) is empty in an empty store") { world in
        let page = try await list.page(world.store, nil, 10)
        try ConformanceFailure.expect(page.records, [], "the records")
        try ConformanceFailure.expect(page.next, nil, "the cursor")
        try ConformanceFailure.expect(page.time, world.time(0), "the time")
      },
      Case("\(list.rawValue) answers a document at its time and after it, and not a microsecond before") { world in
        let time = world.time(10)
        try await world.commit(list.write("one", time))
        for (shift, count) in [(-1, 0), (0, 1), (1, 1)] {
          world.clock.set(time + .microseconds(shift))
          let page = try await list.page(world.store, nil, 10)
          try ConformanceFailure.expect(page.records.count, count, "the records \(shift) µs after the time")
        }
      },
      Case("\(list.rawValue) leaves out what has no time") { world in
        try await world.commit(
          list.write("none", nil), list.write("cleared", world.time(-1)), list.write("past", .distantPast))
        try await world.commit(list.write("cleared", nil))
        let page = try await list.page(world.store, nil, 10)
        try ConformanceFailure.expect(page.records, [list.id("past")], "the records")
      },
    ]
  }

  private static func pagingCases(_ list: TimedList) -> [Case] {
    [
      Case("\(list.rawValue) is in the order of time and then of ids, whatever the page's size") { world in
        let names: [JobID] = ["Zeta", "a", "a.b", "a-b", "a_b", "aa", "b", "m", "x", "z"]
        var expected = [(Int64, String)]()
        for (number, name) in names.enumerated() {
          let seconds = Int64([-3, -1, -1, -1, -2, -1, -1, -3, 0, 1][number])
          try await world.commit(list.write(name, world.time(seconds)))
          if seconds <= 0 { expected.append((seconds, list.id(name))) }
        }
        let order = expected.sorted { $0 < $1 }.map(\.1)
        for limit in [1, 2, 3, 4, 9, 10, 500] {
          let found = try await world.walk(limit) { try await list.page(world.store, $0, limit) }
          try ConformanceFailure.expect(found, order, "the ids by pages of \(limit)")
        }
      },
      Case("\(list.rawValue) ends without a cursor where the last page is just full") { world in
        for name in ["a", "b", "c", "d"] as [JobID] { try await world.commit(list.write(name, world.time(-1))) }
        let first = try await list.page(world.store, nil, 2)
        try ConformanceFailure.expect(first.next == nil, false, "the first page is the last")
        let second = try await list.page(world.store, first.next, 2)
        try ConformanceFailure.expect(second.records.count, 2, "the records of the second page")
        try ConformanceFailure.expect(second.next, nil, "the cursor of the second page")
      },
      Case("\(list.rawValue) goes on after a record that has moved or gone") { world in
        for (name, seconds) in [("a", -4), ("b", -3), ("c", -2), ("d", -1)] as [(JobID, Int64)] {
          try await world.commit(list.write(name, world.time(seconds)))
        }
        let first = try await list.page(world.store, nil, 2)
        try ConformanceFailure.expect(first.records, [list.id("a"), list.id("b")], "the first page")
        try await world.commit(list.write("a", world.time(60)), list.delete("b"))
        let second = try await list.page(world.store, first.next, 2)
        try ConformanceFailure.expect(second.records, [list.id("c"), list.id("d")], "the second page")
      },
      Case("\(list.rawValue) follows a document to its new time") { world in
        try await world.commit(list.write("one", world.time(-5)), list.write("two", world.time(-4)))
        try await world.commit(list.write("one", world.time(-3)))
        let page = try await list.page(world.store, nil, 10)
        try ConformanceFailure.expect(page.records, [list.id("two"), list.id("one")], "the records")
        try await world.commit(list.delete("two"))
        let rest = try await list.page(world.store, nil, 10)
        try ConformanceFailure.expect(rest.records, [list.id("one")], "the records after a deletion")
      },
      Case("\(list.rawValue) takes a limit outside 1 to 500 for the nearest") { world in
        let names = (0..<501).map { "job-\($0)" }
        let writes = try names.map { list.write(try JobID($0), world.time(-1)) }
        _ = try await world.store.commit(Array(writes.prefix(500)))
        _ = try await world.store.commit(Array(writes.suffix(1)))
        for (limit, count) in [(Int.min, 1), (0, 1), (501, 500), (.max, 500)] {
          let page = try await list.page(world.store, nil, limit)
          try ConformanceFailure.expect(page.records.count, count, "the records for a limit of \(limit)")
          try ConformanceFailure.expect(page.next == nil, false, "the page is the last")
        }
      },
    ]
  }

  private static let dueOnlyCases: [Case] = [
    Case("dueJobs answers documents whatever their configuration says") { world in
      var disabled = JobConfiguration()
      disabled.enabled = false
      disabled.endAt = .instant(world.time(-100))
      try await world.commit(.putConfiguration("off", disabled, .none))
      try await world.commit(.patchState("off", Samples.nextRun(world.time(-1)), .none))
      let page = try await world.store.dueJobs(after: nil, limit: 10)
      try ConformanceFailure.expect(page.records.map(\.id), ["off"], "the due jobs")
      try ConformanceFailure.expect(page.records.first?.nextRun, world.time(-1), "the time by which it is listed")
      try ConformanceFailure.expect(try page.records.first?.document.get().configuration, disabled, "the configuration")
    }
  ]
}

/// When work comes due.
extension StoreConformance {
  static let dueTimeCases: [Case] = [
    Case("An empty store has no due times", needs: [.dueTimes]) { world in
      let times = try await world.dueTimes()
      try ConformanceFailure.expect(times, DueTimes(time: world.time(0), earliest: nil, next: nil), "the times")
    },
    Case("The earliest due time may have passed or be now; the next one is ahead", needs: [.dueTimes]) { world in
      try await world.commit(.patchState("late", Samples.nextRun(world.time(-9)), .none))
      try await world.commit(.putRun(Samples.run("now", wakeAt: world.time(0)), .none))
      let due = DueTimes(time: world.time(0), earliest: world.time(-9), next: nil)
      try ConformanceFailure.expect(try await world.dueTimes(), due, "the times while all has come")
      try await world.commit(.putRun(Samples.run("soon", wakeAt: world.time(3)), .none))
      try await world.commit(.patchState("later", Samples.nextRun(world.time(5)), .none))
      try ConformanceFailure.expect(try await world.dueTimes().next, world.time(3), "the next time, of a run")
      try await world.commit(.patchState("sooner", Samples.nextRun(world.time(1)), .none))
      try ConformanceFailure.expect(try await world.dueTimes().next, world.time(1), "the next time, of a job")
    },
    Case("Due times move with changes and deletions", needs: [.dueTimes]) { world in
      try await world.commit(.putRun(Samples.run("one", wakeAt: world.time(3)), .none))
      try await world.commit(.putRun(Samples.run("one", wakeAt: world.time(4)), .none))
      try ConformanceFailure.expect(try await world.dueTimes().earliest, world.time(4), "the changed time")
      try await world.commit(.putRun(Samples.run("one", wakeAt: nil), .none))
      try ConformanceFailure.expect(try await world.dueTimes().earliest, nil, "the time that was taken away")
      try await world.commit(.patchState("job", Samples.nextRun(world.time(2)), .none))
      try await world.commit(.deleteJob("job", .none))
      try ConformanceFailure.expect(try await world.dueTimes().earliest, nil, "the time of a deleted document")
    },
    Case("What has come stays the earliest when time moves on", needs: [.dueTimes]) { world in
      try await world.commit(.putRun(Samples.run("one", wakeAt: world.time(3)), .none))
      world.clock.advance(by: .seconds(3))
      let times = try await world.dueTimes()
      try ConformanceFailure.expect(
        times, DueTimes(time: world.time(3), earliest: world.time(3), next: nil), "the times")
    },
  ]
}
