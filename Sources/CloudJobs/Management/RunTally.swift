package import CloudJobsCore

/// The numbers of a store's runs: those that wait, and those of the last day by hour and status.
package struct RunTally: Hashable, Sendable {
  /// The runs that were created in an hour, by their status now.
  package struct Hour: Hashable, Sendable {
    /// The beginning of the hour.
    package var start: Timestamp
    /// The counts.
    package var counts: [RunStatus: Int] = [:]

    /// The number of all runs.
    package var total: Int { counts.values.reduce(0, +) }
  }

  /// The number of hours.
  package static let hourCount = 24
  /// The maximum number of runs of each kind that are read where the store does not count.
  package static let readLimit = 500

  /// The hours, the present one last.
  package var hours: [Hour]
  /// The runs that have not ended, whenever they were created, by status.
  package var waiting: [RunStatus: Int] = [:]
  /// Whether the counts are those of the latest ``readLimit`` runs, because the store does not count.
  package var isSample = false

  /// Creates counts of zero for the hours that end with the present one.
  package init(at now: Timestamp) {
    let first = Self.start(at: now)
    hours = (0..<Self.hourCount).map { Hour(start: first + .hours($0)) }
  }

  /// The beginning of the first hour.
  static func start(at now: Timestamp) -> Timestamp {
    let hour = now.seconds.flooringDivision(by: 3_600).quotient
    return Timestamp(seconds: (hour - Int64(hourCount - 1)) * 3_600)
  }

  /// Adds runs that were created at a time; others than those of the hours are left out.
  package mutating func add(_ count: Int, _ status: RunStatus, createdAt time: Timestamp) {
    guard let first = hours.first?.start, time >= first else { return }
    let index = Int((time.seconds - first.seconds) / 3_600)
    if hours.indices.contains(index) { hours[index].counts[status, default: 0] += count }
  }

  /// Returns the number of runs of the hours with a status.
  package func count(_ status: RunStatus) -> Int { hours.reduce(0) { $0 + ($1.counts[status] ?? 0) } }
}

extension JobRuntime {
  /// Counts the store's runs: by the store, or else by reading the latest ones.
  ///
  /// - Returns: the counts.
  /// - Throws: ``/CloudJobsCore/JobError`` `storeUnavailable`.
  package func runTally() async throws(JobError) -> RunTally {
    let now = clock.now()
    if let store = services.store as? any RunCountingStore { return try await runTally(of: store, at: now) }
    var tally = RunTally(at: now)
    tally.isSample = true
    let filter = RunFilter(createdFrom: RunTally.start(at: now))
    for run in try await runs(matching: filter, limit: RunTally.readLimit).runs {
      tally.add(1, run.status, createdAt: run.createdAt)
    }
    for status in RunStatus.waiting {
      let page = try await runs(matching: RunFilter(statuses: [status]), limit: RunTally.readLimit)
      tally.waiting[status] = page.runs.count
    }
    return tally
  }

  private func runTally(
    of store: any RunCountingStore, at now: Timestamp
  ) async throws(JobError) -> RunTally {
    var tally = RunTally(at: now)
    let start = RunTally.start(at: now)
    let counts = try await services.read { () async throws(StoreError) in
      try await store.runCounts(
        createdFrom: start, before: start + .hours(RunTally.hourCount), bucket: .hours(1))
    }
    for count in counts { tally.add(count.count, count.status, createdAt: count.start) }
    let waiting = try await services.read { () async throws(StoreError) in
      try await store.waitingRunCounts(tellingApart: [])
    }
    for count in waiting { tally.waiting[count.status, default: 0] += count.count }
    return tally
  }
}

extension JobRuntime {
  /// Counts the runs that the sweep should have seen to by now.
  ///
  /// - Parameter limit: the maximum number of runs that are counted, clamped to 1 to 500.
  /// - Returns: the number, and whether there are more.
  /// - Throws: ``/CloudJobsCore/JobError`` `storeUnavailable`.
  package func overdueRuns(limit: Int) async throws(JobError) -> (count: Int, isCut: Bool) {
    let page = try await services.read { () async throws(StoreError) in
      try await services.store.wakingRuns(after: nil, limit: limit)
    }
    return (page.records.count, page.next != nil)
  }
}
