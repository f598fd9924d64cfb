public import CloudJobsCore

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
  /// - Throws: ``JobError``: `unknownJob`, `invalidInput`, `tooLarge`, `storeUnavailable`, or `queueUnavailable` where
  ///   the run is recorded but has no task yet: call again with the same key, or leave it to the sweep.
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
  /// - Throws: ``JobError`` `invalidInput` or `tooLarge`.
  public func runNow(
    _ job: JobID, _ input: some Encodable & Sendable = NoInput(), key: String? = nil
  ) async throws(JobError) -> Handling {
    var delivery = Delivery(job: job, trigger: .manual)
    delivery.payload = try Self.payload(input)
    delivery.occurrence = .key(key ?? options.random.token())
    return await deliver(delivery)
  }

  func enqueue(
    _ requests: [EnqueueRequest], parent: RunID?, correlationID: String?
  ) async throws(JobError) -> [EnqueuedRun] {
    if queue.retryOwner == .caller {
      throw JobError(.queueUnavailable, "This runtime has no queue. Give it one to enqueue jobs.")
    }
    let now = clock.now()
    var runs = [Run]()
    var timeouts = [JobID: Duration]()
    for request in requests {
      guard let definition = registry.jobs[request.job]?.definition else {
        throw JobError(
          .unknownJob, "No job is registered as \(request.job). Register it, or correct the name.", field: "jobId")
      }
      timeouts[request.job] = definition.policy.timeout
      runs.append(try run(for: request, definition, parent: parent, correlationID: correlationID, now: now))
    }
    var enqueued = [EnqueuedRun]()
    for start in stride(from: 0, to: runs.count, by: StoreLimits.batch) {
      enqueued += try await record(Array(runs[start..<min(start + StoreLimits.batch, runs.count)]), timeouts)
    }
    return enqueued
  }

  private func run(
    for request: EnqueueRequest, _ definition: JobDefinition, parent: RunID?, correlationID: String?, now: Timestamp
  ) throws(JobError) -> Run {
    let start = max(now, request.notBefore ?? now)
    let key = request.key ?? options.random.token()
    var run = Run(
      id: RunID(job: request.job, occurrence: .key(key)), job: request.job, trigger: parent == nil ? .task : .parent,
      input: try Self.payload(request.input), status: start > now ? .scheduled : .pending,
      maxAttempts: definition.policy.retry.maxAttempts, scheduledFor: request.notBefore, notBefore: start,
      createdAt: now)
    run.uniqueKey = request.key
    run.parent = parent
    run.correlationID = correlationID
    run.queue = definition.policy.queue
    run.priority = definition.policy.priority
    run.wakeAt = start + settings.sweepDelay
    return run
  }

  /// Records the runs that do not exist yet, and hands all that wait to the queue: what a crashed caller has recorded
  /// before gets its task now, under the same name.
  private func record(_ runs: [Run], _ timeouts: [JobID: Duration]) async throws(JobError) -> [EnqueuedRun] {
    let known: [RunID: RunRecord]
    let new: Set<RunID>
    do throws(StoreError) {
      (known, new) = try await recordNew(runs)
    } catch {
      throw JobError(error)
    }
    let current = runs.map { run in (try? known[run.id]?.run.get()) ?? run }
    var seen = Set<RunID>()
    let waiting = current.filter { [.scheduled, .pending].contains($0.status) && seen.insert($0.id).inserted }
    if queue.retryOwner == .runtime, !waiting.isEmpty {
      try await queue.enqueue(waiting.map { task(for: $0, deadline: timeouts[$0.job] ?? .minutes(5)) })
    }
    return current.map { EnqueuedRun(id: $0.id, isNew: new.contains($0.id), status: $0.status) }
  }

  /// Commits the runs that do not exist yet; answers what existed before, and which runs are new.
  private func recordNew(_ runs: [Run]) async throws(StoreError) -> ([RunID: RunRecord], Set<RunID>) {
    var seen = Set<RunID>()
    let distinct = runs.filter { seen.insert($0.id).inserted }
    for _ in 0..<Self.maximumRaces {
      let known = try await access.read(jobs: [], runs: distinct.map(\.id)).runs
      let new = distinct.filter { known[$0.id] == nil }
      do throws(StoreError) {
        if !new.isEmpty { _ = try await access.commit(new.map { .putRun($0, .absent) }) }
        return (known, Set(new.map(\.id)))
      } catch {
        guard error.code == .conflict || error.code == .unknownOutcome else { throw error }
      }
    }
    throw StoreError(.unavailable, "Others record the same runs all the time. Try again.")
  }

  private static func payload(_ input: some Encodable & Sendable) throws(JobError) -> JSONText? {
    if input is NoInput { return nil }
    do {
      return try PayloadCoding.encode(input)
    } catch let error as JobError {
      throw error
    } catch {
      throw JobError(.invalidInput, "The input can't be encoded as JSON.", field: "payload")
    }
  }
}
