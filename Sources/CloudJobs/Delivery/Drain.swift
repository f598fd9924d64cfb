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
    return await withTaskGroup(of: Bool.self) { group in
      for attempt in active.attempts { group.addTask { await release(attempt) } }
      return await group.reduce(true) { $0 && $1 }
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

  /// Releases a lease: the attempt does not count as failed, and its fencing token becomes invalid.
  ///
  /// - Returns: false if the store could not be reached, so that the lease has to expire.
  private func release(_ attempt: ClaimedRun) async -> Bool {
    let policy = attempt.job.policy
    let run = attempt.run.interrupted(
      policy: policy, settings: services.settings, at: attempt.storeTime(at: services.clock.now()),
      by: .instanceShutDown)
    var budget = services.client.budget()
    do throws(StoreError) {
      // After a conflict, the attempt has ended or was taken over meanwhile.
      let writes = run.writesGivingPermitsBack(.fence(attempt.run.fence))
      let time = try await RunCommitter(services).commit(writes, making: run, &budget)
      guard time != nil else { return true }
    } catch {
      services.logger.error(
        "A lease could not be released. The run continues when it expires.",
        metadata: ["runId": "\(run.id)", "error": "\(error)"])
      return false
    }
    if !run.status.isTerminal {
      await NextAttemptEnqueuer(services).enqueueNextAttempt(of: run, timeout: policy.timeout)
    }
    return true
  }
}
