/// The load and the cost of jobs over a span of time, by what the runtime does for each of their runs.
///
/// The times of schedules come from the schedules themselves, and gates, misfires and overlaps from the runtime's own
/// decisions. Runs that are enqueued come at the rate that the input gives, evenly. A circuit breaker stays closed, and
/// a limit of starts in a period is never reached.
public struct Forecast: Sendable {
  /// The beginning.
  public var start: Timestamp
  /// The length.
  public var span: Duration
  /// The jobs, in the order of their ids.
  public var jobs: [ForecastLine]
  /// What is not due to a single job: master passes, housekeeping, or workers.
  public var shared: [ForecastLine]
  /// The sum of all lines, with the free tiers taken off once.
  public var total: ForecastLine
  /// The beginning of the first of ``hours``.
  public var firstHour: Timestamp
  /// The runs of each hour of the clock in UTC, by the times that they are for.
  public var hours: [Double]
  /// The minutes at which jobs are due together, those with most jobs first.
  public var herds: [ScheduleHerd]
  /// The currency of all costs.
  public var currency: String
  /// Notes for the reader.
  public var notes: [String]

  /// The cost of a month at the rate of this forecast, after free tiers.
  public var monthlyCost: Double {
    total.netCost.sum * Double(ForecastInput.month.microseconds) / Double(max(1, span.microseconds))
  }
}

extension Forecast {
  /// Makes a forecast: a function of its input alone.
  ///
  /// - Parameter input: the jobs, their deployment, the time and the prices.
  public init(_ input: ForecastInput) {
    var input = input
    input.jobs.sort { $0.job.id < $1.job.id }
    var walk = ForecastWalk(input)
    walk.run()
    let tally = walk.tally
    let months = Double(input.span.microseconds) / Double(ForecastInput.month.microseconds)
    func line(_ name: String, _ index: Int) -> ForecastLine {
      var line = ForecastLine(name)
      line.operations = tally.counts[index]
      line.cost = input.prices.cost(of: line.operations, in: input.deployment, months: months)
      return line
    }
    (start, span, currency) = (input.start, input.span, input.prices.currency)
    (firstHour, hours) = (tally.firstHour, tally.hours)
    jobs = input.jobs.indices.map { line(input.jobs[$0].job.id.rawValue, $0) }
    shared = ForecastTally.Shared.allCases.map { work in
      line(work.name(in: input.deployment.kind), tally.line(work))
    }
    total = ForecastLine("total")
    for part in jobs + shared { total.operations.add(part.operations) }
    total.cost = input.prices.cost(of: total.operations, in: input.deployment, months: months)
    total.netCost = input.prices.netCost(
      of: total.operations, days: tally.days, in: input.deployment, months: months)
    herds = ScheduleHerd.all(in: input)
    notes = []
    for (index, job) in input.jobs.enumerated() { jobs[index].notes = job.notes + Self.notes(on: job.job, in: input) }
    let (gross, net) = (total.cost, total.netCost)
    for index in jobs.indices { jobs[index].takePart(of: gross, net) }
    for index in shared.indices { shared[index].takePart(of: gross, net) }
  }

  private static func notes(on job: ResolvedJob, in input: ForecastInput) -> [String] {
    var notes: [String] = []
    if !job.policy.enabled { notes.append("It is disabled.") }
    if job.policy.paused { notes.append("It is paused.") }
    // A worker looks at a job when it is due, without a pass.
    if job.policy.isActive, input.deployment.kind != .worker, let note = job.minuteNote(after: input.start) {
      notes.append(note)
    }
    if job.policy.rate.map({ $0.count > 0 }) ?? false { notes.append("Waits for its rate are not counted.") }
    return notes
  }
}

/// A line of a forecast: one job, or one shared piece of work.
public struct ForecastLine: Sendable {
  /// The id of the job, or the name of the work.
  public var name: String
  /// The operations.
  public var operations = OperationCounts()
  /// The cost at list prices, without free tiers.
  public var cost = ForecastCost()
  /// The cost after free tiers; a line's part of them is its part of the cost.
  public var netCost = ForecastCost()
  /// Notes for the reader.
  public var notes: [String] = []

  /// Creates a line without operations.
  public init(_ name: String) {
    self.name = name
  }

  /// Sets the cost after free tiers to the line's part of it.
  fileprivate mutating func takePart(of gross: ForecastCost, _ net: ForecastCost) {
    for (_, path) in ForecastCost.services where gross[keyPath: path] > 0 {
      netCost[keyPath: path] = cost[keyPath: path] / gross[keyPath: path] * net[keyPath: path]
    }
  }
}

/// Numbers of operations; those that come of rates may have fractions.
public struct OperationCounts: Hashable, Sendable {
  /// The runs.
  public var runs = 0.0
  /// The attempts of runs.
  public var attempts = 0.0
  /// The scheduled times that a closed gate skips.
  public var skips = 0.0
  /// The HTTP requests that wake the service.
  public var requests = 0.0
  /// The jobs in Cloud Scheduler.
  public var schedulerJobs = 0.0
  /// The operations of Cloud Tasks: calls of its API, and delivery attempts.
  public var taskOperations = 0.0
  /// The documents that are read, queries without results included.
  public var storeReads = 0.0
  /// The documents that are written.
  public var storeWrites = 0.0
  /// The documents that are deleted.
  public var storeDeletes = 0.0
  /// The billed processor time.
  public var vCPUSeconds = 0.0
  /// The billed memory time.
  public var gibSeconds = 0.0

  /// Creates counts of zero.
  public init() {}

  /// The counts by the names of their members in JSON, in the order of a table.
  package static let members: [(name: String, path: any WritableKeyPath<OperationCounts, Double> & Sendable)] = [
    ("runs", \.runs), ("attempts", \.attempts), ("skips", \.skips), ("requests", \.requests),
    ("schedulerJobs", \.schedulerJobs), ("taskOperations", \.taskOperations), ("storeReads", \.storeReads),
    ("storeWrites", \.storeWrites), ("storeDeletes", \.storeDeletes), ("vCPUSeconds", \.vCPUSeconds),
    ("gibSeconds", \.gibSeconds),
  ]

  /// Adds other counts, multiplied by a factor.
  mutating func add(_ other: OperationCounts, times factor: Double = 1) {
    for (_, path) in Self.members { self[keyPath: path] += other[keyPath: path] * factor }
  }
}

/// The cost of operations by service.
public struct ForecastCost: Hashable, Sendable {
  /// The cost of Cloud Tasks.
  public var tasks = 0.0
  /// The cost of Cloud Scheduler.
  public var scheduler = 0.0
  /// The cost of the store.
  public var store = 0.0
  /// The cost of processors, memory and requests.
  public var compute = 0.0

  /// The sum of all services.
  public var sum: Double { tasks + scheduler + store + compute }

  /// Creates a cost of zero.
  public init() {}

  /// The services by the names of their members in JSON.
  package static let services: [(name: String, path: any WritableKeyPath<ForecastCost, Double> & Sendable)] = [
    ("tasks", \.tasks), ("scheduler", \.scheduler), ("store", \.store), ("compute", \.compute),
  ]
}

extension PriceTable {
  /// Returns the cost of operations at list prices.
  ///
  /// - Parameters:
  ///   - counts: the operations.
  ///   - deployment: the deployment, whose store may cost nothing.
  ///   - months: the number of months in which the operations take place.
  /// - Returns: the cost.
  func cost(of counts: OperationCounts, in deployment: ForecastDeployment, months: Double) -> ForecastCost {
    var cost = ForecastCost()
    cost.tasks = counts.taskOperations / 1e6 * tasks.perMillionOperations
    cost.scheduler = counts.schedulerJobs * scheduler.perJob * months
    if deployment.isStoreBilled {
      cost.store =
        counts.storeReads / 1e5 * firestore.per100kReads + counts.storeWrites / 1e5 * firestore.per100kWrites
        + counts.storeDeletes / 1e5 * firestore.per100kDeletes
    }
    cost.compute =
      counts.vCPUSeconds * run.perVCPUSecond + counts.gibSeconds * run.perGiBSecond
      + counts.requests / 1e6 * run.perMillionRequests
    return cost
  }

  /// Returns the cost of all operations after free tiers.
  ///
  /// - Parameters:
  ///   - counts: the operations.
  ///   - days: the operations of the store on each day, since its free tier is one of days.
  ///   - deployment: the deployment, whose store may cost nothing.
  ///   - months: the number of months in which the operations take place.
  /// - Returns: the cost.
  func netCost(
    of counts: OperationCounts, days: [OperationCounts], in deployment: ForecastDeployment, months: Double
  ) -> ForecastCost {
    var billed = counts
    billed.taskOperations = max(0, counts.taskOperations - tasks.freeOperations * months)
    billed.schedulerJobs = max(0, counts.schedulerJobs - scheduler.freeJobs)
    billed.vCPUSeconds = max(0, counts.vCPUSeconds - run.freeVCPUSeconds * months)
    billed.gibSeconds = max(0, counts.gibSeconds - run.freeGiBSeconds * months)
    billed.requests = max(0, counts.requests - run.freeRequests * months)
    billed.storeReads = days.reduce(0) { $0 + max(0, $1.storeReads - firestore.freeReadsPerDay) }
    billed.storeWrites = days.reduce(0) { $0 + max(0, $1.storeWrites - firestore.freeWritesPerDay) }
    billed.storeDeletes = days.reduce(0) { $0 + max(0, $1.storeDeletes - firestore.freeDeletesPerDay) }
    return cost(of: billed, in: deployment, months: months)
  }
}
