#if HTTP
public import CloudJobs
public import CloudJobsCore

extension FirestoreStore {
  /// Performs an effect at most once in a run: changes of the caller's documents in the store's database.
  ///
  /// The changes commit together with a record of the effect, on condition that the run is still executed by the
  /// context's attempt. A later attempt, and a second call, get false without performing the effect again. An attempt
  /// that has lost its lease is refused.
  ///
  /// ```swift
  /// try await store.perform(effect: "transfer", for: context, [.increment("accounts/42", "balance", by: 100)])
  /// ```
  ///
  /// In the attempt that performs it, an effect costs one commit and no read. Its record in the collection
  /// ``FirestoreConfiguration/effects`` is kept for ``FirestoreConfiguration/effectRetention``.
  ///
  /// - Parameters:
  ///   - name: the name of the effect, unique in the run: 1 to 200 bytes.
  ///   - context: the context of the attempt.
  ///   - changes: the changes, at most 498.
  /// - Returns: whether this call performed the effect; false if an earlier one had.
  /// - Throws: ``/CloudJobsCore/JobError`` `leaseLost` if the attempt no longer holds its run, `notFound` if the run is
  ///   not in this store, `storeConflict` if a condition of the changes does not hold, `invalidField` or `tooLarge`,
  ///   `storeRejected`, and `storeUnavailable`, also if the outcome is unknown: a repetition is safe.
  @discardableResult
  public func perform(
    effect name: String, for context: JobContext, _ changes: [FirestoreChange]
  ) async throws(JobError) -> Bool {
    try EffectName.check(name)
    guard changes.count <= StoreLimits.batch - 2 else {
      throw JobError(.tooLarge, "An effect takes at most \(StoreLimits.batch - 2) changes. Split it.")
    }
    let effect = FirestoreEffect(name: name, context: context, configuration)
    let writes = changes.map { $0.write(configuration) }
    let result = await Uncancelled.run { () async -> Result<Bool, JobError> in
      do throws(JobError) {
        return .success(try await self.perform(effect, writes))
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  private func perform(_ effect: FirestoreEffect, _ writes: [JSONValue]) async throws(JobError) -> Bool {
    var updateTime = fences.times([effect.runID: HeldRun(fence: effect.fence)])[effect.runID]
    var refusedAt: Timestamp?
    var isInDoubt = false
    var delays = contentionDelays
    for _ in 0..<max(1, configuration.contentionTries) {
      if updateTime == nil {
        let stored = try await read(effect)
        // If the response to an earlier try was lost, a record of this attempt is that try's.
        if isInDoubt, stored.recordFence == effect.fence { return true }
        guard try stored.state.allows(holding: effect.fence) else { return false }
        updateTime = stored.updateTime
        // The run is unchanged and the effect was not performed, so a condition of the caller's changes failed.
        if let refusedAt, refusedAt == updateTime {
          throw JobError(.storeConflict, "A document that the effect changes does not meet its condition.")
        }
      }
      do throws(FirestoreFault) {
        let done = try await client.commit(effect.commit(writes, at: updateTime, now: time.advance(to: .distantPast)))
        _ = time.advance(to: done.time)
        return true
      } catch {
        if error.isRefusal(.aborted) {
          await pause(&delays)
          continue
        }
        let error = StoreError(error, during: .committing)
        guard error.code == .conflict || error.code == .unknownOutcome else { throw JobError(error) }
        isInDoubt = isInDoubt || error.code == .unknownOutcome
        refusedAt = error.code == .conflict ? updateTime : nil
        fences.forget([effect.runID])
        updateTime = nil
      }
    }
    throw JobError(.storeUnavailable, "The effect could not be committed because of contention. Retry later.")
  }

  /// Reads the run and the record of an effect, as of one time.
  private func read(_ effect: FirestoreEffect) async throws(JobError) -> StoredFirestoreEffect {
    do throws(FirestoreFault) {
      let found = try await client.batchGet([effect.runName, effect.recordName], fields: ["status", "fence"])
      _ = time.advance(to: found.time)
      return StoredFirestoreEffect(found.documents, of: effect)
    } catch {
      throw JobError(StoreError(error, during: .reading))
    }
  }
}

/// An effect of an attempt, with the names of its documents.
struct FirestoreEffect: Sendable {
  let runID: RunID
  let fence: Int64
  let runName: String
  let recordName: String
  private let record: [String: JSONValue]
  private let retention: Duration

  init(name: String, context: JobContext, _ configuration: FirestoreConfiguration) {
    (runID, fence) = (context.runID, context.fence)
    runName = configuration.name(configuration.runs, runID.rawValue)
    // A run that was deleted and enqueued again under the same key is another run, with effects of its own.
    let id = FirestoreDocumentID.encode("\(runID)-\(context.runCreatedAt.microseconds)-\(name)")
    recordName = configuration.name(configuration.effects, id)
    record = [
      "run": .string(runID.rawValue), "job": .string(context.jobID.rawValue), "name": .string(name),
      "fence": .integer(fence),
    ]
    retention = configuration.effectRetention
  }

  /// Returns the body of the commit that performs the effect.
  ///
  /// Its first write sets the run's token to its own value, which changes nothing and keeps the document's version
  /// (<https://cloud.google.com/firestore/docs/reference/rest/v1/WriteResult>): it only carries the precondition.
  func commit(_ writes: [JSONValue], at updateTime: Timestamp?, now: Timestamp) -> JSONValue {
    let guardWrite: JSONValue = [
      "update": ["name": .string(runName), "fields": ["fence": ["integerValue": .string("\(fence)")]]],
      "updateMask": ["fieldPaths": ["fence"]],
      "currentDocument": updateTime.map { ["updateTime": .string($0.description)] } ?? ["exists": true],
    ]
    var fields = record
    fields["time"] = .string(now.description)
    fields["expireAt"] = .string((now + retention).description)
    let recordWrite: JSONValue = [
      "update": [
        "name": .string(recordName), "fields": FirestoreSchema(times: ["time", "expireAt"]).fields(fields),
      ],
      "currentDocument": ["exists": false],
    ]
    return ["writes": .array([guardWrite, recordWrite] + writes)]
  }
}

/// The stored state of a run and of its effect.
struct StoredFirestoreEffect: Sendable {
  /// The state by which the effect is decided.
  var state: EffectState
  /// The version of the run.
  var updateTime: Timestamp?
  /// The token of the attempt that performed the effect.
  var recordFence: Int64?

  init(_ documents: [FirestoreDocument], of effect: FirestoreEffect) {
    let run = documents.first { $0.name == effect.runName }
    let record = documents.first { $0.name == effect.recordName }
    let status = run.flatMap { FirestoreValue.fields($0.fields)["status"]?.string }.flatMap { RunStatus(rawValue: $0) }
    state = EffectState(status: status, fence: run?.fence, isPerformed: record != nil)
    (updateTime, recordFence) = (run?.updateTime, record?.fence)
  }
}
#endif
