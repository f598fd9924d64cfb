import CloudJobsCore
import Logging

/// Wakes the runs that wait for a permit, when an attempt has given its own back: as many as fit.
///
/// If the process ends before it has, the runs try again by themselves within seconds.
struct LimitWaker: Sendable {
  /// The maximum number of runs that one end of an attempt wakes; those that they make room for wake more.
  private static let maximumWoken = 32
  /// The time for which a permit is kept for a woken run: the queue delivers it meanwhile.
  private static let reservation = Duration.seconds(5)

  private let services: RuntimeServices

  init(_ services: RuntimeServices) {
    self.services = services
  }

  /// Wakes runs after an attempt.
  ///
  /// - Parameters:
  ///   - claimed: the attempt, which has given its permits back.
  ///   - time: the time of that commit by the store's clock.
  func wake(after claimed: ClaimedRun, at time: Timestamp) async {
    let limits = claimed.job.limits.filter { $0.maxConcurrent != nil }
    if limits.isEmpty { return }
    do throws(StoreError) {
      for limit in limits { try await wake(limit, of: claimed.run.job, at: time) }
    } catch {
      services.logger.debug(
        "Runs that wait for a permit were not woken. They try again by themselves.",
        metadata: ["jobId": "\(claimed.run.job)", "error": "\(error)"])
    }
  }

  /// Wakes the runs that a limit has room for; again if others change them meanwhile.
  private func wake(_ limit: JobLimit, of job: JobID, at time: Timestamp) async throws(StoreError) {
    if services.store.hasWaiters(in: limit.ledger, asOf: time) == false { return }
    for _ in 0..<RetryBudget.conflictLimit {
      let reading = try await services.client.read(ledgers: [limit.ledger])
      guard let record = reading.ledgers[limit.ledger], let ledger = record.ledger?.limits, ledger.hasWaiters else {
        return
      }
      let room = min(ledger.room(in: limit, changedAt: record.changedAt, at: reading.time), Self.maximumWoken)
      if room == 0 { return }
      if try await wake(room, limit, ledger, of: job) { return }
    }
  }

  /// Wakes some of the runs that wait.
  ///
  /// - Returns: false if others have changed one of them, or have taken the room.
  private func wake(
    _ count: Int, _ limit: JobLimit, _ ledger: LimitLedger, of job: JobID
  ) async throws(StoreError) -> Bool {
    var room = count
    var isUndisturbed = true
    var waiters = ledger.waiters.filter { ledger.reserved[$0] == nil }[...]
    while room > 0, !waiters.isEmpty {
      let next = Array(waiters.prefix(2 * room))
      waiters = waiters.dropFirst(next.count)
      let reading = try await services.client.read(runs: next)
      let runs = reading.runs.compactMapValues { try? $0.run.get() }
      let plan = planWaking(limit.ledger, waiters: next, runs: runs, room: room, now: reading.time)
      if !plan.dismissed.isEmpty {
        _ = try await services.client.commit([.changeLedger(limit.ledger, .dismiss(plan.dismissed))])
      }
      if try await !wake(plan.woken, limit, reading) { isUndisturbed = false }
      room -= plan.taken
    }
    if room > 0, ledger.hasMoreWaiters { try await listMore(limit, of: job, waking: room) }
    return isUndisturbed
  }

  /// Wakes runs, and keeps a permit for each while the queue delivers it.
  ///
  /// - Returns: false if others have changed one of them, or have taken the room.
  @discardableResult
  private func wake(_ ids: [RunID], _ limit: JobLimit, _ reading: StoreReading) async throws(StoreError) -> Bool {
    var isUndisturbed = true
    for id in ids {
      guard let record = reading.runs[id], let run = try? record.run.get() else { continue }
      let woken = run.woken(services.settings, at: reading.time)
      let permit = LimitPermit(id, until: reading.time + Self.reservation, limit)
      var budget = services.client.budget()
      let time = try await RunCommitter(services).commit(
        [.putRun(woken, .version(record.version)), .changeLedger(limit.ledger, .reserve(permit))], making: woken,
        &budget)
      guard time != nil, let registered = services.registry.jobs[run.job] else {
        isUndisturbed = false
        continue
      }
      await NextAttemptEnqueuer(services).enqueueNextAttempt(
        of: woken, timeout: registered.definition.policy.timeout)
    }
    return isUndisturbed
  }

  /// Lists runs of the job that wait and did not fit in the ledger, and wakes the first of them.
  private func listMore(_ limit: JobLimit, of job: JobID, waking count: Int) async throws(StoreError) {
    let filter = RunFilter(job: job, statuses: [.scheduled, .pending])
    let page = try await services.client.call { () async throws(StoreError) in
      try await services.store.runs(matching: filter, after: nil, limit: StoreLimits.batch)
    }
    let waiting = page.records.filter { (try? $0.run.get())?.waitsFor == limit.ledger }.reversed()
    let ids = waiting.map(\.id)
    let hasMore = page.next != nil || ids.count > LimitLedger.maximumWaiters
    _ = try await services.client.commit([
      .changeLedger(limit.ledger, .list(Array(ids.prefix(LimitLedger.maximumWaiters)), hasMore: hasMore))
    ])
    let records = waiting.prefix(count).map { ($0.id, $0) }
    let reading = StoreReading(
      time: page.time, jobs: [:], runs: Dictionary(records) { first, _ in first })
    try await wake(records.map(\.0), limit, reading)
  }
}
