import CloudJobsCore

/// Records requested runs, and enqueues their tasks.
struct RunEnqueuer: Sendable {
  private let services: RuntimeServices

  init(_ services: RuntimeServices) {
    self.services = services
  }

  /// Checks requests, records the runs that do not exist yet, and enqueues the tasks of those that wait: also the task
  /// of a run that a crashed caller had recorded, under the same name.
  ///
  /// - Parameters:
  ///   - requests: the runs to enqueue.
  ///   - parent: the run that asks for them, if any.
  ///   - correlationID: the id that all runs of one cause share.
  /// - Returns: the runs, in the order of the requests.
  /// - Throws: ``JobError`` as ``JobClient/enqueue(_:)`` does.
  func enqueue(
    _ requests: [EnqueueRequest], parent: RunID? = nil, correlationID: String? = nil
  ) async throws(JobError) -> [EnqueuedRun] {
    if services.settings.retryOwner == .caller { throw .noQueue }
    var drafts = [RunDraft]()
    for request in requests {
      drafts.append(try RunDraft(request, parent: parent, correlationID: correlationID, services))
    }
    var enqueued = [EnqueuedRun]()
    for start in stride(from: 0, to: drafts.count, by: StoreLimits.batch) {
      enqueued += try await record(Array(drafts[start..<min(start + StoreLimits.batch, drafts.count)]))
    }
    return enqueued
  }

  private func record(_ drafts: [RunDraft]) async throws(JobError) -> [EnqueuedRun] {
    let recording: RunRecording
    do throws(StoreError) {
      recording = try await recordMissing(drafts)
    } catch {
      throw JobError(error)
    }
    var seen = Set<RunID>()
    let waiting = drafts.compactMap { recording.runs[$0.id] }.filter { run in
      (run.status == .scheduled || run.status == .pending) && seen.insert(run.id).inserted
    }
    await NextAttemptEnqueuer(services).enqueueTasks(of: waiting, timeouts: recording.timeouts)
    var new = recording.new
    return drafts.map { draft in
      EnqueuedRun(
        id: draft.id, isNew: new.remove(draft.id) != nil, status: recording.runs[draft.id]?.status ?? .pending)
    }
  }

  /// Commits the runs that do not exist yet.
  private func recordMissing(_ drafts: [RunDraft]) async throws(StoreError) -> RunRecording {
    var recording = RunRecording()
    var drawn = [RunID: Run]()
    var isInDoubt = false
    let recorded = try await RunCommitter(services).replanning { (budget) async throws(StoreError) -> RunRecording? in
      let isFirst = drawn.isEmpty
      let reading = try await services.client.call(.read, &budget) { () async throws(StoreError) in
        try await services.store.read(
          jobs: isFirst ? Set(drafts.map(\.definition.id)).sorted() : [], runs: Set(drafts.map(\.id)).sorted())
      }
      if isFirst { drawn = draw(drafts, reading, &recording) }
      let missing = drawn.values.filter { reading.runs[$0.id] == nil }.sorted { $0.id < $1.id }
      do throws(StoreError) {
        if !missing.isEmpty {
          _ = try await services.client.call(.write, &budget) { () async throws(StoreError) in
            try await services.store.commit(missing.map { .putRun($0, .absent) })
          }
        }
      } catch {
        guard error.code == .conflict || error.code == .unknownOutcome else { throw error }
        isInDoubt = isInDoubt || error.code == .unknownOutcome
        return nil
      }
      recording.add(missing, stored: reading, drawn: drawn, isInDoubt: isInDoubt)
      return recording
    }
    guard let recorded else {
      throw StoreError(.unavailable, "Other callers keep recording the same runs. Try again.")
    }
    return recorded
  }

  /// Makes the runs of drafts by the policies that their jobs' documents set.
  private func draw(_ drafts: [RunDraft], _ reading: StoreReading, _ recording: inout RunRecording) -> [RunID: Run] {
    var runs = [RunID: Run]()
    for draft in drafts where runs[draft.id] == nil {
      let configuration = try? reading.jobs[draft.definition.id]?.document.get().configuration
      let policy = configuration.map { draft.definition.policy.overridden(by: $0) } ?? draft.definition.policy
      recording.timeouts[draft.definition.id] = policy.timeout
      runs[draft.id] = draft.run(policy, settings: services.settings, now: reading.time)
    }
    return runs
  }
}

/// A request for a run that has been checked.
struct RunDraft: Sendable {
  let id: RunID
  let definition: JobDefinition
  let start: DeliveryStart?
  let key: String?
  let input: JSONText?
  let parent: RunID?
  let correlationID: String?

  init(
    _ request: EnqueueRequest, parent: RunID?, correlationID: String?, _ services: RuntimeServices
  ) throws(JobError) {
    guard let registered = services.registry.jobs[request.job] else { throw .unknownJob(request.job) }
    definition = registered.definition
    let payload = try request.payload()
    if !registered.takes(request.input), let error = registered.fault(in: payload) { throw error }
    id = RunID(job: request.job, occurrence: .key(try request.occurrenceKey(services)))
    input = try services.payloads.sealed(payload, job: request.job, run: id, "input")
    (start, key) = (request.start, request.key)
    (self.parent, self.correlationID) = (parent, correlationID)
  }

  /// Returns the run, by the store's clock and by the job's policy.
  func run(_ policy: JobPolicy, settings: PlanSettings, now: Timestamp) -> Run {
    let requested = start?.time(from: now)
    let start = max(now, requested ?? now)
    var run = Run(
      id: id, job: definition.id, trigger: parent == nil ? .task : .parent, input: input,
      status: start > now ? .scheduled : .pending, maxAttempts: policy.retry.maxAttempts, scheduledFor: requested,
      notBefore: start, createdAt: now)
    run.uniqueKey = key
    run.parent = parent
    run.correlationID = correlationID
    run.queue = policy.queue
    run.priority = policy.priority
    run.wakeAt = start + settings.sweepDelay
    return run
  }
}

/// The runs of some drafts in the store.
private struct RunRecording: Sendable {
  /// The runs as stored, as far as they can be read.
  var runs: [RunID: Run] = [:]
  /// The runs that this call created.
  var new: Set<RunID> = []
  /// The time limits of their jobs' attempts.
  var timeouts: [JobID: Duration] = [:]

  /// Adds the runs that were committed, and those that were stored before.
  mutating func add(_ committed: [Run], stored: StoreReading, drawn: [RunID: Run], isInDoubt: Bool) {
    for run in committed {
      runs[run.id] = run
      new.insert(run.id)
    }
    for (id, record) in stored.runs {
      guard case .success(let run) = record.run else { continue }
      runs[id] = run
      // If the response to an earlier try was lost, a run that looks like ours is ours.
      if isInDoubt, let own = drawn[id], own.createdAt == run.createdAt { new.insert(id) }
    }
  }
}

extension EnqueueRequest {
  /// Returns the delivery that runs the job now.
  func delivery(correlationID: String? = nil, _ services: RuntimeServices) throws(JobError) -> Delivery {
    Delivery(
      job: job, trigger: .manual, occurrence: .key(try occurrenceKey(services)), payload: try payload(),
      correlationID: correlationID)
  }

  fileprivate func payload() throws(JobError) -> JSONText? {
    if input is NoInput { return nil }
    do {
      return try PayloadCoding.encode(input, limits: .payload)
    } catch let error as JobError {
      throw error
    } catch {
      throw JobError(.invalidInput, "The input can't be encoded as JSON.", field: "payload")
    }
  }

  /// Returns the caller's key, or a random one.
  fileprivate func occurrenceKey(_ services: RuntimeServices) throws(JobError) -> String {
    guard let key else { return services.options.random.token() }
    let limit = EnvelopeLimits.standard.keyBytes
    if key.isEmpty { throw JobError(.invalidField, "The key is empty. Omit it, or name the work.", field: "key") }
    if key.utf8.count > limit {
      throw JobError(.tooLarge, "The key has \(key.utf8.count) bytes; at most \(limit) are allowed.", field: "key")
    }
    return key
  }
}
