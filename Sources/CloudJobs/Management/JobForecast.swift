public import CloudJobsCore

/// The options of a forecast from a store.
public struct ForecastOptions: Sendable {
  /// The beginning; nil for the store's time.
  public var start: Timestamp?
  /// The length.
  public var span = ForecastInput.month
  /// The prices.
  public var prices = PriceTable.standard
  /// The deployment; nil for the one that the runtime is set up for.
  public var deployment: ForecastDeployment?
  /// The rates of jobs whose runs are enqueued, in runs a day; the others' are measured.
  public var enqueuedPerDay: [JobID: Double] = [:]
  /// The maximum number of recent runs of each job that are measured; 0 measures none.
  public var measuredRuns = 100

  /// Creates the default options: a month from now, with measured runs.
  public init() {}
}

extension JobRuntime {
  /// Makes a forecast of the load and the cost of all jobs, by their code, their documents and their recent runs.
  ///
  /// A job whose code is not here counts as far as its document tells. The readings are those of the documents, and of
  /// some recent runs of each job.
  ///
  /// - Parameter options: the options.
  /// - Returns: the forecast.
  /// - Throws: ``/CloudJobsCore/JobError`` `storeUnavailable`.
  public func forecast(_ options: ForecastOptions = ForecastOptions()) async throws(JobError) -> Forecast {
    Forecast(try await forecastInput(options))
  }

  /// Reads what a forecast is made from; it can be changed, to see what a change would cost.
  ///
  /// - Parameter options: the options.
  /// - Returns: the input of ``/CloudJobsCore/Forecast/init(_:)``.
  /// - Throws: ``/CloudJobsCore/JobError`` `storeUnavailable`.
  public func forecastInput(_ options: ForecastOptions = ForecastOptions()) async throws(JobError) -> ForecastInput {
    try await ForecastReader(services, options).input()
  }

  /// The deployment that the runtime is set up for: its queue and its options.
  public var forecastDeployment: ForecastDeployment { services.forecastDeployment }
}

extension RuntimeServices {
  fileprivate var forecastDeployment: ForecastDeployment {
    var deployment = ForecastDeployment(settings.retryOwner == .runtime ? .cloudTasks : .worker)
    if let owner = options.scheduleOwner { deployment.scheduleOwner = owner }
    deployment.passBudget = options.passBudget
    deployment.passConcurrency = options.passConcurrency
    deployment.housekeeping = options.housekeeping
    deployment.cancellationPoll = options.cancellationPoll
    deployment.misfireGrace = options.misfireGrace
    deployment.leaseMargin = options.leaseMargin
    deployment.journalRetention = options.journalRetention
    deployment.logRetention = options.logRetention
    let worker = JobWorker.Options()
    deployment.workers.pollInterval = worker.pollInterval
    deployment.workers.reconcileInterval = worker.reconcileInterval
    deployment.workers.heartbeat = worker.heartbeat
    if store is any DueTimeStore { deployment.workers.queriesPerPoll = 1 }
    return deployment
  }
}

/// Reads what a forecast is made from.
struct ForecastReader: Sendable {
  /// The number of runs of a job whose logs are looked at.
  private static let sampledLogs = 3

  private let services: RuntimeServices
  private let options: ForecastOptions
  private let deployment: ForecastDeployment

  init(_ services: RuntimeServices, _ options: ForecastOptions) {
    self.services = services
    self.options = options
    deployment = options.deployment ?? services.forecastDeployment
  }

  /// Reads the documents and the recent runs.
  func input() async throws(JobError) -> ForecastInput {
    let (ids, records, time) = try await JobInventory(services).records()
    var jobs: [ForecastJob] = []
    for id in ids {
      guard let id = try? JobID(id), var job = job(id, records[id.rawValue]) else { continue }
      try await measure(&job, at: time)
      jobs.append(job)
    }
    return ForecastInput(
      jobs: jobs, deployment: deployment, start: options.start ?? time, span: options.span, prices: options.prices)
  }

  /// Returns a job by its code and document; one whose document is invalid does not run.
  private func job(_ id: JobID, _ record: JobRecord?) -> ForecastJob? {
    let registered = services.registry.jobs[id]?.definition
    let document = try? record?.document.get()
    let configuration = document?.configuration
    var notes: [String] = []
    var definition = registered ?? JobDefinition(id, standingInUnder: configuration ?? JobConfiguration())
    if registered == nil, configuration?.hasSchedule != true, let planned = document?.state.plannedFor {
      // The code's schedule is known by what the next run was planned for.
      definition = JobDefinition(id, plannedFor: planned) ?? definition
    }
    if registered == nil { notes.append("Its code is in another program: the document alone counts.") }
    do throws(JobError) {
      _ = try record?.document.get()
      var job = try ResolvedJob(definition, configuration: configuration, zones: services.registry.zones)
      if registered == nil, configuration?.type == nil, job.schedule == nil { job.kind = .endpoint }
      var found = ForecastJob(job, state: document?.state ?? JobState())
      found.notes = notes
      return found
    } catch {
      definition.policy.enabled = false
      guard let job = try? ResolvedJob(definition, configuration: nil, zones: services.registry.zones) else {
        return nil
      }
      var found = ForecastJob(job)
      found.notes = ["Its document is invalid, so that it does not run: \(error.message)"]
      return found
    }
  }

  /// Measures a job by its recent runs.
  private func measure(_ job: inout ForecastJob, at time: Timestamp) async throws(JobError) {
    let id = job.job.id
    var runs: [Run] = []
    if options.measuredRuns > 0 {
      let limit = min(options.measuredRuns, StoreLimits.batch)
      let page = try await services.read { () async throws(StoreError) in
        try await services.store.runs(matching: RunFilter(job: id), after: nil, limit: limit)
      }
      runs = page.records.compactMap { try? $0.run.get() }
      job.enqueuedPerDay = RunRate.perDay(of: runs, until: time, isCut: page.next != nil)
    }
    if let rate = options.enqueuedPerDay[id] { job.enqueuedPerDay = max(0, rate) }
    let measured = RunProfile(
      measuring: runs, lastDuration: job.state.lastDuration, poll: deployment.cancellationPoll)
    if let measured {
      job.profile = measured
    } else if let last = job.state.lastDuration {
      job.profile.duration = last
    } else {
      job.notes.append("No run was measured: an attempt counts as \(job.profile.duration).")
    }
    let sample = runs.filter { $0.status.isTerminal }.prefix(Self.sampledLogs)
    var (entries, attempts) = (0, 0)
    for run in sample {
      entries += try await services.read { () async throws(StoreError) in
        try await services.store.log(of: run.id, after: nil, limit: StoreLimits.batch)
      }.count
      attempts += run.attempt
    }
    if attempts > 0 { job.profile.logEntriesPerAttempt = Double(entries) / Double(attempts) }
  }
}

/// The rate at which runs are enqueued.
enum RunRate {
  /// Returns the enqueued runs a day, by recent runs of a job; those of a schedule are not counted.
  ///
  /// - Parameters:
  ///   - runs: the latest runs, the latest first.
  ///   - time: the time of the reading.
  ///   - isCut: whether there are older runs.
  /// - Returns: the rate over the time that the runs cover, at least an hour; zero without any.
  static func perDay(of runs: [Run], until time: Timestamp, isCut: Bool) -> Double {
    let enqueued = runs.filter { $0.trigger == .task || $0.trigger == .parent || $0.trigger == .manual }
    guard let oldest = runs.last?.createdAt, !enqueued.isEmpty else { return 0 }
    // All runs are known: they may be as old as their retention allows, so that a day is the least to be sure of.
    let covered = max(time - oldest, isCut ? .hours(1) : .days(1))
    return Double(enqueued.count) * 86_400_000_000 / Double(covered.microseconds)
  }
}

extension JobDefinition {
  /// Creates the definition that stands for a job whose code is in another program, by the schedule for which its next
  /// run was planned; nil if that can't be read.
  init?(_ id: JobID, plannedFor text: String) {
    guard let at = text.firstRange(of: " @ ") else { return nil }
    let zone = text[at.upperBound...].prefix { $0 != " " }
    self.init(id: id, kind: .periodic, schedule: .text(String(text[..<at.lowerBound])), timeZone: String(zone))
  }
}
