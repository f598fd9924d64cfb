import CloudJobsCore
import Logging

/// Delivers the runs that waited for another one to end.
struct DependentRuns: Sendable {
  private let services: RuntimeServices

  init(_ services: RuntimeServices) {
    self.services = services
  }

  /// Delivers the dependents of a run that has ended.
  ///
  /// It needs no guarantee: a dependent that is not delivered now checks its prerequisites after
  /// ``Run/prerequisiteRecheck``.
  ///
  /// - Parameter run: the run as it was committed.
  func deliver(after run: Run) async {
    guard run.status.isTerminal, !run.dependents.isEmpty else { return }
    do throws(StoreError) {
      for start in stride(from: 0, to: run.dependents.count, by: StoreLimits.batch) {
        try await deliver(Array(run.dependents.dropFirst(start).prefix(StoreLimits.batch)), after: run.id)
      }
    } catch {
      services.logger.warning(
        "Runs that waited for another one could not be delivered. They are looked at again within an hour.",
        metadata: ["runId": "\(run.id)", "error": "\(error)"])
    }
  }

  private func deliver(_ dependents: [RunID], after ended: RunID) async throws(StoreError) {
    let reading = try await services.client.read(runs: dependents)
    for id in dependents {
      guard let record = reading.runs[id], let run = try? record.run.get(),
        let released = run.released(by: ended, services.settings, at: reading.time)
      else { continue }
      var budget = services.client.budget()
      let write = Write.putRun(released, .version(record.version))
      guard try await RunCommitter(services).commit([write], making: released, &budget) != nil else { continue }
      let timeout = services.registry.jobs[run.job]?.definition.policy.timeout ?? .minutes(5)
      await NextAttemptEnqueuer(services).enqueueNextAttempt(of: released, timeout: timeout)
    }
  }
}
