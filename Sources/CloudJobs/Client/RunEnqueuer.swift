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
    // A unique run may take two more writes: those of its key's ledger and of a run that it replaces.
    let batch = drafts.contains { $0.unique != nil } ? StoreLimits.batch / 3 : StoreLimits.batch
    for start in stride(from: 0, to: drafts.count, by: batch) {
      enqueued += try await record(Array(drafts[start..<min(start + batch, drafts.count)]))
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
    let ids = drafts.map { recording.results[$0.id] ?? $0.id }
    let waiting = ids.compactMap { recording.runs[$0] }.filter { run in
      (run.status == .scheduled || run.status == .pending) && seen.insert(run.id).inserted
    }
    await NextAttemptEnqueuer(services).enqueueTasks(of: waiting, timeouts: recording.timeouts)
    var new = recording.new
    return ids.map { id in
      EnqueuedRun(id: id, isNew: new.remove(id) != nil, status: recording.runs[id]?.status ?? .pending)
    }
  }

  /// Commits the runs that do not exist yet.
  private func recordMissing(_ drafts: [RunDraft]) async throws(StoreError) -> RunRecording {
    var recording = RunRecording()
    var drawn = [RunID: Run]()
    var isInDoubt = false
    let recorded = try await RunCommitter(services).replanning { (budget) async throws(StoreError) -> RunRecording? in
      let isFirst = drawn.isEmpty
      let keys = Set(drafts.compactMap(\.ledger)).sorted()
      let ledgers = try await holders(of: keys, &budget)
      let holders = (ledgers?.ledgers.values).map { $0.compactMap { $0.ledger?.unique?.run } } ?? []
      let reading = try await services.client.call(.read, &budget) { () async throws(StoreError) in
        try await services.store.read(
          jobs: isFirst ? Set(drafts.map(\.definition.id)).sorted() : [],
          runs: Set(drafts.map(\.id) + holders).sorted())
      }
      if isFirst { drawn = draw(drafts, reading, &recording) }
      var unique = UniqueRecording(keys, ledgers, reading, services.settings)
      var planned = Set<RunID>()
      for draft in drafts where reading.runs[draft.id] == nil && planned.insert(draft.id).inserted {
        guard let uniqueness = draft.unique, let run = drawn[draft.id] else { continue }
        unique.add(run, uniqueness, retention: draft.definition.policy.retention)
      }
      let plain = Set(drafts.filter { $0.unique == nil }.map(\.id))
      let missing = drawn.values.filter { reading.runs[$0.id] == nil && plain.contains($0.id) }.sorted { $0.id < $1.id }
      do throws(StoreError) {
        let writes: [Write] = missing.map { .putRun($0, .absent) } + unique.writes
        if !writes.isEmpty {
          _ = try await services.client.call(.write, &budget) { () async throws(StoreError) in
            try await services.store.commit(writes)
          }
        }
      } catch {
        guard error.code == .conflict || error.code == .unknownOutcome else { throw error }
        isInDoubt = isInDoubt || error.code == .unknownOutcome
        return nil
      }
      recording.add(missing, stored: reading, drawn: drawn, isInDoubt: isInDoubt)
      recording.add(unique)
      return recording
    }
    guard let recorded else {
      throw StoreError(.unavailable, "Other callers keep recording the same runs. Try again.")
    }
    return recorded
  }

  /// Reads the holders of unique keys, before their runs; nil if there are no keys.
  private func holders(of keys: [LedgerID], _ budget: inout RetryBudget) async throws(StoreError) -> StoreReading? {
    if keys.isEmpty { return nil }
    return try await services.client.call(.read, &budget) { () async throws(StoreError) in
      try await services.store.read(jobs: [], runs: [], ledgers: keys)
    }
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
private struct RunDraft: Sendable {
  let id: RunID
  let definition: JobDefinition
  let start: DeliveryStart?
  let key: String?
  let input: JSONText?
  let parent: RunID?
  let correlationID: String?
  let unique: Uniqueness?

  /// The ledger of the unique key, if there is one.
  var ledger: LedgerID? { unique.map { .unique(definition.id, key: $0.key) } }

  init(
    _ request: EnqueueRequest, parent: RunID?, correlationID: String?, _ services: RuntimeServices
  ) throws(JobError) {
    guard let registered = services.registry.jobs[request.job] else { throw .unknownJob(request.job) }
    definition = registered.definition
    input = try request.payload()
    if !registered.takes(request.input), let error = registered.fault(in: input) { throw error }
    id = RunID(job: request.job, occurrence: .key(try request.occurrenceKey(services)))
    (start, key) = (request.start, request.key)
    unique = try request.checkedUniqueness()
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
    run.uniqueKey = key ?? unique?.key
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
  /// The runs of drafts that did not create their own, by its id.
  var results: [RunID: RunID] = [:]

  /// Adds the runs of drafts with unique keys.
  mutating func add(_ unique: UniqueRecording) {
    results = unique.results
    runs.merge(unique.runs) { _, later in later }
    new.formUnion(unique.created)
  }

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
    if unique != nil {
      throw JobError(
        .invalidField, "A unique run is enqueued, not run here and now. Enqueue it, or use the key.", field: "unique")
    }
    return Delivery(
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

  /// Returns the uniqueness, whose key obeys the rules of keys.
  fileprivate func checkedUniqueness() throws(JobError) -> Uniqueness? {
    if let unique { try Self.check(unique.key, field: "unique") }
    return unique
  }

  /// Returns the caller's key, or a random one.
  fileprivate func occurrenceKey(_ services: RuntimeServices) throws(JobError) -> String {
    guard let key else { return services.options.random.token() }
    try Self.check(key, field: "key")
    return key
  }

  private static func check(_ key: String, field: String) throws(JobError) {
    let limit = EnvelopeLimits.standard.keyBytes
    if key.isEmpty { throw JobError(.invalidField, "The key is empty. Omit it, or name the work.", field: field) }
    if key.utf8.count > limit {
      throw JobError(.tooLarge, "The key has \(key.utf8.count) bytes; at most \(limit) are allowed.", field: field)
    }
  }
}
