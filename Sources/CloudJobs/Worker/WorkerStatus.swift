public import CloudJobsCore

/// A worker of a store, as its last heartbeat tells.
public struct WorkerStatus: Hashable, Sendable, Identifiable, CustomStringConvertible {
  /// The states of a worker.
  public enum State: String, Hashable, Sendable, CaseIterable {
    /// It works.
    case running
    /// It starts nothing any more, and waits for the end of what is under way.
    case stopping
    /// It has not been heard of for longer than it promised. Its runs are free when their leases have expired.
    case lost
  }

  /// The id of the entry.
  public let id: String
  /// What the worker wrote of itself.
  public let record: WorkerRecord
  /// The time of its last heartbeat, by the store's clock.
  public let seenAt: Timestamp
  /// The state.
  public let state: State

  /// Creates the status of a worker: pure.
  ///
  /// - Parameters:
  ///   - id: the id of the entry.
  ///   - record: what the worker wrote of itself.
  ///   - seenAt: the time of its last heartbeat, by the store's clock.
  ///   - now: the store's time.
  public init(id: String, _ record: WorkerRecord, seenAt: Timestamp, at now: Timestamp) {
    (self.id, self.record, self.seenAt) = (id, record, seenAt)
    state = now - seenAt > record.staleAfter ? .lost : record.isStopping ? .stopping : .running
  }

  /// The worker in one line, such as `web-3:417 running, 2 of 8 active, seen at 2026-01-31T09:00:00Z`.
  public var description: String {
    "\(record.name) \(state.rawValue), \(record.active) of \(record.concurrency) active, seen at \(seenAt)"
  }
}

extension WorkerStatus {
  /// The worker as `GET workers` shows it.
  package var json: JSONValue {
    [
      "id": .string(id), "name": .string(record.name), "state": .string(state.rawValue),
      "startedAt": .string("\(record.startedAt)"), "seenAt": .string("\(seenAt)"), "owner": .string(record.owner),
      "concurrency": .integer(Int64(record.concurrency)), "active": .integer(Int64(record.active)),
      "processed": .integer(Int64(record.processed)), "runsSchedules": .bool(record.runsSchedules),
      "executesRuns": .bool(record.executesRuns),
    ]
  }
}

extension JobRuntime {
  /// Lists the workers of the store, those of other processes included, by the time of their start.
  ///
  /// A worker that has stopped is not listed. One that died is listed as lost, until an hour has passed.
  ///
  /// - Returns: the workers.
  /// - Throws: ``/CloudJobsCore/JobError`` `storeUnavailable`.
  public func workers() async throws(JobError) -> [WorkerStatus] {
    try await WorkerList(services).all().workers
  }
}

/// The list of a store's workers.
struct WorkerList: Sendable {
  private let services: RuntimeServices

  init(_ services: RuntimeServices) {
    self.services = services
  }

  /// Reads all entries.
  ///
  /// - Returns: the workers, and the store's time.
  /// - Throws: ``JobError`` `storeUnavailable`.
  func all() async throws(JobError) -> (workers: [WorkerStatus], time: Timestamp) {
    var workers: [WorkerStatus] = []
    var cursor: StoreCursor?
    var time = Timestamp.distantPast
    repeat {
      let page = try await services.read { [cursor] () async throws(StoreError) in
        try await services.store.ledgers(in: .worker, after: cursor, limit: StoreLimits.batch)
      }
      time = max(time, page.time)
      for entry in page.records {
        guard let record = entry.ledger?.worker,
          entry.changedAt + record.staleAfter + WorkerRecord.retention > page.time
        else { continue }
        let id = String(entry.id.rawValue.dropFirst(LedgerID.Family.worker.prefix.count))
        workers.append(WorkerStatus(id: id, record, seenAt: entry.changedAt, at: page.time))
      }
      cursor = page.next
    } while cursor != nil
    return (workers.sorted { ($0.record.startedAt, $0.id) < ($1.record.startedAt, $1.id) }, time)
  }
}
