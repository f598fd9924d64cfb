import CloudJobsCore

/// What metrics tell of the store, as it was read last.
struct StoreReadings: Sendable {
  /// The minimum time between two readings of a store that costs nothing by the query.
  static let interval = Duration.seconds(5)
  /// The minimum time between two readings of a store that is paid by the query.
  static let paidInterval = Duration.seconds(60)
  /// The maximum number of job documents that are read.
  static let jobLimit = 10_000

  /// The states of a job, of which it has the first that applies.
  enum JobState: String, CaseIterable, Sendable {
    case quarantined
    case disabled
    case paused
    case breakerOpen = "breaker_open"
    case enabled
  }

  /// The state of the store at a moment.
  struct Reading: Hashable, Sendable {
    /// The numbers of runs that have not ended; nil if the store does not count.
    var waiting: [WaitingRunCount]?
    /// The lateness of the work that has been due for longest.
    var lateness = Duration.zero
    /// The number of jobs in each state.
    var jobs: [JobState: Int] = [:]
    /// The number of workers in each state.
    var workers: [WorkerStatus.State: Int] = [:]
  }

  /// The last reading; nil if the store did not answer, or was not asked.
  private(set) var reading: Reading?
  /// Whether the store answered the last time; nil if it was not asked.
  private(set) var isUp: Bool?
  private var lastStart: Timestamp?

  /// Returns whether the store should be read now, at most once in an interval.
  mutating func starts(at now: Timestamp, interval: Duration) -> Bool {
    if let lastStart, now - lastStart < interval, now >= lastStart { return false }
    lastStart = now
    return true
  }

  /// Notes what was read; nil if the store did not answer.
  mutating func note(_ reading: Reading?) {
    (self.reading, isUp) = (reading, reading != nil)
  }

  /// The metrics.
  var families: [MetricFamily] {
    guard let isUp else { return [] }
    var families = [
      MetricFamily(
        name: "cloud_jobs_store_up", kind: .gauge, help: "Whether the store answered the last scrape that asked it.",
        series: [.init(isUp ? 1 : 0)])
    ]
    guard let reading else { return families }
    families += [
      MetricFamily(
        name: "cloud_jobs_due_lateness_seconds", kind: .gauge,
        help: "How long the job or run that is due for longest has been waiting.",
        series: [.init(Double(reading.lateness.microseconds) / 1e6)]),
      MetricFamily(
        name: "cloud_jobs_jobs", kind: .gauge, help: "The jobs of the store, by the first state that applies.",
        series: JobState.allCases.map { .init(Double(reading.jobs[$0, default: 0]), .init("state", $0.rawValue)) }),
      MetricFamily(
        name: "cloud_jobs_workers", kind: .gauge, help: "The workers of the store, by their last heartbeat.",
        series: WorkerStatus.State.allCases.map {
          .init(Double(reading.workers[$0, default: 0]), .init("state", $0.rawValue))
        }),
    ]
    if let waiting = reading.waiting { families.append(Self.depth(waiting)) }
    return families
  }

  /// Returns the lengths of queues; the default queue is told with zeros too, so that a rate has a begin.
  private static func depth(_ waiting: [WaitingRunCount]) -> MetricFamily {
    var counts: [String: [RunStatus: Int]] = [QueueOrder.defaultQueue: [:]]
    for count in waiting {
      counts[count.queue ?? QueueOrder.defaultQueue, default: [:]][count.status, default: 0] += count.count
    }
    return MetricFamily(
      name: "cloud_jobs_queue_depth", kind: .gauge, help: "The runs of the store that have not ended.",
      series: counts.flatMap { queue, statuses in
        RunStatus.waiting.map { status in
          .init(Double(statuses[status, default: 0]), .init("queue", queue), .init("status", status.rawValue))
        }
      })
  }
}

extension QueueOrder {
  /// The names of the queues in the order.
  var names: Set<String> {
    switch self {
    case .weighted(let weights): Set(weights.keys)
    case .strict(let names): Set(names)
    }
  }
}

extension StoreReadings.JobState {
  /// Returns the state of a job by its document.
  ///
  /// - Parameters:
  ///   - record: the document.
  ///   - isEnabledByCode: whether the job is enabled if its document does not say.
  ///   - now: the store's time.
  init(_ record: JobRecord, isEnabledByCode: Bool, at now: Timestamp) {
    guard record.quarantine == nil, let document = try? record.document.get() else {
      self = .quarantined
      return
    }
    let configuration = document.configuration
    if !(configuration.enabled ?? isEnabledByCode) {
      self = .disabled
    } else if configuration.paused ?? false {
      self = .paused
    } else if document.state.breakerOpenUntil.map({ $0 > now }) ?? false {
      self = .breakerOpen
    } else {
      self = .enabled
    }
  }
}
