package import CloudJobsCore

/// Requests for runs that have been checked, for a store that records them in a transaction of the caller.
package struct RunDrafts: Sendable {
  private let drafts: [RunDraft]
  private let services: RuntimeServices

  fileprivate init(
    _ requests: [EnqueueRequest], by parent: Run?, _ services: RuntimeServices
  ) throws(JobError) {
    guard requests.count <= StoreLimits.batch else {
      throw JobError(.tooLarge, "One transaction enqueues at most \(StoreLimits.batch) runs. Split the requests.")
    }
    if requests.contains(where: { $0.unique != nil }) {
      throw JobError(
        .invalidField, "A unique run can't be enqueued in a transaction of the caller. Use a key.", field: "unique")
    }
    drafts = try RunEnqueuer(services).drafts(of: requests, by: parent)
    self.services = services
  }

  /// The jobs, whose documents set the policies.
  package var jobs: [JobID] { Set(drafts.map(\.definition.id)).sorted() }

  /// The ids of the runs.
  package var runs: [RunID] { Set(drafts.map(\.id)).sorted() }

  /// Returns the runs to record, and the answer to the caller.
  ///
  /// - Parameter reading: the documents of ``jobs`` and the stored ones of ``runs``.
  /// - Returns: the runs that do not exist yet, and all runs in the order of the requests.
  package func recording(_ reading: StoreReading) -> (new: [Run], enqueued: [EnqueuedRun]) {
    var new: [Run] = []
    var known = reading.runs.mapValues { (try? $0.run.get())?.status ?? .pending }
    let enqueued = drafts.map { draft in
      if let status = known[draft.id] { return EnqueuedRun(id: draft.id, isNew: false, status: status) }
      let configuration = try? reading.jobs[draft.definition.id]?.document.get().configuration
      let policy = configuration.map { draft.definition.policy.overridden(by: $0) } ?? draft.definition.policy
      let run = draft.run(policy, settings: services.settings, now: reading.time)
      new.append(run)
      known[run.id] = run.status
      return EnqueuedRun(id: run.id, isNew: true, status: run.status)
    }
    return (new, enqueued)
  }

  /// Wakes the worker of this process, once the runs are committed.
  package func wakeWorker() { services.wakeUp.call() }
}

extension JobRuntime {
  /// Returns checked requests.
  package func drafts(_ requests: [EnqueueRequest]) throws(JobError) -> RunDrafts {
    try RunDrafts(requests, by: nil, services)
  }
}

extension JobContext {
  /// Returns checked requests for children of the run.
  package func drafts(_ requests: [EnqueueRequest]) throws(JobError) -> RunDrafts {
    try RunDrafts(requests, by: record.run, services)
  }
}
