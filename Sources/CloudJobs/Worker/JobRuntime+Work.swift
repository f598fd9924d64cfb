import CloudJobsCore

extension Handling {
  /// Whether this delivery moved the run on, and no other.
  var isOwnWork: Bool {
    switch status {
    case .succeeded, .retrying, .failed, .snoozed, .cancelled, .dead, .skipped, .waiting, .leaseLost, .scheduled: true
    case .duplicate, .early, .busy, .rejected: false
    }
  }
}

extension JobRuntime {
  /// When the store's jobs and runs come due.
  ///
  /// A store that can't tell in one query is asked for what is due now.
  func dueTimes() async throws(StoreError) -> DueTimes {
    if let store = store as? any DueTimeStore {
      return try await access.attempt { () async throws(StoreError) in try await store.dueTimes() }
    }
    let jobs = try await duePage(after: nil)
    let runs = try await wakingPage(after: nil, limit: 1)
    let earliest = (jobs.records.compactMap(\.nextRun) + runs.records.map { (try? $0.run.get())?.wakeAt ?? runs.time })
    return DueTimes(time: max(jobs.time, runs.time), earliest: earliest.min(), next: nil)
  }

  /// Notes that a worker executes what comes due, so that less lateness is expected.
  func workerStarts() {
    let expectations = HealthExpectations(queue.retryOwner, options, hasWorker: true)
    health.note { $0.expectations = expectations }
  }

  /// Executes the next attempt of a run that has come due.
  ///
  /// - Returns: whether the run has moved on in the store, here or elsewhere.
  func execute(_ record: RunRecord) async -> Bool {
    guard let run = waitingRun(of: record), registry.jobs[run.job] != nil else { return false }
    let handling = await executeNext(of: run)
    return handling.isOwnWork || handling.status == .duplicate
  }

  /// Delivers the next attempt of a waiting run.
  func executeNext(of run: Run) async -> Handling {
    var delivery = Delivery(job: run.job, trigger: run.trigger, attempt: run.attempt.successor)
    delivery.run = run.id
    return await deliver(delivery)
  }
}
