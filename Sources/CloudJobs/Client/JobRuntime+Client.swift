public import CloudJobsCore
import Logging

extension JobRuntime {
  /// Asks for a run.
  ///
  /// The run is recorded before the queue gets its task, so that nothing acknowledged here can be lost.
  ///
  /// - Parameters:
  ///   - job: the job.
  ///   - input: its input.
  ///   - key: what is asked for, once; a second call with the same key yields the same run. Nil means a new run each
  ///     time.
  /// - Returns: the run.
  /// - Throws: ``JobError``: `unknownJob`, `invalidInput`, `tooLarge`, or `storeUnavailable`. A queue that refuses the
  ///   task of a recorded run is no error: the sweep enqueues it again.
  @discardableResult
  public func enqueue(
    _ job: JobID, _ input: some Encodable & Sendable = NoInput(), key: String? = nil
  ) async throws(JobError) -> EnqueuedRun {
    try await enqueue([EnqueueRequest(job, input, key: key)])[0]
  }

  /// Asks for a run after a while; else like ``enqueue(_:_:key:)``.
  ///
  /// - Parameters:
  ///   - delay: how long to wait at least.
  ///   - job: the job.
  ///   - input: its input.
  ///   - key: what is asked for, once.
  /// - Returns: the run.
  /// - Throws: ``JobError`` as above.
  @discardableResult
  public func enqueue(
    in delay: Duration, _ job: JobID, _ input: some Encodable & Sendable = NoInput(), key: String? = nil
  ) async throws(JobError) -> EnqueuedRun {
    try await enqueue(at: clock.now() + delay, job, input, key: key)
  }

  /// Asks for a run at a time; else like ``enqueue(_:_:key:)``.
  ///
  /// - Parameters:
  ///   - time: the earliest start.
  ///   - job: the job.
  ///   - input: its input.
  ///   - key: what is asked for, once.
  /// - Returns: the run.
  /// - Throws: ``JobError`` as above.
  @discardableResult
  public func enqueue(
    at time: Timestamp, _ job: JobID, _ input: some Encodable & Sendable = NoInput(), key: String? = nil
  ) async throws(JobError) -> EnqueuedRun {
    try await enqueue([EnqueueRequest(job, input, key: key, notBefore: time)])[0]
  }

  /// Asks for many runs; else like ``enqueue(_:_:key:)``.
  ///
  /// - Parameter requests: what is asked for. Up to 500 are recorded together, all or none; more are recorded in turn.
  /// - Returns: the runs, in the order of the requests.
  /// - Throws: ``JobError`` as above.
  @discardableResult
  public func enqueue(_ requests: [EnqueueRequest]) async throws(JobError) -> [EnqueuedRun] {
    try await enqueue(requests, parent: nil, correlationID: nil)
  }

  /// Executes a job here and now, past every gate but `enabled`, and waits for its end.
  ///
  /// - Parameters:
  ///   - job: the job.
  ///   - input: its input.
  ///   - key: what is asked for, once.
  /// - Returns: what became of the first attempt; later attempts follow the job's policy.
  /// - Throws: ``JobError`` `invalidInput`, `invalidField` or `tooLarge`.
  public func runNow(
    _ job: JobID, _ input: some Encodable & Sendable = NoInput(), key: String? = nil
  ) async throws(JobError) -> Handling {
    var delivery = Delivery(job: job, trigger: .manual)
    delivery.payload = try Self.payload(input)
    delivery.occurrence = .key(try occurrenceKey(key))
    return await deliver(delivery)
  }

  func enqueue(
    _ requests: [EnqueueRequest], parent: RunID?, correlationID: String?
  ) async throws(JobError) -> [EnqueuedRun] {
    if queue.retryOwner == .caller { throw Self.noQueue }
    var drafts = [RunDraft]()
    for request in requests {
      guard let registered = registry.jobs[request.job] else {
        throw JobError(
          .unknownJob, "No job is registered as \(request.job). Register it, or correct the name.", field: "jobId")
      }
      let definition = registered.definition
      let input = try Self.payload(request.input)
      if !registered.takes(request.input), let error = registered.fault(in: input) { throw error }
      let id = RunID(job: request.job, occurrence: .key(try occurrenceKey(request.key)))
      drafts.append(
        RunDraft(
          id: id, definition: definition, request: request, input: input, parent: parent,
          correlationID: correlationID))
    }
    var enqueued = [EnqueuedRun]()
    for start in stride(from: 0, to: drafts.count, by: StoreLimits.batch) {
      enqueued += try await record(Array(drafts[start..<min(start + StoreLimits.batch, drafts.count)]))
    }
    return enqueued
  }

  /// The key as the caller gave it, or one drawn by chance.
  private func occurrenceKey(_ key: String?) throws(JobError) -> String {
    guard let key else { return options.random.token() }
    let limit = EnvelopeLimits.standard.keyBytes
    if key.isEmpty { throw JobError(.invalidField, "The key is empty. Leave it out, or name the work.", field: "key") }
    if key.utf8.count > limit {
      throw JobError(.tooLarge, "The key has \(key.utf8.count) bytes; at most \(limit) are allowed.", field: "key")
    }
    return key
  }

  /// Records the runs that do not exist yet, and gives the queue a task for each that waits: what a crashed caller has
  /// recorded before gets its task now, under the same name.
  private func record(_ drafts: [RunDraft]) async throws(JobError) -> [EnqueuedRun] {
    var recording: RunRecording
    do throws(StoreError) {
      recording = try await recordNew(drafts)
    } catch {
      throw JobError(error)
    }
    var seen = Set<RunID>()
    let waiting = drafts.compactMap { recording.runs[$0.id] }.filter { run in
      (run.status == .scheduled || run.status == .pending) && seen.insert(run.id).inserted
    }
    await enqueueTasks(of: waiting, recording)
    wakeUp.call()
    return drafts.map { draft in
      EnqueuedRun(
        id: draft.id, isNew: recording.new.remove(draft.id) != nil,
        status: recording.runs[draft.id]?.status ?? .pending)
    }
  }

  /// Gives the queue the tasks of recorded runs.
  ///
  /// A refusal is not the caller's to deal with: the runs are recorded, and the sweep finds those without a task.
  private func enqueueTasks(of runs: [Run], _ recording: RunRecording) async {
    guard queue.retryOwner == .runtime, !runs.isEmpty else { return }
    do throws(JobError) {
      try await queue.enqueue(runs.map { task(for: $0, deadline: recording.timeouts[$0.job] ?? .minutes(5)) })
    } catch {
      options.logger.warning(
        "The queue refused tasks of recorded runs; the sweep will enqueue them again.",
        metadata: ["runs": "\(runs.count)", "runId": "\(runs[0].id)", "error": "\(error)"])
    }
  }

  /// Commits the runs that do not exist yet.
  private func recordNew(_ drafts: [RunDraft]) async throws(StoreError) -> RunRecording {
    var recording = RunRecording()
    var made = [RunID: Run]()
    var isInDoubt = false
    for _ in 0..<Self.maximumRaces {
      let reading = try await access.read(
        jobs: made.isEmpty ? Set(drafts.map(\.definition.id)).sorted() : [], runs: Set(drafts.map(\.id)).sorted())
      if made.isEmpty {
        for draft in drafts where made[draft.id] == nil {
          let configuration = try? reading.jobs[draft.definition.id]?.document.get().configuration
          let policy = configuration.map { draft.definition.policy.overridden(by: $0) } ?? draft.definition.policy
          recording.timeouts[draft.definition.id] = policy.timeout
          made[draft.id] = draft.run(policy, settings: settings, now: reading.time)
        }
      }
      let missing = made.values.filter { reading.runs[$0.id] == nil }.sorted { $0.id < $1.id }
      do throws(StoreError) {
        if !missing.isEmpty { _ = try await access.commit(missing.map { .putRun($0, .absent) }) }
      } catch {
        guard error.code == .conflict || error.code == .unknownOutcome else { throw error }
        isInDoubt = isInDoubt || error.code == .unknownOutcome
        continue
      }
      for run in missing {
        recording.runs[run.id] = run
        recording.new.insert(run.id)
      }
      for (id, record) in reading.runs {
        guard case .success(let run) = record.run else { continue }
        recording.runs[id] = run
        // Where the answer to an earlier try was lost, a run that looks like ours is ours.
        if isInDoubt, let own = made[id], own.createdAt == run.createdAt { recording.new.insert(id) }
      }
      return recording
    }
    throw StoreError(.unavailable, "Others record the same runs all the time. Try again.")
  }

  static let noQueue = JobError(
    .queueUnavailable, "This runtime has no queue. Give it one to enqueue jobs, or to put their start off.")

  private static func payload(_ input: some Encodable & Sendable) throws(JobError) -> JSONText? {
    if input is NoInput { return nil }
    do {
      return try PayloadCoding.encode(input, limits: .payload)
    } catch let error as JobError {
      throw error
    } catch {
      throw JobError(.invalidInput, "The input can't be encoded as JSON.", field: "payload")
    }
  }
}
