import CloudJobsCore
import Logging
import Synchronization

/// Applies edited documents: gives each job that the pass runs the `nextRun` that its document lacks, or that an edit
/// has outdated.
struct DocumentReconciler: Sendable {
  private let services: RuntimeServices

  init(_ services: RuntimeServices) {
    self.services = services
  }

  /// Reconciles documents.
  ///
  /// A document may turn any job into a periodic one, so all are read. An invalid document is set aside. A `nextRun`
  /// that the store does not list, because another program wrote it in another form, is written again.
  ///
  /// - Parameter definitions: the jobs; nil means all that are registered.
  /// - Returns: the documents as they were read.
  /// - Throws: ``StoreError`` `unavailable`.
  @discardableResult
  func reconcile(_ definitions: [JobDefinition]? = nil) async throws(StoreError) -> JobDocuments {
    let registry = services.registry
    let all = definitions ?? registry.definitions
    var documents = JobDocuments(definitions: all, zones: registry.zones)
    for start in stride(from: 0, to: all.count, by: StoreLimits.batch) {
      let batch = all[start..<min(start + StoreLimits.batch, all.count)]
      let reading = try await services.client.read(jobs: batch.map(\.id))
      for definition in batch {
        let record = reading.jobs[definition.id]
        documents.documents[definition.id] = record?.document
        guard let change = change(of: definition, record, now: reading.time) else { continue }
        do throws(StoreError) {
          let write = Write.patchState(definition.id, change.patch, record.map { .version($0.version) } ?? .absent)
          let told = change.line.map { PassJournal(services).write([$0], time: reading.time) }
          _ = try await services.client.commit([write] + (told.map { [$0] } ?? []))
        } catch  where error.code == .conflict || error.code == .unknownOutcome {
          // Another instance or an operator was faster, or the response was lost: the next housekeeping reads again.
          continue
        }
      }
    }
    if definitions == nil {
      services.isPrepared = true
      logDependencies(in: documents)
    }
    return documents
  }

  /// Passes the documents that a housekeeping has read to the program.
  func announce(_ documents: JobDocuments) async {
    do throws(JobError) {
      try await services.options.onHousekeeping?(documents)
    } catch {
      services.logger.error(
        "The housekeeping function of the program failed. The next housekeeping calls it again.",
        metadata: ["error": "\(error)"])
    }
  }

  /// Returns the change that a document needs, and the line that tells it.
  private func change(
    of definition: JobDefinition, _ record: JobRecord?, now: Timestamp
  ) -> (patch: JobStatePatch, line: PassJournalEntry.Line?)? {
    let local = services.clock.now()
    do throws(JobError) {
      let document = try record?.document.get()
      let job = try services.resolve(definition, document?.configuration)
      logUnknownFields(of: record, definition.id)
      services.health.note { $0.setAside(definition.id.rawValue, false, at: local) }
      let patch = CloudJobsCore.reconcile(
        job, state: document?.state, isListed: record.map { $0.nextRun != nil } ?? true,
        under: services.settings.scheduleOwner, now: now)
      return patch.map { ($0, PassJournalEntry.Line(replanning: job, state: document?.state, $0, now: now)) }
    } catch {
      services.health.note { $0.setAside(definition.id.rawValue, true, at: local) }
      if services.documentLog.isNew("\(error)", about: definition.id.rawValue) {
        services.logger.error(
          "A job's document is invalid. The job does not run by its schedule until the field is fixed.",
          metadata: ["jobId": "\(definition.id)", "error": "\(error)"])
      }
      // A document that is no object has no place for the reason, short of replacing the whole document.
      guard record?.quarantine != error.description, error.field != "document", error.code != .malformedJSON else {
        return nil
      }
      var patch = JobStatePatch()
      patch.set(nextRun: nil)
      patch.set(quarantine: error.description)
      let line = PassJournalEntry.Line(
        settingAside: definition.id.rawValue, dueAt: record?.nextRun, because: error.description)
      return (patch, line)
    }
  }

  /// Warns once of unknown fields in a document.
  private func logUnknownFields(of record: JobRecord?, _ job: JobID) {
    let fields = (record?.unknownFields ?? []).map { field in
      field.name.prefix(64) + (field.suggestion.map { " (did you mean \($0)?)" } ?? "")
    }.joined(separator: ", ")
    guard services.documentLog.isNew(fields, about: job.rawValue), !fields.isEmpty else { return }
    services.logger.warning(
      "A job's document has unknown fields, which are ignored.", metadata: ["jobId": "\(job)", "fields": "\(fields)"])
  }

  /// Warns once of dependencies in documents that can't be met.
  private func logDependencies(in documents: JobDocuments) {
    let faults = documents.dependencyFaults().joined(separator: " ")
    guard services.documentLog.isNew(faults, about: "dependencies"), !faults.isEmpty else { return }
    services.logger.warning(
      "Job documents have dependencies that can't be met. The jobs that have them are skipped.",
      metadata: ["faults": "\(faults)"])
  }
}

/// The texts last logged about documents, so that each is logged once and not with every reading.
final class DocumentLog: Sendable {
  private let texts = Mutex<[String: String]>([:])

  /// Notes a text.
  ///
  /// - Parameters:
  ///   - text: the text; empty if there is nothing to log.
  ///   - subject: the id of the job, or another subject.
  /// - Returns: whether the text differs from the last one about this subject.
  func isNew(_ text: String, about subject: String) -> Bool {
    texts.withLock { texts in (texts.updateValue(text, forKey: subject) ?? "") != text }
  }
}
