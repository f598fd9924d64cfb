import CloudJobsCore
import Logging

/// The work of a worker at a moment.
struct WorkerLoad: Hashable, Sendable {
  /// The number of attempts and due jobs in process.
  var active: Int
  /// The number of attempts and due jobs that were processed.
  var processed: Int
}

/// The entry of a running worker in the list of workers.
///
/// A heartbeat that can't be written is left out: the worker's work does not depend on it.
struct WorkerHeartbeats: Sendable {
  private let services: RuntimeServices
  private let interval: Duration?
  private let id: LedgerID
  private var record: WorkerRecord
  /// The time of the next heartbeat, by the local clock; the distant future for a worker without.
  private(set) var next: Timestamp

  init(_ services: RuntimeServices, _ options: JobWorker.Options) {
    self.services = services
    interval = options.heartbeat.map { max($0, .milliseconds(100)) }
    id = .worker(services.options.random.token())
    let now = services.clock.now()
    record = WorkerRecord(
      name: options.name ?? WorkerName.ofProcess, owner: services.settings.owner, startedAt: now,
      staleAfter: options.staleAfter, concurrency: max(1, options.concurrency))
    (record.runsSchedules, record.executesRuns) = (options.runsSchedules, options.executesRuns)
    next = interval == nil ? .distantFuture : now
  }

  /// Writes a heartbeat if one is due.
  mutating func beat(_ load: WorkerLoad) async {
    let now = services.clock.now()
    guard let interval, now >= next else { return }
    next = now + interval
    await write(load)
  }

  /// Writes that the worker starts nothing any more.
  mutating func announceStop(_ load: WorkerLoad) async {
    if interval == nil { return }
    record.isStopping = true
    await write(load)
  }

  /// Deletes the entry.
  func remove() async {
    guard interval != nil, record.heartbeats > 0 else { return }
    await commit(nil)
  }

  private mutating func write(_ load: WorkerLoad) async {
    (record.active, record.processed) = (load.active, load.processed)
    record.heartbeats += 1
    record.expireAt = services.clock.now() + record.staleAfter + WorkerRecord.retention
    await commit(.worker(record))
  }

  private func commit(_ entry: Ledger?) async {
    do throws(StoreError) {
      _ = try await services.client.once(.write) { () async throws(StoreError) in
        try await services.store.commit([.putLedger(id, entry, .none)])
      }
    } catch {
      services.logger.debug("The list of workers could not be written.", metadata: ["error": "\(error)"])
    }
  }
}
