public import CloudJobsCore

/// Statistics of a job's recorded runs.
public struct JobStatistics: Hashable, Sendable {
  /// The number of runs that were counted.
  public var runs = 0
  /// The number of runs that succeeded.
  public var succeeded = 0
  /// The number of dead letters.
  public var failed = 0
  /// The number of cancelled runs.
  public var cancelled = 0
  /// The number of runs under way.
  public var running = 0
  /// The number of runs that wait.
  public var waiting = 0
  /// The number of failed attempts of all runs.
  public var failedAttempts = 0
  /// The part of the runs that succeeded among those that succeeded or failed, from 0 to 1; nil if there is none.
  public var successRate: Double?
  /// The part of the runs that failed among those that succeeded or failed, from 0 to 1; nil if there is none.
  public var failureRate: Double? { successRate.map { 1 - $0 } }
  /// The mean time from the first attempt's start to the end; nil if no run has ended after an attempt.
  public var meanDuration: Duration?
  /// The median of that time.
  public var medianDuration: Duration?
  /// The 95th percentile of that time.
  public var percentile95Duration: Duration?
  /// The 99th percentile of that time.
  public var percentile99Duration: Duration?
  /// The median time from creation to the first attempt's start; nil if no attempt has started.
  public var medianWait: Duration?
  /// The time of the next run by the job's schedule; nil without one.
  public var nextRun: Timestamp?
  /// Whether older runs were left out, because the limit was reached.
  public var isCut = false

  /// Computes the statistics of some runs.
  ///
  /// Percentiles are values that occur: the nearest rank, as in <https://en.wikipedia.org/wiki/Percentile>.
  ///
  /// - Parameter runs: the runs.
  public init(of runs: [Run]) {
    self.runs = runs.count
    for run in runs {
      failedAttempts += run.failures
      switch run.status {
      case .succeeded: succeeded += 1
      case .failed: failed += 1
      case .cancelled: cancelled += 1
      case .running: running += 1
      case .scheduled, .pending: waiting += 1
      }
    }
    if succeeded + failed > 0 { successRate = Double(succeeded) / Double(succeeded + failed) }
    let durations = runs.compactMap { run in
      run.startedAt.flatMap { start in run.finishedAt.map { $0 - start } }
    }.sorted()
    if !durations.isEmpty {
      meanDuration = durations.reduce(.zero, +) / durations.count
      medianDuration = Self.percentile(50, of: durations)
      percentile95Duration = Self.percentile(95, of: durations)
      percentile99Duration = Self.percentile(99, of: durations)
    }
    let waits = runs.compactMap { run in
      run.startedAt.map { max(.zero, $0 - max(run.createdAt, run.scheduledFor ?? run.createdAt)) }
    }
    medianWait = Self.percentile(50, of: waits.sorted())
  }

  private static func percentile(_ percent: Int, of sorted: [Duration]) -> Duration? {
    if sorted.isEmpty { return nil }
    return sorted[max(0, (sorted.count * percent + 99) / 100 - 1)]
  }
}
