import CloudJobsCore
import Logging

extension JobRuntime {
  /// Finds runs whose delivery or attempt was lost, and sets them going again.
  ///
  /// - Parameter end: when to stop; the next housekeeping goes on.
  /// - Returns: how many runs it dealt with.
  func sweep(until end: Timestamp) async throws(StoreError) -> Int {
    var recovered = 0
    var cursor: StoreCursor?
    repeat {
      let page = try await access.attempt { () async throws(StoreError) in
        try await store.wakingRuns(after: cursor, limit: Self.passPage)
      }
      cursor = page.next
      for record in page.records where clock.now() < end && !active.isDraining {
        if try await recover(record, now: page.time) { recovered += 1 }
      }
    } while cursor != nil && clock.now() < end && !active.isDraining
    return recovered
  }

  private func recover(_ record: RunRecord, now: Timestamp) async throws(StoreError) -> Bool {
    guard case .success(let run) = record.run else {
      options.logger.error("A run can't be read and is left alone.", metadata: ["runId": "\(record.id)"])
      return false
    }
    guard let registered = registry.jobs[run.job] else { return false }
    guard queue.retryOwner == .runtime else {
      var delivery = Delivery(job: run.job, trigger: run.trigger, attempt: run.attempt + 1)
      delivery.run = run.id
      _ = await deliver(delivery)
      return true
    }
    let again = run.handedAgain(settings, now: now)
    guard try await commit([.putRun(again, .version(record.version))], making: again) != nil else { return false }
    _ = await handOn(again, registered.definition.policy)
    return true
  }

  /// Gives each periodic job the `nextRun` that its document lacks, or that an edit has outdated.
  ///
  /// - Returns: how many documents were changed.
  func reconcileDocuments() async throws(StoreError) -> Int {
    let definitions = registry.definitions.filter { $0.kind == .periodic }
    var changed = 0
    for start in stride(from: 0, to: definitions.count, by: StoreLimits.batch) {
      let batch = definitions[start..<min(start + StoreLimits.batch, definitions.count)]
      let reading = try await access.read(jobs: batch.map(\.id), runs: [])
      for definition in batch {
        let record = reading.jobs[definition.id]
        guard let document = try? record?.document.get() ?? JobDocument(id: definition.id),
          let job = try? resolve(definition, document.configuration),
          let patch = reconcile(job, state: record == nil ? nil : document.state, now: reading.time)
        else { continue }
        do throws(StoreError) {
          _ = try await access.commit([
            .patchState(job.id, patch, record.map { .version($0.version) } ?? .absent)
          ])
          changed += 1
        } catch where error.code == .conflict {
          // Another instance, or an operator, was faster: the next housekeeping looks again.
          continue
        }
      }
    }
    return changed
  }
}
