import CloudJobs
import CloudJobsCore

/// Ledgers: the documents that runs share.
extension StoreConformance {
  static let ledgerCases: [Case] = [
    Case("A ledger comes back as it was, with a version that each change changes") { fixture in
      var versions = Set<Version>()
      for number in 0..<3 {
        let ledger = Ledger.unique(holder("run \(number)"))
        try await fixture.commit(.putLedger(.unique("sample", key: "a/b é"), ledger, .none))
        let record = try await ConformanceFailure.unwrap(
          fixture.ledger(.unique("sample", key: "a/b é")), "the ledger of a key")
        try ConformanceFailure.expect(record.ledger, ledger, "the ledger of a key")
        versions.insert(record.version)
      }
      try ConformanceFailure.expect(versions.count, 3, "the different versions of three writes")
      var account = LimitLedger()
      account.holders = [Samples.id("a"): fixture.time(60), Samples.id("b"): fixture.time(61)]
      (account.waiters, account.hasMoreWaiters) = ([Samples.id("c"), Samples.id("b")], true)
      (account.starts, account.newStarts) = ([fixture.time(0): 2, fixture.time(1): 3], 4)
      (account.period, account.nextSlot) = (.seconds(64), fixture.time(9))
      account.expireAt = fixture.time(90)
      try await fixture.commit(.putLedger(.group("any / name"), .limits(account), .absent))
      try ConformanceFailure.expect(
        try await fixture.ledger(.group("any / name"))?.ledger, .limits(account), "the account of a limit")
    },
    Case("A ledger's precondition is checked, and a deleted one is gone") { fixture in
      let id = LedgerID.unique("sample", key: "one")
      let ledger = Ledger.unique(holder("first"))
      try await fixture.commit(.putLedger(id, ledger, .absent))
      let version = try await ConformanceFailure.unwrap(fixture.ledger(id), "the ledger").version
      try await fixture.refuse(.conflict, [.putLedger(id, ledger, .absent)], "a second creation")
      try await fixture.refuse(.invalid, [.putLedger(id, ledger, .fence(1))], "a fencing token")
      try await fixture.refuse(
        .invalid, [.putLedger(id, nil, .none), .changeLedger(id, .give([]))], "two writes of one ledger")
      try await fixture.commit(.putLedger(id, .unique(holder("second")), .version(version)))
      try await fixture.refuse(.conflict, [.putLedger(id, nil, .version(version))], "an old version")
      try await fixture.commit(.putLedger(id, nil, .none))
      try ConformanceFailure.expect(try await fixture.ledger(id) == nil, "the ledger is gone")
      try await fixture.refuse(.conflict, [.putLedger(id, ledger, .version(version))], "the version of a deleted one")
    },
    Case("Starts that leave everything else of an account as it was are counted") { fixture in
      let limit = JobLimit(.job("sample"), rate: RateLimit(1, per: .seconds(64)))
      func start(_ name: String) -> Write {
        .changeLedger(limit.ledger, .take(LimitPermit(Samples.id(name), until: fixture.time(600), limit)))
      }
      for name in ["a", "b", "c"] {
        try await fixture.commit(start(name))
        fixture.clock.advance(by: .seconds(1))
        try await fixture.refuse(.refused, [start("early")], "a second start in the period")
        fixture.clock.advance(by: .seconds(130))
      }
    },
    Case("A permit beyond the limit is refused together with the rest of its commit, until one is given back") {
      fixture in
      let id = LedgerID.job("sample")
      for name in ["a", "b"] { try await fixture.commit(.putRun(Samples.run(name), .absent), take(id, name, fixture)) }
      do throws(StoreError) {
        _ = try await fixture.store.commit([.putRun(Samples.run("c"), .absent), take(id, "c", fixture)])
        throw StoreError(.invalid, "The commit was not refused.")
      } catch {
        try ConformanceFailure.expect(error.code, .refused, "the code of the refusal")
        try ConformanceFailure.expect(error.refusal?.ledger, id, "the ledger of the refusal")
      }
      try ConformanceFailure.expect(try await fixture.run(Samples.id("c")) == nil, "nothing of the commit is stored")
      try await fixture.commit(take(id, "a", fixture))
      try await fixture.refuse(
        .conflict, [.putRun(Samples.run("a"), .absent), take(id, "a", fixture)], "a commit with a false precondition")
      try await fixture.commit(.changeLedger(id, .give([Samples.id("b"), Samples.id("unknown")])))
      try await fixture.commit(.putRun(Samples.run("c"), .absent), take(id, "c", fixture))
      let holders = try await fixture.ledger(id)?.ledger?.limits?.holders.keys
      try ConformanceFailure.expect(holders.map { Set($0) }, [Samples.id("a"), Samples.id("c")], "the holders")
    },
    Case("A permit expires by the store's clock") { fixture in
      let id = LedgerID.group("sample")
      for name in ["a", "b"] { try await fixture.commit(take(id, name, fixture)) }
      fixture.clock.advance(by: .seconds(59))
      try await fixture.refuse(.refused, [take(id, "c", fixture)], "a permit a second before")
      fixture.clock.advance(by: .seconds(1))
      try await fixture.commit(take(id, "c", fixture))
    },
    Case("A run begins to wait only while there is no room") { fixture in
      let id = LedgerID.job("sample")
      for name in ["a", "b"] { try await fixture.commit(take(id, name, fixture)) }
      let enlistment = Write.changeLedger(id, .enlist(permit(id, "c", fixture)))
      try await fixture.commit(enlistment)
      try ConformanceFailure.expect(
        try await fixture.ledger(id)?.ledger?.limits?.waiters, [Samples.id("c")], "the runs that wait")
      try await fixture.commit(.changeLedger(id, .give([Samples.id("a")])))
      try await fixture.refuse(.conflict, [enlistment], "the wait of a run that has room")
    },
    Case("Starts are counted by the time of the commit") { fixture in
      let limit = JobLimit(.job("sample"), rate: RateLimit(2, per: .seconds(64)))
      func start(_ name: String) -> Write {
        .changeLedger(limit.ledger, .take(LimitPermit(Samples.id(name), until: fixture.time(60), limit)))
      }
      try await fixture.commit(start("a"))
      fixture.clock.advance(by: .seconds(30))
      try await fixture.commit(start("b"))
      for seconds in [0, 33] {
        fixture.clock.advance(by: .seconds(seconds))
        try await fixture.refuse(.refused, [start("c")], "a third start")
      }
      fixture.clock.advance(by: .seconds(3))
      try await fixture.commit(start("c"))
      try await fixture.refuse(.refused, [start("d")], "a fourth start")
    },
    Case("Of 60 tasks that ask for 7 permits, 7 get one, and all changes are kept") { fixture in
      let limit = JobLimit(.job("sample"), maxConcurrent: 7)
      let winners = try await withThrowingTaskGroup(of: Int.self) { group in
        for number in 0..<60 {
          group.addTask {
            let permit = LimitPermit(Samples.id("\(number)"), until: fixture.time(60), limit)
            while true {
              do throws(StoreError) {
                _ = try await fixture.store.commit([.changeLedger(limit.ledger, .take(permit))])
                return 1
              } catch {
                if error.code == .refused { return 0 }
                // Firestore gives up after a number of tries under contention.
                if error.code != .unavailable { throw error }
              }
            }
          }
        }
        return try await group.reduce(0, +)
      }
      try ConformanceFailure.expect(winners, 7, "the permits")
      try ConformanceFailure.expect(
        try await fixture.ledger(limit.ledger)?.ledger?.limits?.holders.count, 7, "the holders")
    },
    Case("The ledgers of a family are listed by page, with the time of their last change") { fixture in
      let start = ConformanceFixture.start
      for name in ["b", "a", "c"] {
        var record = WorkerRecord(
          name: "host:\(name)", owner: "owner", startedAt: start, staleAfter: .seconds(60), concurrency: 4)
        (record.active, record.processed, record.heartbeats) = (1, 2, 3)
        (record.runsSchedules, record.executesRuns, record.isStopping) = (false, false, true)
        try await fixture.commit(.putLedger(.worker(name), .worker(record), .none))
        try ConformanceFailure.expect(
          try await fixture.ledger(.worker(name))?.ledger, .worker(record), "the entry of a worker")
      }
      var leader = LeaderLedger(holder: "x", term: 7, until: fixture.time(60))
      leader.renewals = 3
      for (id, ledger) in [
        (LedgerID.leader("x"), .leader(leader)), (.unique("sample", key: "one"), .unique(holder("one"))),
      ] as [(LedgerID, Ledger)] {
        try await fixture.commit(.putLedger(id, ledger, .absent))
        try ConformanceFailure.expect(try await fixture.ledger(id)?.ledger, ledger, "another ledger")
      }
      fixture.clock.advance(by: .seconds(10))
      let changed = WorkerRecord(
        name: "host:a", owner: "owner", startedAt: start, staleAfter: .seconds(60), concurrency: 5)
      let time = try await fixture.store.commit([.putLedger(.worker("a"), .worker(changed), .none)])
      let first = try await fixture.store.ledgers(in: .worker, after: nil, limit: 2)
      try ConformanceFailure.expect(first.records.map(\.id), [.worker("a"), .worker("b")], "the first page")
      try ConformanceFailure.expect(first.records.first?.changedAt == time, "the time of the last change")
      let second = try await fixture.store.ledgers(in: .worker, after: first.next, limit: 2)
      try ConformanceFailure.expect(second.records.map(\.id), [.worker("c")], "the second page")
      try ConformanceFailure.expect(second.next == nil, "there is no third page")
      try ConformanceFailure.expect(
        try await fixture.store.ledgers(in: .leader, after: nil, limit: 9).records.map(\.id), [.leader("x")],
        "another family")
      try ConformanceFailure.expect(
        try await fixture.store.ledgers(in: .job, after: nil, limit: 9).records.isEmpty, "an empty family")
    },
    Case("A purge deletes the ledgers that have expired", needs: [.purging]) { fixture in
      let store = try fixture.purging()
      for (name, seconds) in [("a", -1), ("b", -2), ("later", 1)] as [(String, Int64)] {
        var ledger = holder(name)
        ledger.expireAt = fixture.time(seconds)
        try await fixture.commit(.putLedger(.unique("sample", key: name), .unique(ledger), .absent))
      }
      try ConformanceFailure.expect(try await store.purgeLedgers(limit: 1), 1, "the ledgers purged first")
      try ConformanceFailure.expect(
        try await fixture.ledger(.unique("sample", key: "b")) == nil, "what expired first is gone")
      try ConformanceFailure.expect(try await store.purgeLedgers(limit: 9), 1, "the ledgers purged then")
      try ConformanceFailure.expect(
        try await fixture.ledger(.unique("sample", key: "later")) == nil, false, "the other one is gone")
    },
  ]

  private static func holder(_ name: String) -> UniqueLedger {
    UniqueLedger(
      run: Samples.id(name), createdAt: ConformanceFixture.start, expireAt: ConformanceFixture.start + .days(90))
  }

  /// A permit of two, for a minute from the fixture's start.
  private static func permit(_ id: LedgerID, _ name: String, _ fixture: ConformanceFixture) -> LimitPermit {
    LimitPermit(Samples.id(name), until: fixture.time(60), JobLimit(id, maxConcurrent: 2))
  }

  private static func take(_ id: LedgerID, _ name: String, _ fixture: ConformanceFixture) -> Write {
    .changeLedger(id, .take(permit(id, name, fixture)))
  }
}

extension ConformanceFixture {
  fileprivate func ledger(_ id: LedgerID) async throws -> LedgerRecord? {
    try await store.read(jobs: [], runs: [], ledgers: [id]).ledgers[id]
  }
}
