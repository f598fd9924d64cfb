#if Server
import CloudJobs
import CloudJobsCore
import CloudJobsPages

/// An endpoint job with its latest runs, as the first page lists it.
struct EndpointReading: Sendable {
  /// The maximum number of jobs whose runs are read.
  static let jobLimit = 10
  /// The maximum number of runs of a job, and that where the store is paid by what it reads.
  static let (runLimit, billedRunLimit) = (50, 10)

  /// The job.
  var job: JobListing
  /// Its latest runs of the last day, latest first.
  var runs: [Run]
  /// Whether there are earlier ones of the last day.
  var isCut: Bool
  /// The latest run before the last day; nil for none, and if ``runs`` is not empty.
  var earlier: Run?

  /// Reads the latest runs of the first endpoint jobs.
  ///
  /// - Parameters:
  ///   - jobs: all jobs.
  ///   - now: the time of the page.
  ///   - runtime: the runtime.
  /// - Returns: the jobs, at most ``jobLimit``, in the order of their ids.
  /// - Throws: ``/CloudJobsCore/JobError`` `storeUnavailable`.
  static func read(
    _ jobs: [JobListing], at now: Timestamp, from runtime: JobRuntime
  ) async throws(JobError) -> [EndpointReading] {
    let limit = runtime.readsRunsCheaply ? runLimit : billedRunLimit
    var readings: [EndpointReading] = []
    for listing in jobs.filter(isListed).prefix(jobLimit) {
      guard let id = listing.jobID else { continue }
      let page = try await runtime.runs(matching: RunFilter(job: id), limit: limit)
      let first = now - .days(1)
      let runs = page.runs.filter { $0.createdAt >= first }
      readings.append(
        EndpointReading(
          job: listing, runs: runs, isCut: page.next != nil && runs.count == page.runs.count,
          earlier: runs.isEmpty ? page.runs.first : nil))
    }
    return readings
  }

  /// Returns whether a job is one of those that run when something enqueues them.
  static func isListed(_ listing: JobListing) -> Bool { listing.jobID != nil && listing.kind == .endpoint }
}

/// An endpoint job on the first page.
struct EndpointRow: Sendable {
  var endpointJob: String
  var endpointHref: String
  /// What keeps it from running; nil if nothing does.
  var endpointState: StateWord?
  /// The number of runs in a day, or the rate at which they are created.
  var endpointThroughput: String
  /// The status of the latest run that has started, or else of one that waits; nil without one.
  var endpointLast: StateWord?
  var endpointTime: PageTime?
  var endpointRunHref: String?
  var endpointHistory: RunSquares?

  /// Makes the row: pure.
  init(_ reading: EndpointReading, _ context: DashboardContext) {
    endpointJob = reading.job.id
    endpointHref = context.link("jobs", reading.job.id).href
    let state = StateWord(of: reading.job)
    endpointState = state.look == "good" ? nil : state
    let oldest = reading.runs.last.map { context.now - $0.createdAt } ?? .zero
    endpointThroughput = Self.throughput(reading.runs.count, in: reading.isCut ? oldest : nil)
    // A run that waits for a later time is not the last that ran.
    let latest = reading.runs.first { $0.startedAt != nil } ?? reading.runs.first ?? reading.earlier
    endpointLast = latest.map { StateWord($0.status) }
    endpointTime = latest.map { context.time($0.startedAt ?? $0.createdAt) }
    endpointRunHref = latest.map { context.link("runs", $0.id.rawValue).href }
    endpointHistory = RunSquares(reading.runs, limit: JobListView.historyLimit)
  }

  /// Returns the throughput in words.
  ///
  /// - Parameters:
  ///   - count: the number of runs.
  ///   - span: the time in which they were created; nil for all of the last day.
  /// - Returns: the number in a day, or else the rate: in the shortest unit in which it has two digits, or a day.
  static func throughput(_ count: Int, in span: Duration?) -> String {
    guard let span else { return count == 0 ? "none in 24 h" : "\(PageNumber.text(count)) in 24 h" }
    let microseconds = max(span.microseconds, 1_000_000)
    func rate(_ unit: Duration) -> Int { Int((Int64(count) * unit.microseconds + microseconds / 2) / microseconds) }
    let units = [(rate(.minutes(1)), "a minute"), (rate(.hours(1)), "an hour")]
    let (number, name) = units.first { $0.0 >= 10 } ?? (rate(.days(1)), "a day")
    return "about \(PageNumber.text(number)) \(name)"
  }
}
#endif
