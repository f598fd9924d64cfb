import CloudJobsCore

/// Reads and changes runs for an operator.
struct RunManager: Sendable {
  private let services: RuntimeServices

  init(_ services: RuntimeServices) {
    self.services = services
  }

  /// Returns a run; nil if there is none.
  ///
  /// - Throws: ``JobError`` `storeUnavailable`, or `invalidField` if the stored run is invalid.
  func run(_ id: RunID) async throws(JobError) -> Run? {
    try await read([id]).runs[id]?.run.get()
  }

  /// Returns a page of runs; invalid ones are left out.
  func runs(_ filter: RunFilter, after cursor: StoreCursor?, limit: Int) async throws(JobError) -> RunPage {
    let page = try await services.read { () async throws(StoreError) in
      try await services.store.runs(matching: filter, after: cursor, limit: limit)
    }
    return RunPage(runs: page.records.compactMap { try? $0.run.get() }, next: page.next, time: page.time)
  }

  /// Returns the lines of a run's log, oldest first.
  func log(of run: RunID, limit: Int) async throws(JobError) -> [RunLogLine] {
    var lines: [RunLogLine] = []
    var last: Int64?
    repeat {
      let entries = try await services.read { [last] () async throws(StoreError) in
        try await services.store.log(of: run, after: last, limit: StoreLimits.batch)
      }
      lines += entries.flatMap(\.lines)
      last = entries.count == StoreLimits.batch ? entries.last?.sequence : nil
    } while last != nil && lines.count < limit
    return Array(lines.prefix(limit))
  }

  /// Cancels a run, and removes its task from the queue.
  func cancel(_ id: RunID, because reason: String) async throws(JobError) -> Run {
    try await change(id) { run, now throws(JobError) in
      switch planCancellation(of: run, because: reason, retention: policy(of: run).retention, now: now) {
      case .cancel(let changed), .request(let changed): changed
      case .ended: nil
      }
    } then: { changed, before in
      services.active.record(of: id)?.adopt(changed)
      guard changed.status.isTerminal else { return }
      if before.status != .running, services.settings.retryOwner.takesTasks {
        // A task that can't be removed finds that its run has ended.
        try? await services.queue.cancel(before.nextTaskName, in: before.queue)
      }
      await RunEnd(services).report(changed)
    }
  }

  /// Moves the next attempt of a waiting run to another time.
  func reschedule(_ id: RunID, to time: Timestamp) async throws(JobError) -> Run {
    try await change(id) { run, now throws(JobError) in
      try planRescheduling(of: run, to: max(now, time), settings: services.settings)
    } then: { changed, before in
      if services.settings.retryOwner.takesTasks {
        try? await services.queue.cancel(before.nextTaskName, in: before.queue)
      }
      guard changed.isDeliverable else { return }
      await NextAttemptEnqueuer(services).enqueueNextAttempt(of: changed, timeout: policy(of: changed).timeout)
    }
  }

  /// Moves the next attempt of a run that starts later to now, without a task; any other run stays as it is.
  func startNow(_ id: RunID) async throws(JobError) -> Run {
    try await change(id) { run, now throws(JobError) in
      guard run.isDeliverable, run.waitsFor == nil, run.notBefore > now else { return nil }
      return try planRescheduling(of: run, to: now, settings: services.settings)
    } then: { _, before in
      if services.settings.retryOwner.takesTasks {
        try? await services.queue.cancel(before.nextTaskName, in: before.queue)
      }
    }
  }

  /// Repeats ended runs as new ones.
  func redrive(_ ids: [RunID]) async throws(JobError) -> [EnqueuedRun] {
    if services.settings.retryOwner == .caller { throw .noQueue }
    var result: [EnqueuedRun] = []
    for start in stride(from: 0, to: ids.count, by: StoreLimits.batch / 2) {
      result += try await redrive(batch: Array(ids[start..<min(start + StoreLimits.batch / 2, ids.count)]))
    }
    return result
  }

  private func redrive(batch ids: [RunID]) async throws(JobError) -> [EnqueuedRun] {
    let reading = try await read(ids)
    var new: [Run] = []
    for id in ids {
      guard let run = try reading.runs[id]?.run.get() else { throw .noRun }
      let again = try planRedrive(of: run, policy: policy(of: run), settings: services.settings, now: reading.time)
      new.append(try services.payloads.moved(again, from: run))
    }
    let recorded = try await RunCommitter(services).replanning { (_) async throws(JobError) -> [EnqueuedRun]? in
      let present = try await read(new.map(\.id)).runs
      var seen = Set(present.keys)
      let missing = new.filter { seen.insert($0.id).inserted }
      do throws(StoreError) {
        if !missing.isEmpty { _ = try await services.client.commit(missing.map { .putRun($0, .absent) }) }
      } catch {
        if error.code == .conflict || error.code == .unknownOutcome { return nil }
        throw JobError(error)
      }
      let timeouts = Dictionary(missing.map { ($0.job, policy(of: $0).timeout) }) { first, _ in first }
      await NextAttemptEnqueuer(services).enqueueTasks(of: missing, timeouts: timeouts)
      let created = Set(missing.map(\.id))
      return new.map { run in
        let stored = (try? present[run.id]?.run.get())?.status
        return EnqueuedRun(id: run.id, isNew: created.contains(run.id), status: stored ?? run.status)
      }
    }
    guard let recorded else { throw .contention }
    return recorded
  }

  /// Deletes ended runs that match a filter.
  ///
  /// - Returns: the number of deleted runs.
  func purge(_ filter: RunFilter) async throws(JobError) -> Int {
    var filter = filter
    filter.statuses = (filter.statuses ?? [.succeeded, .failed, .cancelled]).filter(\.isTerminal)
    var count = 0
    var cursor: StoreCursor?
    repeat {
      let page = try await services.read { [filter, cursor] () async throws(StoreError) in
        try await services.store.runs(matching: filter, after: cursor, limit: StoreLimits.batch)
      }
      cursor = page.next
      if page.records.isEmpty { continue }
      do throws(StoreError) {
        _ = try await services.client.commit(page.records.map { .deleteRun($0.id, .version($0.version)) })
        count += page.records.count
      } catch {
        // A run changed meanwhile, or the response was lost: the runs that are left match again.
        guard error.code == .conflict || error.code == .unknownOutcome else { throw JobError(error) }
      }
    } while cursor != nil
    return count
  }

  // MARK: The common cycle

  private func read(_ ids: [RunID]) async throws(JobError) -> StoreReading {
    try await services.read { () async throws(StoreError) in try await services.store.read(jobs: [], runs: ids) }
  }

  private func policy(of run: Run) -> JobPolicy {
    services.registry.jobs[run.job]?.definition.policy ?? JobPolicy()
  }

  /// Reads a run, changes it under its version, and repeats that after conflicts.
  ///
  /// - Parameters:
  ///   - id: the id of the run.
  ///   - change: returns the changed run; nil to leave it as it is.
  ///   - then: called with the changed run and the one before.
  /// - Returns: the run after the change.
  /// - Throws: ``JobError`` `notFound`, `busy`, `storeUnavailable`, or the error of the change.
  private func change(
    _ id: RunID, _ change: (Run, Timestamp) throws(JobError) -> Run?, then: (Run, Run) async -> Void
  ) async throws(JobError) -> Run {
    let result = try await RunCommitter(services).replanning { (budget) async throws(JobError) -> Run? in
      let reading = try await read([id])
      guard let record = reading.runs[id] else { throw .noRun }
      let run = try record.run.get()
      guard let changed = try change(run, reading.time) else { return run }
      do throws(StoreError) {
        let writes: [Write] = [.putRun(changed, .version(record.version))]
        guard try await RunCommitter(services).commit(writes, making: changed, &budget) != nil else { return nil }
      } catch {
        throw JobError(error)
      }
      await then(changed, run)
      return changed
    }
    guard let result else { throw .contention }
    return result
  }
}

/// A page of runs.
public struct RunPage: Sendable {
  /// The runs, latest first.
  public var runs: [Run]
  /// The cursor of the next page; nil at the end of the list.
  public var next: StoreCursor?
  /// The store's time.
  public var time: Timestamp
}

extension JobError {
  static let noRun = JobError(.notFound, "No run has this id.", field: "runId")
  static let contention = JobError(.busy, "Other writers kept changing the run. Try again.", field: "runId")
}
