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
    /// The number of due runs that were looked at.
    var seenCount = 0
    /// The cursor of the next page; nil if all due runs were looked at.
    var next: StoreCursor?
    /// The choice that was made among the due runs; nil if none was seen.
    var choice: WorkerState.Choice?
  }

  /// The claim of a run, with what its execution needs.
  struct Claim: Sendable {
    /// The run after the claim, in its place among the attempts of this instance.
    var claimed: ClaimedRun
    /// The changes that make the claim.
    var writes: [Write]
    var registered: RegisteredJob
    var state: JobState
  }

  /// The last plan of a call: a store may call for it several times.
  ///
  /// Its claims are among the attempts of this instance already, so that a process that ends meanwhile can release
  /// their leases.
  private final class LatestPlan: Sendable {
    private let state = Mutex<(choice: WorkerState.Choice?, claims: [RunID: Claim])>((nil, [:]))
    private let active: ActiveAttempts

    init(_ active: ActiveAttempts) {
      self.active = active
    }

    var choice: WorkerState.Choice? { state.withLock { $0.choice } }
    var claims: [RunID: Claim] { state.withLock { $0.claims } }

    /// Replaces the plan; a claim stays out of it if no attempt may begin any more.
    func replace(_ choice: WorkerState.Choice, _ planned: [RunID: Claim]) -> [RunID: Claim] {
      end()
      let claims = planned.compactMapValues { planned -> Claim? in
        guard let place = active.begin(planned.claimed) else { return nil }
        var planned = planned
        planned.claimed.place = place
        return planned
      }
      state.withLock { $0 = (choice, claims) }
      return claims
    }

    /// Takes the claims that were not committed from the attempts of this instance.
    func end(except committed: Set<RunID> = []) {
      for (id, planned) in claims where !committed.contains(id) { active.end(planned.claimed.place) }
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
    guard let store = services.store as? any ClaimingStore else {
      return try await self.choose(after: cursor, window: window, choosing: choose)
    }
    let known = Set(jobs)
    let latest = LatestPlan(services.active)
    let plan: @Sendable ([RunRecord], StoreReading) -> [[Write]] = { records, reading in
      let choice = choose(records)
      var claims = [RunID: Claim]()
      for record in choice.records {
        guard let run = try? record.run.get(), known.contains(run.job) else { continue }
        claims[record.id] = planClaim(run, record.version, reading)
      }
      claims = latest.replace(choice, claims)
      return records.map { claims[$0.id]?.writes ?? [] }
    }
    do throws(StoreError) {
      let claims = try await services.client.call(.write) { () async throws(StoreError) in
        try await store.claim(after: cursor, limit: window, reading: jobs, plan)
      }
      let committed = claims.runs.filter { claim in
        if case .success? = claim.outcome { true } else { false }
      }
      var batch = batch(latest, committed: Set(committed.map(\.record.id)), at: claims.time)
      (batch.next, batch.seenCount) = (claims.next, claims.runs.count)
      return batch
    } catch {
      guard error.code == .unknownOutcome else {
        latest.end()
        throw error
      }
      return await settle(latest, after: error)
    }
  }

  private func batch(_ latest: LatestPlan, committed: Set<RunID>, at time: Timestamp?) -> Batch {
    let (choice, claims) = (latest.choice, latest.claims)
    latest.end(except: committed)
    var batch = Batch(choice: choice)
    for record in choice?.records ?? [] {
      if let planned = claims[record.id], committed.contains(record.id) {
        batch.claimed.append(self.committed(planned, at: time))
      } else {
        batch.others.append(record)
      }
    }
    return batch
  }

  /// Plans the claim of a due run; nil if more must be read, or if the run does not start.
  private func planClaim(
    _ run: Run, _ version: Version, _ reading: StoreReading
  ) -> Claim? {
    let now = reading.time
    guard case .deliver = planRecovery(of: run, settings: services.settings, now: now),
      let registered = services.registry.jobs[run.job],
      let snapshot = DeliverySnapshot(
        ofWaiting: run, version, registered.definition, reading, services, at: now),
      case .run(let claimed) = plan(snapshot.input)
    else { return nil }
    var attempt = ClaimedRun(
      run: claimed, job: snapshot.input.job, checkpoint: claimed.checkpoint, time: now,
      local: services.steadyClock.now())
    attempt.end = services.attemptEnd
    return Claim(
      claimed: attempt, writes: snapshot.writes(claiming: claimed), registered: registered, state: snapshot.state)
  }

  /// Returns a claim as it was committed; nil for the time leaves that of its plan.
  private func committed(_ planned: Claim, at time: Timestamp?) -> Claim {
    var claim = planned
    let now = services.steadyClock.now()
    // The lease runs from the plan on: after a claim that took long, so does the time limit.
    if let time, now - claim.claimed.local < services.options.leaseMargin / 2 {
      (claim.claimed.time, claim.claimed.local) = (time, now)
    }
    return claim
  }

  /// Chooses the due runs of a page, all to be delivered one by one: in a store that can't claim many at once, a run
  /// need not wait for the claims of others.
  private func choose(
    after cursor: StoreCursor?, window: Int, choosing choose: ([RunRecord]) -> WorkerState.Choice
  ) async throws(StoreError) -> Batch {
    let page = try await services.client.call { () async throws(StoreError) in
      try await services.store.wakingRuns(after: cursor, limit: window)
    }
    let choice = choose(page.records)
    return Batch(others: choice.records, seenCount: page.records.count, next: page.next, choice: choice)
  }

  /// Finds out which claims of a call took place whose response was lost, and makes the others.
  private func settle(_ latest: LatestPlan, after error: StoreError) async -> Batch {
    let committer = RunCommitter(services)
    let committed = await withTaskGroup(of: RunID?.self) { group in
      for planned in latest.claims.values {
        group.addTask {
          let run = planned.claimed.run
          let isCommitted = (try? await committer.settle(planned.writes, making: run, after: error)) ?? false
          return isCommitted ? run.id : nil
        }
      }
      return await group.reduce(into: Set()) { ids, id in if let id { ids.insert(id) } }
    }
    var batch = batch(latest, committed: committed, at: nil)
    batch.seenCount = latest.choice?.records.count ?? 0
    return batch
  }
}
