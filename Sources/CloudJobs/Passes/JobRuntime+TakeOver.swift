import CloudJobsCore
import Logging

extension JobRuntime {
  /// Sets going again at once what a process that has died left behind: gives back its leases, and hands every waiting
  /// run to the queue once more.
  ///
  /// Without it nothing is lost either: leases run out, and the sweep finds what waits. It is for a program that knows
  /// that no other instance is alive, such as one that holds an exclusive lock on its embedded store.
  ///
  /// Runs whose documents can't be read are left alone, and their number is logged as an error.
  ///
  /// - Returns: how many runs were set going.
  /// - Throws: ``StoreError`` `unavailable`.
  @discardableResult
  public func takeOver() async throws(StoreError) -> Int {
    var count = 0
    var unreadable = [RunID]()
    var cursor: StoreCursor?
    let filter = RunFilter(statuses: [.running, .scheduled, .pending])
    repeat {
      let page = try await access.attempt { () async throws(StoreError) in
        try await store.runs(matching: filter, after: cursor, limit: StoreLimits.batch)
      }
      cursor = page.next
      unreadable += page.records.filter { $0.isUnreadable }.map(\.id)
      let orphans = page.records.compactMap { record -> (run: Run, version: Version)? in
        guard let run = try? record.run.get(), let policy = registry.jobs[run.job]?.definition.policy else {
          return nil
        }
        return (run.orphaned(policy: policy, settings: settings, at: page.time), record.version)
      }
      if orphans.isEmpty { continue }
      _ = try await access.commit(orphans.map { .putRun($0.run, .version($0.version)) })
      for orphan in orphans where queue.retryOwner == .runtime && !orphan.run.status.isTerminal {
        guard let policy = registry.jobs[orphan.run.job]?.definition.policy else { continue }
        _ = await handOn(orphan.run, policy)
      }
      count += orphans.count
    } while cursor != nil
    if let first = unreadable.first {
      options.logger.error(
        "Stored runs that wait can't be read; they were left alone. Mend or delete their documents.",
        metadata: ["runs": "\(unreadable.count)", "first": "\(first)"])
    }
    return count
  }
}
