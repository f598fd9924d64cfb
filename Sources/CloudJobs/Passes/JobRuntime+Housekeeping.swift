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
      let page = try await wakingPage(after: cursor, limit: Self.passPage)
      cursor = page.next
      recovered += try await recover(page, until: end).get()
    } while cursor != nil && clock.now() < end && !active.isDraining
    return recovered
  }

  /// A page of the runs that have to be looked at.
  func wakingPage(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<RunRecord> {
    try await access.attempt { () async throws(StoreError) in
      try await store.wakingRuns(after: cursor, limit: limit)
    }
  }

  /// Deletes what is kept no longer, where the store does not do that by itself: runs past their retention, and old
  /// entries of the pass journal.
  ///
  /// - Parameter end: when to stop; the next housekeeping continues.
  /// - Throws: ``StoreError`` `unavailable` or `unknownOutcome`.
  func purge(until end: Timestamp) async throws(StoreError) {
    guard let store = store as? any PurgingStore else { return }
    try await purge(until: end) { limit throws(StoreError) in try await store.purgeExpired(limit: limit) }
    let oldest = clock.now() - options.journalRetention
    try await purge(until: end) { limit throws(StoreError) in
      try await store.purgeJournal(before: oldest, limit: limit)
    }
  }

  /// Deletes batch after batch until one is not full.
  private func purge(
    until end: Timestamp, _ delete: (_ limit: Int) async throws(StoreError) -> Int
  ) async throws(StoreError) {
    var count = 0
    repeat {
      count = try await access.attempt(.write) { () async throws(StoreError) in try await delete(StoreLimits.batch) }
    } while count == StoreLimits.batch && clock.now() < end && !active.isDraining
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
    guard let run = waitingRun(of: record) else { return false }
    guard let registered = registry.jobs[run.job] else { return false }
    guard queue.retryOwner == .runtime else {
      return await executeNext(of: run).isOwnWork
    }
    let again = run.handedAgain(settings, now: now)
    guard try await commit([.putRun(again, .version(record.version))], making: again) != nil else { return false }
    _ = await handOn(again, registered.definition.policy)
    return true
  }

  /// The run of a record whose next attempt is due.
  ///
  /// - Returns: nil where the run can't be read, or where there is no number for another attempt; that is logged once,
  ///   and counted for the health report.
  func waitingRun(of record: RunRecord) -> Run? {
    do throws(JobError) {
      let run = try record.run.get()
      if run.attempt < .max { return run }
      throw JobError(.invalidField, "No number is left for another attempt.", field: "attempt")
    } catch {
      if health.note({ $0.runIsUnreadable(record.id) }) {
        options.logger.error(
          "A stored run can't be read and is left alone. Correct the field, or delete the run.",
          metadata: ["runId": "\(record.id)", "error": "\(error)"])
      }
      return nil
    }
  }

  /// Gives each job that the pass runs the `nextRun` that its document lacks, or that an edit has outdated.
  ///
  /// A document may turn any job into a periodic one, so that all are looked at. One that can't be read is set aside,
  /// and one whose `nextRun` the store does not list, because another program wrote it in another form, is made listed.
  ///
  /// - Parameter definitions: the jobs; nil means all that are registered.
  /// - Returns: the documents as they were read.
  /// - Throws: ``StoreError`` `unavailable`.
  @discardableResult
  func reconcileDocuments(of definitions: [JobDefinition]? = nil) async throws(StoreError) -> JobDocuments {
    let isWhole = definitions == nil
    let definitions = definitions ?? registry.definitions
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
    if isWhole { noteDependencies(in: documents) }
    return documents
  }

  /// Warns once of dependencies in documents that can't be met.
  private func noteDependencies(in documents: JobDocuments) {
    let faults = documents.dependencyFaults().joined(separator: " ")
    guard notes.isNew(faults, about: "dependencies"), !faults.isEmpty else { return }
    options.logger.warning(
      "Job documents have dependencies that can't be met; the jobs that have them are skipped.",
      metadata: ["faults": "\(faults)"])
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

  /// Warns once of fields of a document that are not read.
  private func noteFields(of record: JobRecord?, _ job: JobID) {
    let fields = (record?.unknownFields ?? []).map { field in
      field.name.prefix(64) + (field.suggestion.map { " (did you mean \($0)?)" } ?? "")
    }
    guard notes.isNew(fields.joined(separator: ", "), about: job.rawValue), !fields.isEmpty else { return }
    options.logger.warning(
      "A job's document has fields that are not read.",
      metadata: ["jobId": "\(job)", "fields": "\(fields.joined(separator: ", "))"])
  }

  private func patch(for definition: JobDefinition, _ record: JobRecord?, now: Timestamp) -> JobStatePatch? {
    let local = clock.now()
    do throws(JobError) {
      let document = try record?.document.get()
      let job = try resolve(definition, document?.configuration)
      noteFields(of: record, definition.id)
      health.note { $0.setAside(definition.id.rawValue, false, at: local) }
      return reconcile(
        job, state: document?.state, isListed: record.map { $0.nextRun != nil } ?? true,
        under: settings.scheduleOwner, now: now)
    } catch {
      health.note { $0.setAside(definition.id.rawValue, true, at: local) }
      if notes.isNew("\(error)", about: definition.id.rawValue) {
        options.logger.error(
          "A job's document is invalid; the job does not run by its schedule until the field is corrected.",
          metadata: ["jobId": "\(definition.id)", "error": "\(error)"])
      }
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
