import CloudJobsCore
import Logging

/// Ends the work of an instance that shuts down.
struct Drain: Sendable {
  /// The time that cancelled handlers have to end.
  static let cancellationGrace = Duration.seconds(1)

  let services: RuntimeServices
  private var active: ActiveAttempts { services.active }

  init(_ services: RuntimeServices) {
    self.services = services
  }

  /// Stops admitting work, waits for attempts under way, and cancels the handlers that exceed the limit.
  ///
  /// - Parameters:
  ///   - limit: the time to wait before handlers are cancelled.
  ///   - clock: the clock that measures the limit; it may differ from the runtime's.
  /// - Returns: the number of attempts that are still under way.
  func run(within limit: Duration, by clock: any JobClock) async -> Int {
    active.startDraining()
    services.wakeUp.call()
    if await !isDrained(within: limit, by: clock) {
      active.cancelHandlers()
      _ = await isDrained(within: Self.cancellationGrace, by: clock)
    }
    services.events.finish()
    let left = active.attempts
    for attempt in left {
      services.logger.warning(
        "A handler ignores its cancellation.",
        metadata: ["jobId": "\(attempt.run.job)", "runId": "\(attempt.run.id)", "attempt": "\(attempt.run.attempt)"])
    }
    return max(left.count, active.deliveries)
  }

  /// Releases the leases of the attempts that are still under way, for a process that ends right afterwards.
  ///
  /// - Returns: whether every run that was under way is released or ended, so that none waits for a lease to expire.
  func releaseLeases() async -> Bool {
    // From here on no delivery claims a lease, so these are all.
    active.cancelHandlers()
    return await releaseLeases { $0.interrupted(in: services, by: .instanceShutDown) }
  }

  /// Commits the end of the attempts under way, and enqueues their next ones, for a process that ends right afterwards.
  ///
  /// - Parameter end: returns the run after its attempt's end.
  /// - Returns: whether every run that was under way is released or ended.
  func releaseLeases(_ end: @escaping @Sendable (ClaimedRun) -> Run) async -> Bool {
    await withTaskGroup(of: Bool.self) { group in
      for attempt in active.attempts { group.addTask { await release(attempt, end) } }
      return await group.reduce(true) { $0 && $1 }
    }
  }

  /// Commits the ends of the attempts under way, for a process that ends because its threads are blocked.
  ///
  /// - Parameter overdue: the places of the attempts that exceed their time limits: these count as failed.
  func abandonAttempts(overdue: Set<Int>) async {
    active.startDraining()
    active.cancelHandlers()
    _ = await releaseLeases { [services] attempt in
      guard overdue.contains(attempt.place) else { return attempt.interrupted(in: services, by: .poolBlocked) }
      return services.options.random.draw { random in
        ConcludedAttempt(
          abandoning: attempt.run, resumedFrom: attempt.checkpoint, after: attempt.timeLimit,
          policy: attempt.job.policy, settings: services.settings,
          at: attempt.storeTime(at: services.steadyClock.now()), isProcessEnding: true, random: &random
        ).run
      }
    }
  }

  private func isDrained(within limit: Duration, by clock: any JobClock) async -> Bool {
    let end = clock.now() + limit
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await active.drained.wait() }
      group.addTask { try? await clock.sleep(until: end) }
      await group.next()
      group.cancelAll()
    }
    return active.drained.isOpen
  }

  /// Releases a lease by committing the run after its attempt, whose fencing token becomes invalid.
  ///
  /// The handler may have returned meanwhile, and the attempt's end may be committed, while its hooks still run.
  ///
  /// - Returns: false if the store could not be reached, so that the lease has to expire.
  private func release(_ attempt: ClaimedRun, _ end: @Sendable (ClaimedRun) -> Run) async -> Bool {
    let ended: Run?
    do throws(StoreError) {
      let committer = RunCommitter(services)
      let released = try await committer.replanning { (budget) async throws(StoreError) -> Released? in
        let record = try await services.client.read(runs: [attempt.run.id]).runs[attempt.run.id]
        guard let record, let stored = try? record.run.get(), stored.status == .running,
          stored.fence == attempt.run.fence
        else { return Released(run: nil) }
        var attempt = attempt
        // Others may have asked to cancel the run.
        attempt.run = attempt.run.adoptingAmendments(of: stored)
        let run = end(attempt)
        let writes = run.writesGivingPermitsBack(.version(record.version))
        return try await committer.commit(writes, making: run, &budget) == nil ? nil : Released(run: run)
      }
      guard let released else { throw StoreError(.unavailable, "Other writers kept changing the run.") }
      ended = released.run
    } catch {
      services.logger.error(
        "A lease could not be released. The run continues when it expires.",
        metadata: ["runId": "\(attempt.run.id)", "error": "\(error)"])
      return false
    }
    guard let ended else { return true }
    if ended.status.isTerminal {
      await RunEnd(services).report(ended)
    } else {
      await NextAttemptEnqueuer(services).enqueueNextAttempt(of: ended, timeout: attempt.timeLimit)
    }
    return true
  }

  /// A run whose lease this instance no longer holds.
  private struct Released {
    /// The run after its attempt was ended here; nil if it had ended already.
    var run: Run?
  }
}

extension ClaimedRun {
  /// Returns the run after its attempt ended without a result; it does not count as failed.
  func interrupted(in services: RuntimeServices, by cause: AttemptLoss) -> Run {
    run.interrupted(
      policy: job.policy, settings: services.settings, at: storeTime(at: services.steadyClock.now()), by: cause)
  }
}
