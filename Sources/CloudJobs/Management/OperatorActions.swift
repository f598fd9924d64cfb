package import CloudJobsCore

/// Something that an operator did, as the pass journal tells it.
package struct OperatorAction: Hashable, Sendable, Identifiable {
  /// The maximum length of a text, in Unicode scalars.
  package static let maximumText = 500

  /// The id of the journal's entry.
  package let id: String
  /// The time, by the store's clock.
  package let time: Timestamp
  /// The name of the operator.
  package let actor: String
  /// The action, in words.
  package let text: String
  /// The id of the job that it was about; nil for none.
  package let job: String?
  /// The run that it was about; nil for none.
  package let run: RunID?

  /// Reads an entry of the pass journal; nil if it tells decisions.
  package init?(_ entry: PassJournalEntry) {
    guard let actor = entry.actor, let line = entry.lines.first(where: { $0.job == PassJournalEntry.operatorName })
    else { return nil }
    (id, time, text, run) = (entry.id, entry.time, line.reason, line.run)
    self.actor = actor
    job = entry.lines.first { $0.job != PassJournalEntry.operatorName }?.job
  }

  /// Returns the lines of the entry that tells an action: one by which all actions are found, and one for the job.
  static func lines(_ text: String, job: JobID?, run: RunID?) -> [PassJournalEntry.Line] {
    let text = text.cut(to: maximumText)
    return [PassJournalEntry.operatorName, job?.rawValue].compactMap { $0 }.map { name in
      PassJournalEntry.Line(
        job: name, scheduledFor: nil, verdict: PassJournalEntry.Verdict.action.rawValue, reason: text, run: run)
    }
  }
}

extension JobRuntime {
  /// Stores in the pass journal what an operator did.
  ///
  /// - Parameters:
  ///   - action: the action, in words.
  ///   - actor: the name of the operator.
  ///   - job: the job that it was about; nil for none.
  ///   - run: the run that it was about; nil for none.
  /// - Throws: ``/CloudJobsCore/JobError`` `storeUnavailable`.
  package func record(
    _ action: String, by actor: String, job: JobID? = nil, run: RunID? = nil
  ) async throws(JobError) {
    do throws(StoreError) {
      let time = try await services.client.read(jobs: []).time
      let lines = OperatorAction.lines(action, job: job, run: run)
      _ = try await services.client.commit([PassJournal(services).write(lines, time: time, by: actor)])
    } catch {
      throw JobError(error)
    }
  }

  /// Lists what operators did, latest first.
  ///
  /// - Parameters:
  ///   - job: the job that it was about; nil for any.
  ///   - time: the time of the latest action; nil for now.
  ///   - limit: the maximum number of actions, clamped to 1 to 500.
  /// - Returns: the actions; fewer than the limit if no more are stored. Those about one job are sought among the limit
  ///   of the job's latest entries.
  /// - Throws: ``/CloudJobsCore/JobError`` `storeUnavailable`.
  package func operatorActions(
    on job: JobID? = nil, until time: Timestamp? = nil, limit: Int = 100
  ) async throws(JobError) -> [OperatorAction] {
    let name = job?.rawValue ?? PassJournalEntry.operatorName
    return try await services.read { () async throws(StoreError) in
      try await services.store.journal(matching: JournalFilter(job: name, until: time), limit: limit)
    }.compactMap { OperatorAction($0) }
  }
}
