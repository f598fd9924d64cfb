public import CloudJobsCore

/// The jobs and runs of a store in numbers, with the state of one instance.
public struct RuntimeStatistics: Hashable, Sendable {
  /// The maximum number of runs of a status that are counted.
  public static let countLimit = StoreLimits.batch

  /// The number of registered jobs.
  public var jobs = 0
  /// The number of registered jobs that may run: enabled, not paused, and with a valid document.
  public var enabledJobs = 0
  /// The number of runs under way, in all instances; at most ``countLimit``.
  public var runningRuns = 0
  /// The number of runs that wait for their attempt; at most twice ``countLimit``.
  public var waitingRuns = 0
  /// The number of dead letters that are stored; at most ``countLimit``.
  public var failedRuns = 0
  /// Whether there are more runs than were counted.
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
  /// Which instance leads is told by ``leadership(of:)``.
  ///
  /// - Returns: the numbers.
  /// - Throws: ``/CloudJobsCore/JobError`` `storeUnavailable`.
  public func statistics() async throws(JobError) -> RuntimeStatistics {
    var statistics = RuntimeStatistics(startedAt: services.health.note { $0.startedAt })
    let reports = try await jobReports()
    (statistics.jobs, statistics.enabledJobs) = (reports.count, reports.count(where: \.isEnabled))
    for status in [RunStatus.running, .pending, .scheduled, .failed] {
      let page = try await services.read { () async throws(StoreError) in
        try await services.store.runs(
          matching: RunFilter(statuses: [status]), after: nil, limit: RuntimeStatistics.countLimit)
      }
      statistics.isCut = statistics.isCut || page.next != nil
      switch status {
      case .running: statistics.runningRuns = page.records.count
      case .failed: statistics.failedRuns = page.records.count
      default: statistics.waitingRuns += page.records.count
      }
    }
    statistics.workers = try await workers().count { $0.state == .running }
    statistics.activeDeliveries = services.active.deliveries
    statistics.isDraining = services.active.isDraining
    return statistics
  }
}
