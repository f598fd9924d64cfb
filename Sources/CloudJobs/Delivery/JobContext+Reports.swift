public import CloudJobsCore

// MARK: - Progress

extension JobContext {
  /// Reports the progress of the run, which is stored with it at most once a second.
  ///
  /// ```swift
  /// await context.progress(percent: 40, "Importing customers")
  /// ```
  ///
  /// - Parameters:
  ///   - percent: the completed part, from 0 to 100; nil leaves it as it is.
  ///   - message: the current step; nil leaves it as it is.
  public func progress(percent: Double? = nil, _ message: String? = nil) async {
    await record.report { progress in
      if let percent { progress.set(percent: percent) }
      if let message { progress.set(message: redacted(message)) }
    }
  }

  /// Adds to the counts of items of the run, which are stored with it at most once a second.
  ///
  /// - Parameters:
  ///   - processed: the number of further items that were processed.
  ///   - succeeded: the number of further items that succeeded.
  ///   - failed: the number of further items that failed.
  public func count(processed: Int = 0, succeeded: Int = 0, failed: Int = 0) async {
    await record.report { $0.add(processed: processed, succeeded: succeeded, failed: failed) }
  }

  /// The progress of the run, that of earlier attempts included.
  public var progress: RunProgress { record.run.progress ?? RunProgress() }
}

// MARK: - Checkpoints

extension JobContext {
  /// Stores a checkpoint, and returns once it is durable.
  ///
  /// The next attempt resumes from it: after a crash, after an outcome ``JobOutcome/continue(from:after:)``, and after
  /// the attempt's time limit, which counts as no failure if the attempt has stored a new checkpoint.
  ///
  /// ```swift
  /// EndpointJob(Import.self) { file, context in
  ///   var done = try context.checkpoint(as: Int.self) ?? 0
  ///   while done < file.rows.count {
  ///     if context.timeRemaining < .seconds(5) { return .continue() }
  ///     try await table.insert(file.rows[done])
  ///     done += 1
  ///     try await context.checkpoint(done)
  ///   }
  ///   return .done
  /// }
  /// ```
  ///
  /// - Parameter value: the state to resume from, encoded as JSON.
  /// - Throws: ``/CloudJobsCore/JobError``: `leaseLost` if another attempt has taken over the run (let the error end
  ///   the handler), `invalidInput` or `tooLarge` for a value that can't be stored, `storeRejected` if it makes the run
  ///   too large for the store (the earlier checkpoint stays), `storeUnavailable`.
  public func checkpoint(_ value: some Encodable & Sendable) async throws(JobError) {
    try await record.save(checkpoint: try sealed(checkpoint: value))
  }

  /// Returns the latest checkpoint, of this attempt or of an earlier one.
  ///
  /// - Parameter type: the type of the checkpoint.
  /// - Returns: the checkpoint; nil if the run has none.
  /// - Throws: ``/CloudJobsCore/JobError`` `invalidField` if the stored checkpoint is of another type.
  public func checkpoint<Value: Decodable>(as type: Value.Type) throws(JobError) -> Value? {
    let run = record.run
    guard let text = try services.payloads.opened(run.checkpoint, job: jobID, run: runID, "checkpoint") else {
      return nil
    }
    do {
      return try text.decode(type)
    } catch {
      throw JobError(.invalidField, "The stored checkpoint is no \(type).", field: "checkpoint")
    }
  }
}

extension JobContext {
  /// Returns a checkpoint as it is stored.
  func sealed(checkpoint value: some Encodable) throws(JobError) -> JSONText {
    let json = try PayloadCoding.checkpoint(value)
    return try services.payloads.sealed(json, job: jobID, run: runID, "checkpoint") ?? json
  }
}

// MARK: - Other runs and the program

extension JobContext {
  /// Requests runs that are recorded together with this attempt's success: all of them if it succeeds, none otherwise.
  ///
  /// The runs are children of this run. Requests without a key get one that derives from this run, so that a repeated
  /// attempt requests the same runs.
  ///
  /// - Parameter requests: the runs to enqueue, at most 400 for one attempt.
  /// - Returns: the ids of the runs, in the order of the requests.
  /// - Throws: ``/CloudJobsCore/JobError`` `unknownJob`, `invalidInput`, `invalidField`, `tooLarge`,
  ///   `queueUnavailable`, or `internalError` in a subprocess or a run without a record, which do not commit their
  ///   attempt.
  @discardableResult
  public func afterCommit(_ requests: EnqueueRequest...) throws(JobError) -> [RunID] {
    guard record.takesRequests else {
      throw JobError(
        .internalError,
        "Neither a subprocess nor a run without a record commits its attempt. Enqueue the runs in the handler.")
    }
    if requests.contains(where: { $0.unique != nil }) {
      throw JobError(
        .invalidField, "A unique run can't be enqueued together with an attempt's success. Use a key.",
        field: "unique")
    }
    let first = record.outbox.count
    guard first + requests.count <= 400 else {
      throw JobError(.tooLarge, "An attempt can request at most 400 runs with its success. Enqueue some in a child.")
    }
    let keyed = requests.enumerated().map { index, request in
      var request = request
      request.key = request.key ?? "after/\(runID.rawValue)/\(first + index)"
      return request
    }
    let drafts = try RunEnqueuer(services).drafts(of: keyed, by: record.run)
    record.add(drafts)
    return drafts.map(\.id)
  }

  /// Returns the results of the runs that had to end before this one, in their order.
  ///
  /// - Parameter type: the type of the results.
  /// - Returns: the results; nil for a run that did not succeed or has no result.
  /// - Throws: ``/CloudJobsCore/JobError`` `invalidField` if a result is of another type, `storeUnavailable`.
  public func prerequisiteResults<Value: Decodable>(as type: Value.Type) async throws(JobError) -> [Value?] {
    let ids = record.run.prerequisites
    if ids.isEmpty { return [] }
    let reading: StoreReading
    do throws(StoreError) {
      reading = try await services.client.read(runs: ids)
    } catch {
      throw JobError(error)
    }
    var results = [Value?]()
    for id in ids {
      let run = try? reading.runs[id]?.run.get()
      guard let run, run.status == .succeeded,
        let output = try services.payloads.opened(run.output, job: run.job, run: id, "output")
      else {
        results.append(nil)
        continue
      }
      do {
        results.append(try output.decode(type))
      } catch {
        throw JobError(.invalidField, "The result of the run \(id) is no \(type).", field: "output")
      }
    }
    return results
  }

  /// Returns a dependency of the program, as set in ``RuntimeOptions/dependencies``.
  ///
  /// - Parameter type: the type under which it was set.
  /// - Returns: the dependency.
  /// - Throws: ``/CloudJobsCore/JobError`` `internalError` if there is none.
  public func dependency<Value: Sendable>(_ type: Value.Type) throws(JobError) -> Value {
    if let value = services.options.dependencies[type] { return value }
    throw JobError(.internalError, "No dependency of the type \(type) is set. Set it in RuntimeOptions.dependencies.")
  }

  /// Emits an event of the handler's own, as `job.event`.
  ///
  /// - Parameters:
  ///   - name: the name of the event.
  ///   - data: data that subscribers get.
  /// - Throws: ``/CloudJobsCore/JobError`` `invalidInput` or `tooLarge` for data that can't be encoded.
  public func emit(_ name: String, _ data: some Encodable & Sendable = NoInput()) throws(JobError) {
    let json = data is NoInput ? nil : try PayloadCoding.checkpoint(data)
    services.events.emit(JobEvent(.event, of: record.run, at: clock.now(), customName: name, data: json))
  }

  /// Whether the handler has been asked to stop: by a request to cancel the run, by its time limit, or by a shutdown.
  public var isCancelled: Bool { record.stop.isOpen || Task.isCancelled }
}
