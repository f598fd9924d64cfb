import CloudJobsCore
import Synchronization

/// Claims due runs for a worker, many in one call to the store.
///
/// The call plans those runs whose plan depends on nothing but the run and its job's document. All others are left to
/// ``DeliveryProcessor``, and so are those whose claim the store refused.
struct RunClaimer: Sendable {
  /// What a call to the store has found.
  struct Batch: Sendable {
    /// The runs that were claimed.
    var claimed: [Claim] = []
    /// The runs that are to be delivered one by one.
    var others: [RunRecord] = []
    /// The cursor of the next page; nil if all due runs were looked at.
    var next: StoreCursor?
    /// The choice that was made among the due runs.
    var choice: WorkerState.Choice?
  }

  /// A run that was claimed, with what its execution needs.
  struct Claim: Sendable {
    var claimed: ClaimedRun
    var registered: RegisteredJob
    var state: JobState
  }

  /// A claim that is planned and not known to be committed.
  private struct PlannedClaim: Sendable {
    var run: Run
    var writes: [Write]
    var snapshot: DeliverySnapshot
    var registered: RegisteredJob
  }

  /// The last plan of a call: a store may call for it several times.
  private final class LatestPlan: Sendable {
    private let state = Mutex<(choice: WorkerState.Choice?, claims: [RunID: PlannedClaim])>((nil, [:]))

    var choice: WorkerState.Choice? { state.withLock { $0.choice } }
    var claims: [RunID: PlannedClaim] { state.withLock { $0.claims } }

    func replace(_ choice: WorkerState.Choice, _ claims: [RunID: PlannedClaim]) {
      state.withLock { $0 = (choice, claims) }
    }
  }

  private let services: RuntimeServices

  init(_ services: RuntimeServices) {
    self.services = services
  }

  /// Claims due runs.
  ///
  /// - Parameters:
  ///   - cursor: the end of the previous page; nil for the first page.
  ///   - window: the number of due runs to look at.
  ///   - jobs: the jobs of which runs were due lately: the runs of others are delivered one by one.
  ///   - choose: chooses the runs to start among those that are due.
  /// - Returns: the runs.
  /// - Throws: ``StoreError`` `unavailable`.
  func claim(
    after cursor: StoreCursor?, window: Int, jobs: [JobID],
    choosing choose: @escaping @Sendable ([RunRecord]) -> WorkerState.Choice
  ) async throws(StoreError) -> Batch {
    let reading = jobs.isEmpty ? nil : try await services.client.read(jobs: jobs, runs: [])
    let known = Set(jobs)
    let latest = LatestPlan()
    let plan: @Sendable ([RunRecord], Timestamp) -> [[Write]] = { records, now in
      let choice = choose(records)
      var claims = [RunID: PlannedClaim]()
      for record in choice.records {
        guard let reading, let run = try? record.run.get(), known.contains(run.job) else { continue }
        claims[record.id] = planClaim(run, record.version, reading, at: now)
      }
      latest.replace(choice, claims)
      return records.map { claims[$0.id]?.writes ?? [] }
    }
    guard let store = services.store as? any ClaimingStore else {
      return try await claimEach(after: cursor, window: window, plan, latest)
    }
    let claims: RunClaims
    do throws(StoreError) {
      claims = try await services.client.call(.write) { () async throws(StoreError) in
        try await store.claim(after: cursor, limit: window, plan)
      }
    } catch {
      guard error.code == .unknownOutcome else { throw error }
      return try await committed(latest)
    }
    let committed = claims.runs.filter { claim in
      if case .success? = claim.outcome { true } else { false }
    }
    var batch = batch(latest, committed: Set(committed.map(\.record.id)), at: claims.time)
    batch.next = claims.next
    return batch
  }

  private func batch(_ latest: LatestPlan, committed: Set<RunID>, at time: Timestamp) -> Batch {
    let (choice, claims) = (latest.choice, latest.claims)
    var batch = Batch(choice: choice)
    for record in choice?.records ?? [] {
      if let planned = claims[record.id], committed.contains(record.id) {
        batch.claimed.append(claim(planned, at: time))
      } else {
        batch.others.append(record)
      }
    }
    return batch
  }

  /// Plans the claim of a due run; nil if more must be read, or if the run does not start.
  private func planClaim(
    _ run: Run, _ version: Version, _ reading: StoreReading, at now: Timestamp
  ) -> PlannedClaim? {
    guard case .deliver = planRecovery(of: run, settings: services.settings, now: now),
      let registered = services.registry.jobs[run.job],
      let snapshot = DeliverySnapshot(
        ofWaiting: run, version, registered.definition, reading, services, at: now),
      case .run(let claimed) = plan(snapshot.input)
    else { return nil }
    let writes = snapshot.writes(claiming: claimed)
    return PlannedClaim(run: claimed, writes: writes, snapshot: snapshot, registered: registered)
  }

  private func claim(_ planned: PlannedClaim, at time: Timestamp) -> Claim {
    var claimed = ClaimedRun(
      run: planned.run, job: planned.snapshot.input.job, checkpoint: planned.run.checkpoint, time: time,
      local: services.clock.now())
    claimed.end = services.attemptEnd
    return Claim(claimed: claimed, registered: planned.registered, state: planned.snapshot.state)
  }

  /// Claims the due runs of a page by a commit each, for a store that can't claim many at once.
  private func claimEach(
    after cursor: StoreCursor?, window: Int, _ plan: ([RunRecord], Timestamp) -> [[Write]], _ latest: LatestPlan
  ) async throws(StoreError) -> Batch {
    let page = try await services.client.call { () async throws(StoreError) in
      try await services.store.wakingRuns(after: cursor, limit: window)
    }
    _ = plan(page.records, page.time)
    let committer = RunCommitter(services)
    let committed = await withTaskGroup(of: RunID?.self) { group in
      for planned in latest.claims.values {
        group.addTask {
          var budget = services.client.budget()
          let time = try? await committer.commit(planned.writes, making: planned.run, &budget)
          return time == nil ? nil : planned.run.id
        }
      }
      return await group.reduce(into: Set()) { ids, id in if let id { ids.insert(id) } }
    }
    var batch = batch(latest, committed: committed, at: page.time)
    batch.next = page.next
    return batch
  }

  /// Finds the claims of a call whose response was lost.
  private func committed(_ latest: LatestPlan) async throws(StoreError) -> Batch {
    let claims = latest.claims
    let reading = try await services.client.read(runs: claims.keys.sorted())
    let committed = claims.values.filter { planned in
      (try? reading.runs[planned.run.id]?.run.get())?.isSameStep(as: planned.run) ?? false
    }
    return batch(latest, committed: Set(committed.map(\.run.id)), at: reading.time)
  }
}
