import CloudJobsCore
import HTTPTypes
import Logging
import Synchronization

/// Answers a scrape: what this instance has counted, and what its store tells.
struct MetricsReporter: Sendable {
  private let services: RuntimeServices

  init(_ services: RuntimeServices) {
    self.services = services
  }

  /// Returns all metrics in the text format of Prometheus.
  ///
  /// A store that does not answer is no failure: the instance's own metrics are returned, and `cloud_jobs_store_up`
  /// is 0.
  func answer() async -> HandlerResponse {
    await readStore()
    let families = services.metrics.registry.families + instance + services.metrics.readings.withLock { $0.families }
    return HandlerResponse(
      head: HTTPResponse(
        status: .ok, headerFields: [.contentType: PrometheusText.contentType, .cacheControl: "no-store"]),
      body: Array(PrometheusText.text(families).utf8))
  }

  /// The metrics of this instance that nothing counts.
  private var instance: [MetricFamily] {
    let (start, pass) = services.health.note { ($0.startedAt, $0.lastPass) }
    func seconds(_ time: Timestamp) -> Double { Double(time.microseconds) / 1e6 }
    return [
      MetricFamily(
        name: "cloud_jobs_start_time_seconds", kind: .gauge,
        help: "The start of this instance's runtime, in seconds since 1970.", series: [.init(seconds(start))]),
      MetricFamily(
        name: "cloud_jobs_last_pass_time_seconds", kind: .gauge,
        help: "The last master pass or poll of a worker that succeeded, in seconds since 1970.",
        series: pass.map { [.init(seconds($0))] } ?? []),
      MetricFamily(
        name: "cloud_jobs_active_deliveries", kind: .gauge, help: "The deliveries and attempts in process here.",
        series: [.init(Double(services.active.deliveries))]),
    ]
  }

  /// Reads the store, unless it was read in the last seconds.
  private func readStore() async {
    let now = services.clock.now()
    // Where due times are cheap, so are all queries.
    let interval = services.store is any DueTimeStore ? StoreReadings.interval : StoreReadings.paidInterval
    guard services.metrics.readings.withLock({ $0.starts(at: now, interval: interval) }) else { return }
    var reading: StoreReadings.Reading?
    do throws(JobError) {
      reading = try await read()
    } catch {
      services.logger.debug("The store could not be read for metrics.", metadata: ["error": "\(error)"])
    }
    services.metrics.readings.withLock { $0.note(reading) }
  }

  private func read() async throws(JobError) -> StoreReadings.Reading {
    var reading = StoreReadings.Reading()
    var queues = services.options.queueOrder.names.union(services.registry.definitions.compactMap(\.policy.queue))
    do throws(StoreError) {
      try await readJobs(&reading, &queues)
      reading.lateness = try await lateness()
      if let store = services.store as? any RunCountingStore {
        let known = Set(queues.sorted().prefix(StoreLimits.countedQueues))
        reading.waiting = try await services.client.once { () async throws(StoreError) in
          try await store.waitingRunCounts(tellingApart: known)
        }
      }
    } catch {
      throw JobError(error)
    }
    for worker in try await WorkerList(services).all().workers { reading.workers[worker.state, default: 0] += 1 }
    return reading
  }

  /// Counts the jobs by their states, and collects the queues that their documents name.
  private func readJobs(
    _ reading: inout StoreReadings.Reading, _ queues: inout Set<String>
  ) async throws(StoreError) {
    let store = services.store
    var count = 0
    var cursor: StoreCursor?
    // A registered job may have no document yet.
    var undocumented = services.registry.jobs.mapValues { $0.definition.policy }
    repeat {
      let page = try await services.client.once { [cursor] () async throws(StoreError) in
        try await store.jobs(after: cursor, limit: StoreLimits.batch)
      }
      for record in page.records {
        let policy = (try? JobID(record.id)).flatMap { undocumented.removeValue(forKey: $0) }
        let state = StoreReadings.JobState(record, isEnabledByCode: policy?.enabled ?? true, at: page.time)
        reading.jobs[state, default: 0] += 1
        if let queue = try? record.document.get().configuration.queue { queues.insert(queue) }
      }
      count += page.records.count
      cursor = page.next
    } while cursor != nil && count < StoreReadings.jobLimit
    guard cursor == nil else { return }
    for policy in undocumented.values {
      reading.jobs[policy.enabled ? policy.paused ? .paused : .enabled : .disabled, default: 0] += 1
    }
  }

  /// Returns how long the work that is due for longest has been waiting.
  private func lateness() async throws(StoreError) -> Duration {
    if let store = services.store as? any DueTimeStore {
      let times = try await services.client.once { () async throws(StoreError) in
        try await store.dueTimes(within: .zero)
      }
      return times.earliest.map { max(.zero, times.time - $0) } ?? .zero
    }
    let store = services.store
    let jobs = try await services.client.once { () async throws(StoreError) in
      try await store.dueJobs(after: nil, limit: 1)
    }
    let runs = try await services.client.once { () async throws(StoreError) in
      try await store.wakingRuns(after: nil, limit: 1)
    }
    let first = [jobs.records.first?.nextRun, runs.records.first.flatMap { try? $0.run.get().wakeAt }]
    return first.compactMap { $0 }.min().map { max(.zero, max(jobs.time, runs.time) - $0) } ?? .zero
  }
}
