import CloudJobsCore
import Logging

/// Commits the changes of runs: the only loops around commits.
///
/// Each piece of work has one ``RetryBudget``, from which every transient error, unknown outcome and write conflict
/// takes.
struct RunCommitter: Sendable {
  let client: StoreClient
  let active: ActiveAttempts
  private let attemptEnd: Timestamp?

  init(_ services: RuntimeServices) {
    attemptEnd = services.attemptEnd
    client = services.client
    active = services.active
  }

  /// Repeats a cycle of reading, planning and committing until no other writer interferes.
  ///
  /// - Parameter cycle: one cycle; nil after a write conflict.
  /// - Returns: the cycle's result; nil if every cycle met a conflict.
  /// - Throws: the error of a cycle.
  func replanning<Result: Sendable, Failure: Error>(
    _ cycle: (inout RetryBudget) async throws(Failure) -> Result?
  ) async throws(Failure) -> Result? {
    var budget = client.budget()
    repeat {
      if let result = try await cycle(&budget) { return result }
    } while budget.takeConflict()
    return nil
  }

  /// Commits a run's new state and the changes that belong to it.
  ///
  /// If the response to the commit is lost, the stored run tells whether it took place.
  ///
  /// - Parameters:
  ///   - writes: the changes, that of the run among them.
  ///   - run: the run after them.
  ///   - budget: the budget of the work.
  /// - Returns: the time of the commit by the store's clock; nil if a precondition does not hold.
  /// - Throws: ``StoreError`` `unavailable`, `invalid`, or `unknownOutcome` if the outcome could not be determined.
  func commit(
    _ writes: [Write], making run: Run, _ budget: inout RetryBudget
  ) async throws(StoreError) -> Timestamp? {
    switch try await commit(writes, making: run, &budget, holding: nil) {
    case .committed(let time): time
    case .amended, .lost: nil
    }
  }

  /// Finds out whether a commit whose response was lost took place, and makes it otherwise.
  ///
  /// - Parameters:
  ///   - writes: the changes, that of the run among them.
  ///   - run: the run after them.
  ///   - error: the error of the first try.
  /// - Returns: whether the changes were made; false if a precondition does not hold.
  /// - Throws: the errors of ``commit(_:making:_:)``.
  func settle(_ writes: [Write], making run: Run, after error: StoreError) async throws(StoreError) -> Bool {
    var budget = client.budget()
    budget.persist(at: client.steadyClock.now())
    return switch try await commit(writes, making: run, &budget, holding: nil, after: error) {
    case .committed: true
    case .amended, .lost: false
    }
  }

  /// The result of a commit by the attempt that holds a run.
  enum AttemptCommit {
    /// The changes were made at this time.
    case committed(Timestamp)
    /// Nothing was changed: others have amended the run, which the attempt still holds, or have changed another
    /// document of the commit.
    case amended(Run)
    /// Nothing was changed: the run was taken over, or has changed otherwise.
    case lost
  }

  private func commit(
    _ writes: [Write], making run: Run, _ budget: inout RetryBudget, holding fence: Int64?,
    after earlier: StoreError? = nil
  ) async throws(StoreError) -> AttemptCommit {
    var lost = earlier
    while true {
      let failure: StoreError
      do throws(StoreError) {
        let time = try await client.once(.write) { () async throws(StoreError) in
          try await client.store.commit(writes)
        }
        return .committed(time)
      } catch {
        failure = error
      }
      switch failure.code {
      case .invalid: throw failure
      // After a lost response, our own earlier try may have taken the permit.
      case .refused: if lost == nil { throw failure }
      case .unavailable:
        try await client.wait(after: failure, .write, &budget)
        continue
      case .unknownOutcome: lost = failure
      case .conflict:
        // After a lost response, our own earlier try may have made the precondition false.
        if lost == nil, fence == nil { return .lost }
      }
      budget.persist(at: client.steadyClock.now())
      let reading = try await client.call(.read, &budget) { () async throws(StoreError) in
        try await client.store.read(jobs: [], runs: [run.id])
      }
      let stored = reading.runs[run.id].flatMap { try? $0.run.get() }
      if let stored, stored.isSameStep(as: run) { return .committed(reading.time) }
      if failure.code == .refused { throw failure }
      if failure.code == .conflict {
        guard let fence, let stored, stored.fence == fence, stored.status == .running else { return .lost }
        return .amended(stored)
      }
      guard budget.takeConflict() else {
        throw lost
          ?? StoreError(
            .unavailable,
            "The attempt's result could not be committed after \(RetryBudget.conflictLimit) write conflicts.")
      }
    }
  }

  /// Commits a claim, and registers the attempt with the instance beforehand, so that a process that ends meanwhile can
  /// release its lease.
  ///
  /// - Parameters:
  ///   - run: the run as claimed.
  ///   - writes: the changes, that of the run among them.
  ///   - job: the run's job.
  ///   - now: the best estimate of the store's time.
  ///   - budget: the budget of the work.
  /// - Returns: the claim; nil if another instance was faster, or if this one admits no more attempts.
  /// - Throws: the errors of ``commit(_:making:_:)``.
  func claim(
    _ run: Run, _ writes: [Write], job: ResolvedJob, at now: Timestamp, _ budget: inout RetryBudget
  ) async throws(StoreError) -> ClaimedRun? {
    var claimed = ClaimedRun(run: run, job: job, checkpoint: run.checkpoint, time: now, local: client.steadyClock.now())
    claimed.end = attemptEnd
    guard let place = active.begin(claimed) else { return nil }
    do throws(StoreError) {
      guard let time = try await commit(writes, making: run, &budget) else {
        active.end(place)
        return nil
      }
      (claimed.time, claimed.local, claimed.place) = (time, client.steadyClock.now(), place)
      return claimed
    } catch {
      active.end(place)
      throw error
    }
  }

  /// Commits the end of an attempt under its fencing token, with patience: the work is done.
  ///
  /// - Parameters:
  ///   - run: the run after the attempt.
  ///   - fence: the token of the attempt.
  ///   - others: further changes, such as that of the job's state.
  ///   - keepsPermits: whether the run's permits are left to expire with its lease, because its handler goes on.
  /// - Returns: the result.
  /// - Throws: ``StoreError`` `unavailable` or `unknownOutcome`.
  func finish(
    _ run: Run, under fence: Int64, with others: [Write], keepsPermits: Bool
  ) async throws(StoreError) -> AttemptCommit {
    let precondition = Precondition.attempt(fence: fence, amendments: run.amendments)
    // The first write is the run's own.
    let writes = Array(run.writesGivingPermitsBack(precondition).prefix(keepsPermits ? 1 : .max)) + others
    var budget = client.budget()
    budget.persist(at: client.steadyClock.now())
    return try await commit(writes, making: run, &budget, holding: fence)
  }

  /// Commits the progress of an attempt under its fencing token.
  ///
  /// - Parameters:
  ///   - run: the run with its progress.
  ///   - others: further changes, such as lines of its log.
  /// - Returns: the result.
  /// - Throws: ``StoreError`` `unavailable` or `unknownOutcome`.
  func update(_ run: Run, with others: [Write]) async throws(StoreError) -> AttemptCommit {
    let writes = [.putRun(run, .attempt(fence: run.fence, amendments: run.amendments))] + others
    var budget = client.budget()
    return try await commit(writes, making: run, &budget, holding: run.fence)
  }
}

/// A run whose lease this instance holds.
struct ClaimedRun: Sendable {
  var run: Run
  var job: ResolvedJob
  /// The checkpoint from which the attempt resumes.
  var checkpoint: JSONText?
  /// The time of the claim by the store's clock.
  var time: Timestamp
  /// The time of the claim by the steady clock.
  var local: Timestamp
  /// The attempt's place among those of this instance.
  var place = 0

  /// The time of the steady clock at which the attempt must end, because its request ends; nil if there is none.
  var end: Timestamp?

  /// The time limit of the attempt.
  var timeLimit: Duration {
    let limit = run.timeLimit(under: job.policy)
    return end.map { max(.zero, min(limit, $0 - local)) } ?? limit
  }

  /// The time of the steady clock at which the attempt is cancelled.
  var deadline: Timestamp { local + timeLimit }

  /// Whether the request ends before the time limit of the job.
  var isCutShort: Bool { timeLimit < run.timeLimit(under: job.policy) }

  /// The metadata of a log line about the attempt.
  var metadata: Logger.Metadata {
    ["jobId": "\(run.job)", "runId": "\(run.id)", "attempt": "\(run.attempt)"]
  }

  /// Returns the best estimate of the store's time: the steady clock measures the time since the claim.
  func storeTime(at now: Timestamp) -> Timestamp { time + (now - local) }
}
