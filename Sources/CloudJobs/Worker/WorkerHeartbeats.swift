import CloudJobsCore
import Logging
import Synchronization

/// The work of a worker at a moment.
struct WorkerLoad: Hashable, Sendable {
  /// The number of attempts and due jobs in process.
  var active: Int
  /// The number of attempts and due jobs that were processed.
  var processed: Int
}

/// The entry of a running worker in the list of workers.
///
/// It is written beside the worker's loop: a store that keeps a heartbeat waiting keeps no work waiting, and a worker
/// that waits for its last attempts goes on telling that it lives. A heartbeat that can't be written is left out.
final class WorkerHeartbeats: Sendable {
  private let services: RuntimeServices
  private let interval: Duration?
  private let id: LedgerID
  private let entry: WorkerRecord
  private let load: @Sendable () -> WorkerLoad
  private let isStopping = Mutex(false)
  private let signal = WakeUp()

  /// Creates the entry of a worker that starts.
  ///
  /// - Parameters:
  ///   - services: the runtime's services.
  ///   - options: the worker's options.
  ///   - load: returns the worker's work at the moment.
  init(_ services: RuntimeServices, _ options: JobWorker.Options, load: @escaping @Sendable () -> WorkerLoad) {
    self.services = services
    self.load = load
    interval = options.heartbeat.map { max($0, .milliseconds(100)) }
    id = .worker(services.options.random.token())
    var entry = WorkerRecord(
      name: options.name ?? WorkerName.ofProcess, owner: services.settings.owner, startedAt: services.clock.now(),
      // A single heartbeat that is late does not make it lost.
      staleAfter: max(options.staleAfter, (interval ?? .zero) * 2), concurrency: max(1, options.concurrency))
    (entry.runsSchedules, entry.executesRuns) = (options.runsSchedules, options.executesRuns)
    self.entry = entry
  }

  /// Writes heartbeats until the task is cancelled.
  func run() async {
    guard let interval else { return }
    var record = entry
    while !Task.isCancelled {
      let next = services.steadyClock.now() + interval
      let load = load()
      (record.active, record.processed) = (load.active, load.processed)
      record.isStopping = isStopping.withLock { $0 }
      record.heartbeats += 1
      record.expireAt = services.clock.now() + record.staleAfter + WorkerRecord.retention
      await commit(.worker(record))
      await signal.wait(until: next, services.steadyClock)
    }
  }

  /// Tells that the worker starts nothing any more.
  func announceStop() {
    isStopping.withLock { $0 = true }
    signal.call()
  }

  /// Deletes the entry, once ``run()`` has ended, also if the task is cancelled.
  func remove() async {
    if interval == nil { return }
    await withoutCancellation { [self] in await commit(nil) }
  }

  private func commit(_ ledger: Ledger?) async {
    do throws(StoreError) {
      _ = try await services.client.once(.write) { () async throws(StoreError) in
        try await services.store.commit([.putLedger(id, ledger, .none)])
      }
    } catch {
      services.logger.debug("The list of workers could not be written.", metadata: ["error": "\(error)"])
    }
  }
}
