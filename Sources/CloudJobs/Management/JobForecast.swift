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
  /// What was measured before; only the jobs that it lacks are measured.
  package var measurements: [JobID: JobMeasurement] = [:]

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
    try await measuredForecastInput(options).input
  }

  /// Reads what a forecast is made from, and returns the measurements for the next one.
  ///
  /// - Parameter options: the options.
  /// - Returns: the input, and what was measured for it, now or before.
  /// - Throws: ``/CloudJobsCore/JobError`` `storeUnavailable`.
  package func measuredForecastInput(
    _ options: ForecastOptions
  ) async throws(JobError) -> (input: ForecastInput, measurements: [JobID: JobMeasurement]) {
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

/// What the recent runs of a job tell a forecast.
package struct JobMeasurement: Hashable, Sendable {
  /// What a run is like; nil if none has ended after an attempt.
  package var profile: RunProfile?
  /// The number of runs a day that are enqueued.
  package var enqueuedPerDay = 0.0

  /// Creates the measurement of a job without runs.
  package init() {}
}

/// Reads what a forecast is made from.
struct ForecastReader: Sendable {
  /// The number of runs of a job whose logs are looked at.
  private static let sampledLogs = 3
  /// The maximum number of jobs that are measured at once.
  private static let concurrency = 4

  private let services: RuntimeServices
  private let options: ForecastOptions
  private let deployment: ForecastDeployment

  init(_ services: RuntimeServices, _ options: ForecastOptions) {
    self.services = services
    self.options = options
    deployment = options.deployment ?? services.forecastDeployment
  }

  /// Reads the documents, and the recent runs of the jobs that were not measured before.
  func input() async throws(JobError) -> (input: ForecastInput, measurements: [JobID: JobMeasurement]) {
    let (ids, records, time) = try await JobInventory(services).records()
    var jobs: [ForecastJob] = []
    for id in ids {
      if let id = try? JobID(id), let job = job(id, records[id.rawValue]) { jobs.append(job) }
    }
    let known = options.measurements
    let new = try await measure(jobs.filter { known[$0.job.id] == nil }, at: time)
    let measurements = known.merging(new) { _, new in new }
    for index in jobs.indices { apply(measurements[jobs[index].job.id] ?? JobMeasurement(), to: &jobs[index]) }
    let input = ForecastInput(
      jobs: jobs, deployment: deployment, start: options.start ?? time, span: options.span, prices: options.prices)
    return (input, measurements)
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

  /// Gives a job what was measured, and the rate that the options set.
  private func apply(_ measurement: JobMeasurement, to job: inout ForecastJob) {
    job.enqueuedPerDay = max(0, options.enqueuedPerDay[job.job.id] ?? measurement.enqueuedPerDay)
    if let profile = measurement.profile {
      job.profile = profile
    } else if let last = job.state.lastDuration {
      job.profile.duration = last
    } else {
      job.notes.append("No run was measured: an attempt counts as \(job.profile.duration).")
    }
  }

  /// Measures jobs by their recent runs, some at a time.
  private func measure(
    _ jobs: [ForecastJob], at time: Timestamp
  ) async throws(JobError) -> [JobID: JobMeasurement] {
    if options.measuredRuns < 1 { return [:] }
    let results = await withTaskGroup(of: (JobID, Result<JobMeasurement, JobError>).self) { group in
      var results: [(JobID, Result<JobMeasurement, JobError>)] = []
      for (place, job) in jobs.enumerated() {
        if place >= Self.concurrency, let result = await group.next() {
          results.append(result)
          if case .failure = result.1 { break }
        }
        group.addTask {
          let result = await Result(awaiting: { () async throws(JobError) in try await measure(job, at: time) })
          return (job.job.id, result)
        }
      }
      for await result in group { results.append(result) }
      return results
    }
    var measurements: [JobID: JobMeasurement] = [:]
    for (id, result) in results { measurements[id] = try result.get() }
    return measurements
  }

  /// Measures a job by its recent runs.
  private func measure(_ job: ForecastJob, at time: Timestamp) async throws(JobError) -> JobMeasurement {
    let limit = min(options.measuredRuns, StoreLimits.batch)
    let page = try await services.read { () async throws(StoreError) in
      try await services.store.runs(matching: RunFilter(job: job.job.id), after: nil, limit: limit)
    }
    let runs = page.records.compactMap { try? $0.run.get() }
    var measurement = JobMeasurement()
    measurement.enqueuedPerDay = RunRate.perDay(of: runs, until: time, isCut: page.next != nil)
    measurement.profile = RunProfile(
      measuring: runs, lastDuration: job.state.lastDuration, poll: deployment.cancellationPoll)
    let sample = runs.filter { $0.status.isTerminal }.prefix(Self.sampledLogs)
    var (entries, attempts) = (0, 0)
    for run in sample {
      entries += try await services.read { () async throws(StoreError) in
        try await services.store.log(of: run.id, after: nil, limit: StoreLimits.batch)
      }.count
      attempts += run.attempt
    }
    if attempts > 0 { measurement.profile?.logEntriesPerAttempt = Double(entries) / Double(attempts) }
    return measurement
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
