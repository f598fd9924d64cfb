package import CloudJobsCore
import Logging

extension JobRuntime {
  /// How long handlers that were cancelled may take to end.
  static let cancellationGrace = Duration.seconds(1)

  /// Stops taking work, waits for what is under way, and cancels the handlers that have not ended within the limit.
  ///
  /// A handler that ends within a second of that has its end committed: what it returns counts, and what it throws
  /// because it was cancelled does not count as a failure; the run is handed back and uses up no retry. The lease of a
  /// handler that goes on in spite of its cancellation stays with it and runs out by itself: nobody else may execute
  /// the run while it may still have effects.
  ///
  /// - Parameter limit: how long to wait for attempts under way.
  /// - Returns: how many attempts are still under way.
  @discardableResult
  public func drain(within limit: Duration = .seconds(7)) async -> Int {
    await drain(within: limit, by: clock)
  }

  /// Drains by a clock that may be another than the runtime's.
  package func drain(within limit: Duration, by clock: any JobClock) async -> Int {
    active.startDraining()
    wakeUp.call()
    if await !isDrained(within: limit, by: clock) {
      active.cancelHandlers()
      _ = await isDrained(within: Self.cancellationGrace, by: clock)
    }
    events.finish()
    let left = active.attempts
    for attempt in left {
      options.logger.warning(
        "A handler goes on although it was cancelled.",
        metadata: ["jobId": "\(attempt.run.job)", "runId": "\(attempt.run.id)", "attempt": "\(attempt.run.attempt)"])
    }
    return max(left.count, active.deliveries)
  }

  /// Gives back the leases of the attempts that are still under way, for a process that ends right afterwards.
  ///
  /// - Returns: whether every run that was under way is either handed back or ended, so that nothing has to wait for a
  ///   lease to run out.
  package func releaseLeases() async -> Bool {
    // From here on no delivery claims a lease, so that these are all.
    active.cancelHandlers()
    return await withTaskGroup(of: Bool.self) { group in
      for attempt in active.attempts { group.addTask { await self.release(attempt) } }
      return await group.reduce(true) { $0 && $1 }
    }
  }

  private func isDrained(within limit: Duration, by clock: any JobClock) async -> Bool {
    let end = clock.now() + limit
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.active.drained.wait() }
      group.addTask { try? await clock.sleep(until: end) }
      await group.next()
      group.cancelAll()
    }
    return active.drained.isOpen
  }

  /// Gives back a lease: the attempt does not count as failed, and its fencing token is worth nothing from here on.
  ///
  /// - Returns: false where the store could not be reached, so that the lease runs out by itself.
  private func release(_ attempt: ActiveRuns.Attempt) async -> Bool {
    let time = attempt.claimed.time + (clock.now() - attempt.claimed.local)
    let run = attempt.run.orphaned(policy: attempt.job.policy, settings: settings, at: time, by: .instanceShutDown)
    do throws(StoreError) {
      // Where the fence is another's, the attempt has ended or was taken over meanwhile.
      guard try await commit([.putRun(run, .fence(attempt.run.fence))], making: run) != nil else { return true }
    } catch {
      options.logger.error(
        "A lease could not be given back; it runs out by itself.",
        metadata: ["runId": "\(run.id)", "error": "\(error)"])
      return false
    }
    if !run.status.isTerminal { _ = await handOn(run, attempt.job.policy) }
    return true
  }
}

extension JobError {
  /// The refusal of an instance that drains.
  static let shuttingDown = JobError(.shuttingDown, "This instance is shutting down. Deliver again.")
}
