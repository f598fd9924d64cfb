public import CloudJobsCore

/// The jobs and runs of a store in numbers, with the state of one instance.
public struct RuntimeStatistics: Hashable, Sendable {
  /// The maximum number of runs of a status that are counted where the store is no ``RunCountingStore``.
  public static let countLimit = StoreLimits.batch

  /// The number of registered jobs.
  public var jobs = 0
  /// The number of registered jobs that may run: enabled, not paused, and with a valid document.
  public var enabledJobs = 0
  /// The number of runs under way, in all instances.
  public var runningRuns = 0
  /// The number of runs that wait for their attempt.
  public var waitingRuns = 0
  /// The number of dead letters that are stored.
  public var failedRuns = 0
  /// Whether there are more runs than were counted, because the store is no ``RunCountingStore``, so that at most
  /// ``countLimit`` runs of each status were read.
  public var isCut = false
  /// The number of workers that live.
  public var workers = 0
  /// The number of deliveries that this instance processes.
  public var activeDeliveries = 0
  /// The time at which the runtime of this instance was created, by the local clock.
  public var startedAt: Timestamp
  /// Whether this instance shuts down.
  public var isDraining = false
}

extension JobRuntime {
  /// Counts the registered jobs, the runs of the store, and the work of this instance.
  ///
  /// A ``RunCountingStore`` counts the runs itself; from another store, some runs of each status are read.
  ///
  /// Which instance leads is told by ``leadership(of:)``.
  ///
  /// - Returns: the numbers.
  /// - Throws: ``/CloudJobsCore/JobError`` `storeUnavailable`.
  public func statistics() async throws(JobError) -> RuntimeStatistics {
    var statistics = RuntimeStatistics(startedAt: services.health.note { $0.startedAt })
    let reports = try await jobReports()
    (statistics.jobs, statistics.enabledJobs) = (reports.count, reports.count(where: \.isEnabled))
    if let store = services.store as? any RunCountingStore {
      try await count(by: store, &statistics)
    } else {
      try await countByReading(&statistics)
    }
    statistics.workers = try await workers().count { $0.state == .running }
    statistics.activeDeliveries = services.active.deliveries
    statistics.isDraining = services.active.isDraining
    return statistics
  }

  private func count(
    by store: any RunCountingStore, _ statistics: inout RuntimeStatistics
  ) async throws(JobError) {
    let counts = try await services.read { () async throws(StoreError) in
      try await store.waitingRunCounts(tellingApart: [])
    }
    for count in counts { statistics.add(count.count, count.status) }
    let failed = try await services.read { () async throws(StoreError) in try await store.failedRunCount() }
    statistics.add(failed, .failed)
  }

  private func countByReading(_ statistics: inout RuntimeStatistics) async throws(JobError) {
    for status in RunStatus.waiting + [.failed] {
      let page = try await services.read { () async throws(StoreError) in
        try await services.store.runs(
          matching: RunFilter(statuses: [status]), after: nil, limit: RuntimeStatistics.countLimit)
      }
      statistics.isCut = statistics.isCut || page.next != nil
      statistics.add(page.records.count, status)
    }
  }
}

extension RuntimeStatistics {
  /// Adds runs by their status; those that succeeded or were cancelled are not counted.
  fileprivate mutating func add(_ count: Int, _ status: RunStatus) {
    switch status {
    case .running: runningRuns += count
    case .failed: failedRuns += count
    case .pending, .scheduled: waitingRuns += count
    case .succeeded, .cancelled: break
    }
  }
}
