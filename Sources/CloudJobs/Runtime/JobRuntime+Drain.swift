import CloudJobsCore
import Logging

extension JobRuntime {
  /// Stops taking work, waits for what is under way, and gives back the leases of what does not end in time.
  ///
  /// Afterwards the process may exit: what was given back runs elsewhere at once, and a result that comes late is
  /// refused by the fence.
  ///
  /// - Parameter limit: how long to wait for attempts under way.
  /// - Returns: how many leases were given back.
  @discardableResult
  public func drain(within limit: Duration = .seconds(7)) async -> Int {
    active.startDraining()
    wakeUp.call()
    let end = clock.now() + limit
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.active.idle() }
      group.addTask { try? await self.clock.sleep(until: end) }
      await group.next()
      active.releaseWaiters()
      group.cancelAll()
    }
    var released = 0
    for attempt in active.attempts where await release(attempt) { released += 1 }
    events.finish()
    return released
  }

  /// Gives back a lease: the attempt does not count as failed, and its fencing token is worth nothing from here on.
  private func release(_ attempt: ActiveRuns.Attempt) async -> Bool {
    let time = attempt.claimed.time + (clock.now() - attempt.claimed.local)
    let run = attempt.run.orphaned(policy: attempt.job.policy, settings: settings, at: time)
    do throws(StoreError) {
      guard try await commit([.putRun(run, .fence(attempt.run.fence))], making: run) != nil else { return false }
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
