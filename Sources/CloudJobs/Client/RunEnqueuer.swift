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
  /// - Returns: the runs, in the order of the requests.
  /// - Throws: ``JobError`` as ``JobClient/enqueue(_:)`` does.
  func enqueue(
    _ requests: [EnqueueRequest], by parent: Run? = nil
  ) async throws(JobError) -> [EnqueuedRun] {
    let span = RunSpan(enqueuing: requests, by: parent)
    return try await span.run { () async throws(JobError) in
      do throws(JobError) {
        let runs = try await record(all: drafts(of: requests, by: parent, in: span))
        if let run = runs.first, runs.count == 1 { span.note(run.id) }
        return runs
      } catch {
        span.fail(error.code.rawValue, error.message)
        throw error
      }
    }
  }

  private func record(all drafts: [RunDraft]) async throws(JobError) -> [EnqueuedRun] {
    // A run may take up to three more writes: those of a prerequisite, of its unique key's ledger, and of a run that it
    // replaces.
    let isPlain = drafts.allSatisfy { $0.prerequisites.isEmpty && $0.unique == nil }
    let batch = isPlain ? StoreLimits.batch : StoreLimits.batch / 4
    var enqueued = [EnqueuedRun]()
    for start in stride(from: 0, to: drafts.count, by: batch) {
      enqueued += try await record(Array(drafts[start..<min(start + batch, drafts.count)]))
    }
    return enqueued
  }

  /// Checks requests.
  ///
  /// - Parameters:
  ///   - requests: the requests.
  ///   - parent: the run that asks for them, if any.
  ///   - span: the enqueuing, if a tracer records it: the runs are in its trace, but for those of several requests that
  ///     name another one.
  /// - Returns: the drafts, in the order of the requests.
  /// - Throws: ``JobError`` as ``JobClient/enqueue(_:)`` does.
  func drafts(
    of requests: [EnqueueRequest], by parent: Run? = nil, in span: RunSpan? = nil
  ) throws(JobError) -> [RunDraft] {
    let recorded = (span?.isRecorded ?? false) ? span?.trace : nil
    if services.settings.retryOwner == .caller { throw .noQueue }
    var drafts = [RunDraft]()
    for request in requests {
      let trace = requests.count == 1 ? recorded : request.trace ?? recorded
      drafts.append(try RunDraft(request, by: parent, trace: trace, services))
    }
    return drafts
  }

  /// Returns the runs of drafts that are not recorded yet, to be recorded in a commit of the caller.
  func missing(_ drafts: [RunDraft], at now: Timestamp) async throws(StoreError) -> [Run] {
    if drafts.isEmpty { return [] }
    let reading = try await services.client.read(
      jobs: Set(drafts.map(\.definition.id)).sorted(), runs: Set(drafts.map(\.id)).sorted())
    var recording = RunRecording()
    return draw(drafts, reading, &recording).values.filter { reading.runs[$0.id] == nil }.sorted { $0.id < $1.id }
  }

  /// Enqueues the tasks of runs that were recorded in a commit of the caller.
  func enqueueTasks(of drafts: [RunDraft]) async {
    if drafts.isEmpty { return }
    guard let reading = try? await services.client.read(runs: Set(drafts.map(\.id)).sorted()) else { return }
    let runs = reading.runs.values.compactMap { try? $0.run.get() }.filter(\.isDeliverable).sorted { $0.id < $1.id }
    let timeouts = Dictionary(drafts.map { ($0.definition.id, $0.definition.policy.timeout) }) { first, _ in first }
    await NextAttemptEnqueuer(services).enqueueTasks(of: runs, timeouts: timeouts)
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
      run.isDeliverable && seen.insert(run.id).inserted
    }
    await NextAttemptEnqueuer(services).enqueueTasks(of: waiting, timeouts: recording.timeouts)
    for run in recording.replaced { await end(run) }
    var new = recording.new
    return ids.map { id in
      EnqueuedRun(id: id, isNew: new.remove(id) != nil, status: recording.runs[id]?.status ?? .pending)
    }
  }

  /// Reports the end of a run that another one replaces, removes its task, and delivers the runs that wait for it.
  private func end(_ run: Run) async {
    if services.settings.retryOwner.takesTasks {
      // A task that can't be removed finds that its run has ended.
      try? await services.queue.cancel(run.nextTaskName, in: run.queue)
    }
    await RunEnd(services).report(run)
  }

  /// Commits the runs that do not exist yet.
  private func recordMissing(_ drafts: [RunDraft]) async throws(StoreError) -> RunRecording {
    var recording = RunRecording()
    var drawn = [RunID: Run]()
    var isInDoubt = false
    // The runs that a commit replaced whose response was lost.
    var doubtful = [Run]()
    let recorded = try await RunCommitter(services).replanning { (budget) async throws(StoreError) -> RunRecording? in
      let isFirst = drawn.isEmpty
      let keys = Set(drafts.compactMap(\.ledger)).sorted()
      let ledgers = try await holders(of: keys, &budget)
      let holders = (ledgers?.ledgers.values).map { $0.compactMap { $0.ledger?.unique?.run } } ?? []
      // A run with a random id does not exist yet; its commit would be refused otherwise, and is planned again.
      let sought = isFirst ? drafts.filter { !$0.hasRandomID } : drafts
      let reading = try await services.client.call(.read, &budget) { () async throws(StoreError) in
        try await services.store.read(
          jobs: isFirst ? Set(drafts.map(\.definition.id)).sorted() : [],
          runs: Set(sought.map(\.id) + drafts.flatMap(\.prerequisites) + holders).sorted())
      }
      if isFirst { drawn = draw(drafts, reading, &recording) }
      var unique = UniqueRecording(keys, ledgers, reading, services.settings, services.payloads)
      // A run that waits for one that is not created, because its key is held, waits for the holder.
      var preview = unique
      preview.add(drafts, drawn, reading)
      let (new, amended) = Self.waiting(drawn.mapValues { $0.waiting(insteadFor: preview.results) }, reading)
      for run in amended { unique.change(run) }
      unique.add(drafts, new, reading)
      let plain = Set(drafts.filter { $0.unique == nil }.map(\.id))
      let missing = new.values.filter { reading.runs[$0.id] == nil && plain.contains($0.id) }.sorted { $0.id < $1.id }
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
        if error.code == .unknownOutcome { doubtful += unique.replaced }
        return nil
      }
      recording.add(missing, stored: reading, drawn: drawn, isInDoubt: isInDoubt)
      recording.add(unique)
      if !doubtful.isEmpty {
        let stored = try await services.client.read(runs: Set(doubtful.map(\.id)).sorted())
        for run in doubtful { recording.add(replacedInDoubt: run, stored: stored) }
      }
      return recording
    }
    guard let recorded else {
      throw StoreError(.unavailable, "Other callers keep recording the same runs. Try again.")
    }
    return recorded
  }

  /// Lets new runs wait for the first of their prerequisites that has not ended.
  ///
  /// - Parameters:
  ///   - drawn: the new runs, some of which may be prerequisites of others.
  ///   - reading: the prerequisites that are stored, and the new runs that others have recorded meanwhile.
  /// - Returns: the new runs, and the stored prerequisites that change.
  private static func waiting(_ drawn: [RunID: Run], _ reading: StoreReading) -> ([RunID: Run], [Run]) {
    var drawn = drawn
    var amended = [RunID: Run]()
    for run in drawn.values.sorted(by: { $0.id < $1.id }) where !run.prerequisites.isEmpty {
      guard reading.runs[run.id] == nil else { continue }
      var statuses = reading.statuses(of: run.prerequisites)
      for id in run.prerequisites where statuses[id] == nil { statuses[id] = drawn[id]?.status }
      guard case .wait(let prerequisite) = run.prerequisiteVerdict(under: statuses) else { continue }
      // The run may have got dependents of its own meanwhile.
      drawn[run.id] = (drawn[run.id] ?? run).awaiting(prerequisite, at: run.createdAt)
      if let stored = try? reading.runs[prerequisite]?.run.get() {
        amended[prerequisite] = (amended[prerequisite] ?? stored).amended(withDependent: run.id)
      } else {
        drawn[prerequisite] = drawn[prerequisite]?.amended(withDependent: run.id)
      }
    }
    return (drawn, amended.values.sorted { $0.id < $1.id })
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
  /// The runs that were cancelled, because others replace them.
  var replaced: [Run] = []

  /// Adds the runs of drafts with unique keys.
  mutating func add(_ unique: UniqueRecording) {
    results = unique.results
    replaced += unique.replaced
    runs.merge(unique.runs) { _, later in later }
    new.formUnion(unique.created)
  }

  /// Adds a run that a commit replaced whose response was lost, if it took place, and no later commit replaced the run.
  mutating func add(replacedInDoubt run: Run, stored: StoreReading) {
    guard let current = try? stored.runs[run.id]?.run.get(), current.isSameStep(as: run) else { return }
    if !replaced.contains(where: { $0.id == run.id }) { replaced.append(run) }
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
