import CloudJobsCore
import Logging

/// Recovers runs whose task or attempt was lost.
struct RunSweeper: Sendable {
  /// The number of runs that are read at a time.
  static let pageSize = 100

  private let services: RuntimeServices
  private let committer: RunCommitter

  init(_ services: RuntimeServices) {
    self.services = services
    committer = RunCommitter(services)
  }

  /// Recovers the runs whose `wakeAt` has passed.
  ///
  /// - Parameter end: the time at which to stop; the next sweep continues.
  /// - Returns: the number of recovered runs.
  /// - Throws: ``StoreError`` `unavailable`.
  func sweep(until end: Timestamp) async throws(StoreError) -> Int {
    var recovered = 0
    var cursor: StoreCursor?
    var turns = QueueTurns(services.options.queueOrder)
    repeat {
      var page = try await page(after: cursor, limit: Self.pageSize)
      cursor = page.next
      page.records = turns.order(page.records, by: \.place)
      recovered += try await recover(page, until: end).get()
    } while cursor != nil && services.steadyClock.now() < end && !services.active.isDraining
    return recovered
  }

  /// Reads a page of the runs whose `wakeAt` has passed.
  func page(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<RunRecord> {
    try await services.client.call { () async throws(StoreError) in
      try await services.store.wakingRuns(after: cursor, limit: limit)
    }
  }

  /// Recovers the runs of a page, several at once; none is begun after a failure of the store.
  private func recover(_ page: StorePage<RunRecord>, until end: Timestamp) async -> Result<Int, StoreError> {
    let limit = max(1, services.options.passConcurrency)
    return await withTaskGroup(of: Result<Bool, StoreError>.self) { group in
      var recovered = 0
      var failure: StoreError?
      func count(_ result: Result<Bool, StoreError>) {
        switch result {
        case .success(let isRecovered): recovered += isRecovered ? 1 : 0
        case .failure(let error): failure = error
        }
      }
      for (index, record) in page.records.enumerated() {
        if index >= limit, let result = await group.next() { count(result) }
        if failure != nil || services.steadyClock.now() >= end || services.active.isDraining { break }
        group.addTask {
          await Result(awaiting: { () async throws(StoreError) in try await recover(record, now: page.time) })
        }
      }
      for await result in group { count(result) }
      return failure.map { .failure($0) } ?? .success(recovered)
    }
  }

  /// Recovers a run.
  ///
  /// - Returns: whether this instance changed it.
  private func recover(_ record: RunRecord, now: Timestamp) async throws(StoreError) -> Bool {
    guard let (run, plan) = recoveryPlan(for: record, now: now), let registered = services.registry.jobs[run.job] else {
      return false
    }
    switch plan {
    case .reject: return false
    case .deliver: return await DeliveryProcessor(services).process(run.nextDelivery).hasChangedRun
    case .reenqueue(let changed):
      var budget = services.client.budget()
      guard try await committer.commit([.putRun(changed, .version(record.version))], making: changed, &budget) != nil
      else { return false }
      let timeout = registered.definition.policy.timeout
      await NextAttemptEnqueuer(services).enqueueNextAttempt(of: changed, timeout: timeout)
      return true
    }
  }

  /// Returns the run of a record and the plan of its recovery.
  ///
  /// - Returns: nil if the run is invalid or has no further attempt; that is logged once, and counted for the health
  ///   report.
  func recoveryPlan(for record: RunRecord, now: Timestamp) -> (Run, RecoveryPlan)? {
    let fault: JobError
    do throws(JobError) {
      let run = try record.run.get()
      let plan = planRecovery(of: run, settings: services.settings, now: now)
      guard case .reject(let error) = plan else { return (run, plan) }
      fault = error
    } catch {
      fault = error
    }
    if services.health.note({ $0.runIsUnreadable(record.id) }) {
      services.logger.error(
        "A stored run is invalid and is left alone. Fix the field, or delete the run.",
        metadata: ["runId": "\(record.id)", "error": "\(fault)"])
    }
    return nil
  }

  /// Recovers the runs of a process that has died: releases its leases, and enqueues every waiting run again.
  ///
  /// - Returns: the number of recovered runs.
  /// - Throws: ``StoreError`` `unavailable`.
  func takeOver() async throws(StoreError) -> Int {
    var count = 0
    var invalid = [RunID]()
    var cursor: StoreCursor?
    let filter = RunFilter(statuses: [.running, .scheduled, .pending])
    let settings = services.settings
    repeat {
      let page = try await services.client.call { () async throws(StoreError) in
        // Each run may give back permits of two limits in the same commit.
        try await services.store.runs(matching: filter, after: cursor, limit: StoreLimits.batch / 3)
      }
      cursor = page.next
      invalid += page.records.filter { $0.isUnreadable }.map(\.id)
      let recovered = page.records.compactMap { record -> (run: Run, version: Version, policy: JobPolicy)? in
        guard let run = try? record.run.get(), let policy = services.registry.jobs[run.job]?.definition.policy else {
          return nil
        }
        return (run.interrupted(policy: policy, settings: settings, at: page.time), record.version, policy)
      }
      if recovered.isEmpty { continue }
      _ = try await services.client.commit(recovered.map { ($0.run, $0.version) }.writesGivingPermitsBack)
      for (run, _, policy) in recovered {
        if run.status.isTerminal {
          await RunEnd(services).report(run)
        } else if settings.retryOwner.takesTasks {
          await NextAttemptEnqueuer(services).enqueueNextAttempt(of: run, timeout: policy.timeout)
        }
      }
      count += recovered.count
    } while cursor != nil
    if let first = invalid.first {
      services.logger.error(
        "Stored runs that wait are invalid and were left alone. Fix or delete their documents.",
        metadata: ["runs": "\(invalid.count)", "first": "\(first)"])
    }
    return count
  }
}

extension RunRecord {
  /// The queue and the priority of the run; the standard ones if it is invalid.
  var place: (queue: String?, priority: Int) {
    guard let run = try? run.get() else { return (nil, 0) }
    return (run.queue, run.priority)
  }
}
