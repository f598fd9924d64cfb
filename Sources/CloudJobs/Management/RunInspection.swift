package import CloudJobsCore

/// Reads of a dashboard, besides those that programs have.
extension JobRuntime {
  /// The ids of the registered jobs, in their order.
  package var jobIDs: [JobID] { services.registry.definitions.map(\.id) }

  /// Returns a run as the routes show it: confidential fields and values are replaced, and encrypted payloads stay
  /// encrypted.
  ///
  /// - Parameter run: the run as stored.
  /// - Returns: the run.
  package func redacted(_ run: Run) -> Run {
    guard let rule = services.redaction else { return run }
    var shown = run.redacted(by: rule)
    shown.input = run.input.map { rule.redacted($0) }
    shown.output = run.output.map { rule.redacted($0) }
    shown.checkpoint = run.checkpoint.map { rule.redacted($0) }
    let redactor = PayloadRedactor(run.input, rule)
    shown.progress?.message = run.progress?.message.map { redactor.redact($0) }
    shown.cancellation = run.cancellation.map { redactor.redact($0) }
    return shown
  }

  /// Whether parts of payloads are confidential.
  package var redactsPayloads: Bool { services.redaction != nil }

  /// Returns whether a payload is stored encrypted.
  package static func isEncrypted(_ payload: JSONText?) -> Bool {
    payload.map { EncryptedPayload($0) != nil } ?? false
  }

  /// Returns the runs of some ids that exist and are valid.
  ///
  /// - Parameter ids: at most 500 ids.
  /// - Returns: the runs by their ids.
  /// - Throws: ``/CloudJobsCore/JobError`` `storeUnavailable`.
  package func runs(withIDs ids: [RunID]) async throws(JobError) -> [RunID: Run] {
    if ids.isEmpty { return [:] }
    let reading = try await services.read { () async throws(StoreError) in
      try await services.store.read(jobs: [], runs: Array(Set(ids)).sorted())
    }
    return reading.runs.compactMapValues { try? $0.run.get() }
  }

  /// Returns the ids of runs with a prefix, in their order.
  ///
  /// - Parameters:
  ///   - prefix: 1 to 64 lower-case hexadecimal digits.
  ///   - limit: the maximum number of ids.
  /// - Returns: the ids; nil if the store finds runs by whole ids only.
  /// - Throws: ``/CloudJobsCore/JobError`` `storeUnavailable`.
  package func runIDs(withPrefix prefix: String, limit: Int) async throws(JobError) -> [RunID]? {
    guard let store = services.store as? any RunPrefixStore else { return nil }
    return try await services.read { () async throws(StoreError) in
      try await store.runIDs(withPrefix: prefix, limit: limit)
    }
  }

  /// Lists the entries of a run's log, oldest first.
  ///
  /// - Parameters:
  ///   - id: the run.
  ///   - sequence: the sequence of the last entry that is known; nil for the first page.
  ///   - limit: the maximum number of entries, clamped to 1 to 500.
  /// - Returns: the entries.
  /// - Throws: ``/CloudJobsCore/JobError`` `storeUnavailable`.
  package func logEntries(
    ofRun id: RunID, after sequence: Int64?, limit: Int = StoreLimits.batch
  ) async throws(JobError) -> [RunLogEntry] {
    try await services.read { () async throws(StoreError) in
      try await services.store.log(of: id, after: sequence, limit: limit)
    }
  }

  /// Lists the terms in which instances lead, or led until lately, by their names.
  ///
  /// - Parameter limit: the maximum number of terms, at most 500.
  /// - Returns: the names and terms.
  /// - Throws: ``/CloudJobsCore/JobError`` `storeUnavailable`.
  package func leaders(limit: Int = 100) async throws(JobError) -> [(name: String, ledger: LeaderLedger)] {
    let page = try await services.read { () async throws(StoreError) in
      try await services.store.ledgers(in: .leader, after: nil, limit: limit)
    }
    return page.records.compactMap { record in
      record.ledger?.leader.map { (String(record.id.rawValue.dropFirst(LedgerID.Family.leader.prefix.count)), $0) }
    }
  }

  /// Deletes the record of an ended run before its retention is over.
  ///
  /// - Parameter id: the id of the run.
  /// - Throws: ``/CloudJobsCore/JobError`` `notFound`, `busy` if the run has not ended or was changed meanwhile, or
  ///   `storeUnavailable`.
  package func purge(run id: RunID) async throws(JobError) {
    let reading = try await services.read { () async throws(StoreError) in
      try await services.store.read(jobs: [], runs: [id])
    }
    guard let record = reading.runs[id] else { throw .noRun }
    guard try record.run.get().status.isTerminal else {
      throw JobError(.busy, "The run has not ended. Cancel it, or wait for its end.", field: "runId")
    }
    do throws(StoreError) {
      _ = try await services.client.commit([.deleteRun(id, .version(record.version))])
    } catch {
      throw JobError(error)
    }
  }
}

extension RedactionRule {
  /// Returns a payload with the confidential fields replaced.
  fileprivate func redacted(_ payload: JSONText) -> JSONText {
    fields.isEmpty ? payload : JSONText(redacted(payload.value))
  }
}
