import CloudJobsCore

/// Reports the health of a runtime.
struct HealthReporter: Sendable {
  /// The maximum number of records of each kind that a count of overdue work reads.
  static let overdueLimit = 100

  private let services: RuntimeServices
  private var health: HealthMonitor { services.health }

  init(_ services: RuntimeServices) {
    self.services = services
  }

  /// Returns the report: the last pass, overdue work, and problems of the store, its clock and its documents.
  func report() async -> JobHealth {
    await updateOverdue()
    var problems = health.problems(at: services.clock.now())
    if let problem = services.memory.problem() { problems.append(problem) }
    let isDraining = services.active.isDraining
    return JobHealth(
      status: isDraining ? .draining : problems.isEmpty ? .ok : .degraded,
      startedAt: health.note { $0.startedAt }, lastPass: health.note { $0.lastPass },
      activeDeliveries: services.active.deliveries, registeredJobs: services.registry.jobs.count, problems: problems)
  }

  /// Answers a probe; for readiness the store is asked, unless it was in the last seconds.
  func answer(to probe: HealthProbe) async -> HealthAnswer {
    if probe == .ready { await updateOverdue() }
    return HealthAnswer(
      to: probe, isPrepared: services.isPrepared, isDraining: services.active.isDraining,
      isStoreReadable: health.note { $0.isStoreReadable }, isMemoryExhausted: services.memory.verdict() != .admit)
  }

  /// Counts overdue work, at most once in ``HealthState/checkInterval``.
  ///
  /// - Parameter times: the due times, if they are known: the store is not queried while they show nothing late.
  func updateOverdue(knowing times: DueTimes? = nil) async {
    let now = services.clock.now()
    guard health.note({ $0.startsCheck(at: now) }) else { return }
    let expectations = health.note { $0.expectations }
    var overdue: Overdue?
    if times.map({ $0.isLate(by: expectations.runsOverdueAfter) }) ?? true {
      overdue = await measureOverdue(expectations)
    }
    health.note { $0.observe(overdue) }
  }

  /// Counts overdue work; nil if the store does not answer, which is tried only once.
  private func measureOverdue(_ expectations: HealthExpectations) async -> Overdue? {
    do throws(StoreError) {
      let store = services.store
      let jobs = try await services.client.once { () async throws(StoreError) in
        try await store.dueJobs(after: nil, limit: Self.overdueLimit)
      }
      let runs = try await services.client.once { () async throws(StoreError) in
        try await store.wakingRuns(after: nil, limit: Self.overdueLimit)
      }
      let now = services.clock.now()
      health.note { $0.observe(storeTime: runs.time, at: now) }
      return Overdue(jobs, runs, of: services.registry, expectations)
    } catch {
      return nil
    }
  }
}

extension HealthExpectations {
  /// Creates the expectations of a runtime.
  ///
  /// - Parameters:
  ///   - owner: the party that delivers failed attempts again.
  ///   - options: the runtime's options.
  ///   - hasWorker: whether a worker runs in the process.
  init(_ owner: RetryOwner, _ options: RuntimeOptions, hasWorker: Bool) {
    if hasWorker {
      passRemedy = ""
      (jobsOverdueAfter, runsOverdueAfter) = (.seconds(5), .seconds(5))
      return
    }
    passRemedy =
      owner == .pass
      ? "Run a JobServer or a JobWorker, or have POST master called once a minute."
      : "Have Cloud Scheduler call POST master once a minute."
    jobsOverdueAfter = .minutes(2)
    runsOverdueAfter = owner == .runtime ? options.housekeeping + .minutes(2) : .minutes(2)
  }
}

extension DueTimes {
  /// Whether an item has been due for longer than a duration.
  fileprivate func isLate(by span: Duration) -> Bool {
    earliest.map { time - $0 > span } ?? false
  }
}

extension Overdue {
  /// Counts the overdue records of two pages; runs of jobs that are not registered count apart, as another service may
  /// have them.
  init(
    _ jobs: StorePage<JobRecord>, _ runs: StorePage<RunRecord>, of registry: JobRegistry,
    _ expectations: HealthExpectations
  ) {
    let late = jobs.records.filter { record in
      guard let id = try? JobID(record.id), registry.jobs[id] != nil, let time = record.nextRun else { return false }
      return jobs.time - time > expectations.jobsOverdueAfter
    }
    let due = runs.records.compactMap { try? $0.run.get() }
    let waiting = due.filter { run in
      guard registry.jobs[run.job] != nil, let time = run.wakeAt else { return false }
      return runs.time - time > expectations.runsOverdueAfter
    }
    self.jobs = late.count
    self.runs = waiting.count
    unregisteredRuns = due.count { run in
      registry.jobs[run.job] == nil && run.wakeAt.map { runs.time - $0 > HealthExpectations.othersLimit } ?? false
    }
    oldest = (late.compactMap(\.nextRun) + waiting.compactMap(\.wakeAt)).min()
    isCut = jobs.next != nil || runs.next != nil
  }
}
