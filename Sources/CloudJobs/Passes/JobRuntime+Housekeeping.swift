import CloudJobsCore
import Logging

extension JobRuntime {
  /// Finds runs whose delivery or attempt was lost, and sets them going again.
  ///
  /// - Parameter end: when to stop; the next housekeeping goes on.
  /// - Returns: how many runs it dealt with.
  /// - Throws: ``StoreError`` `unavailable`.
  func sweep(until end: Timestamp) async throws(StoreError) -> Int {
    var recovered = 0
    var cursor: StoreCursor?
    repeat {
      let place = cursor
      let page = try await access.attempt { () async throws(StoreError) in
        try await store.wakingRuns(after: place, limit: Self.passPage)
      }
      cursor = page.next
      recovered += try await recover(page, until: end).get()
    } while cursor != nil && clock.now() < end && !active.isDraining
    return recovered
  }

  /// Sets the runs of a page going again, several at once; no more are begun after a failure of the store.
  private func recover(_ page: StorePage<RunRecord>, until end: Timestamp) async -> Result<Int, StoreError> {
    let limit = max(1, options.passConcurrency)
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
        if failure != nil || clock.now() >= end || active.isDraining { break }
        group.addTask {
          do throws(StoreError) {
            return .success(try await self.recover(record, now: page.time))
          } catch {
            return .failure(error)
          }
        }
      }
      for await result in group { count(result) }
      return failure.map { .failure($0) } ?? .success(recovered)
    }
  }

  private func recover(_ record: RunRecord, now: Timestamp) async throws(StoreError) -> Bool {
    guard case .success(let run) = record.run else {
      options.logger.error("A run can't be read and is left alone.", metadata: ["runId": "\(record.id)"])
      return false
    }
    guard let registered = registry.jobs[run.job] else { return false }
    guard queue.retryOwner == .runtime else {
      var delivery = Delivery(job: run.job, trigger: run.trigger, attempt: run.attempt.successor)
      delivery.run = run.id
      let handling = await deliver(delivery)
      return handling.status != .rejected
    }
    let again = run.handedAgain(settings, now: now)
    guard try await commit([.putRun(again, .version(record.version))], making: again) != nil else { return false }
    _ = await handOn(again, registered.definition.policy)
    return true
  }

  /// Gives each job that the pass runs the `nextRun` that its document lacks, or that an edit has outdated.
  ///
  /// A document may turn any job into a periodic one, so that all are looked at. One that can't be read is set aside,
  /// and one whose `nextRun` the store does not list, because another program wrote it in another form, is made listed.
  ///
  /// - Returns: the documents as they were read.
  /// - Throws: ``StoreError`` `unavailable`.
  @discardableResult
  func reconcileDocuments() async throws(StoreError) -> JobDocuments {
    let definitions = registry.definitions
    var documents = JobDocuments(definitions: definitions, zones: registry.zones)
    for start in stride(from: 0, to: definitions.count, by: StoreLimits.batch) {
      let batch = definitions[start..<min(start + StoreLimits.batch, definitions.count)]
      let reading = try await access.read(jobs: batch.map(\.id), runs: [])
      for definition in batch {
        let record = reading.jobs[definition.id]
        documents.documents[definition.id] = record?.document
        guard let patch = patch(for: definition, record, now: reading.time) else { continue }
        do throws(StoreError) {
          _ = try await access.commit([
            .patchState(definition.id, patch, record.map { .version($0.version) } ?? .absent)
          ])
        } catch  where error.code == .conflict || error.code == .unknownOutcome {
          // Another instance or an operator was faster, or the answer was lost: the next housekeeping looks again.
          continue
        }
      }
    }
    return documents
  }

  /// Tells the program which documents a housekeeping has found.
  func announce(_ documents: JobDocuments) async {
    do throws(JobError) {
      try await options.onHousekeeping?(documents)
    } catch {
      options.logger.error(
        "What was to be done at housekeeping failed; the next one tries again.", metadata: ["error": "\(error)"])
    }
  }

  private func patch(for definition: JobDefinition, _ record: JobRecord?, now: Timestamp) -> JobStatePatch? {
    do throws(JobError) {
      let document = try record?.document.get()
      return reconcile(
        try resolve(definition, document?.configuration), state: document?.state,
        isListed: record.map { $0.nextRun != nil } ?? true, now: now)
    } catch {
      options.logger.error(
        "A job's document can't be used; the job does not run by its schedule until the field is mended.",
        metadata: ["jobId": "\(definition.id)", "error": "\(error)"])
      // A document that is no object has no place for the reason, short of replacing the whole of it.
      guard record?.quarantine != error.description, error.field != "document", error.code != .malformedJSON else {
        return nil
      }
      var patch = JobStatePatch()
      patch.set(nextRun: nil)
      patch.set(quarantine: error.description)
      return patch
    }
  }
}
