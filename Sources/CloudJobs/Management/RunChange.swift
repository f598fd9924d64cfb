package import CloudJobsCore

/// A change that an operator makes to runs, one or many: the same in the commands and on the dashboard.
package enum RunChange: String, Hashable, Sendable, CaseIterable {
  /// A waiting run never starts, and one under way is asked to stop.
  case cancel
  /// A waiting run starts its next attempt now.
  case retry
  /// A failed or cancelled run is repeated as a new one.
  case redrive
  /// The record of an ended run is deleted.
  case purge

  /// What became of a run.
  package enum Outcome: Hashable, Sendable {
    /// It was changed.
    case done
    /// Its attempt was asked to stop.
    case requested
    /// It is as it was, for a reason that continues the sentence "The run …".
    case unchanged(String)
    /// It could not be changed.
    case failed(String)
  }

  /// The statuses of the runs that a filter without statuses selects.
  package var statuses: Set<RunStatus> {
    switch self {
    case .cancel: [.pending, .scheduled, .running]
    case .retry: [.pending, .scheduled]
    case .redrive: [.failed]
    case .purge: [.succeeded, .failed, .cancelled]
    }
  }

  /// Changes a run.
  ///
  /// - Parameters:
  ///   - run: the run as it was read.
  ///   - runtime: the runtime.
  ///   - reason: the reason of a cancellation.
  /// - Returns: what became of it.
  /// - Throws: ``/CloudJobsCore/JobError`` `storeUnavailable`, after which further runs need not be tried.
  package func apply(
    to run: Run, in runtime: JobRuntime, because reason: String
  ) async throws(JobError) -> Outcome {
    do throws(JobError) {
      switch self {
      case .cancel:
        if run.status.isTerminal {
          return .unchanged("has \(run.status == .cancelled ? "been cancelled" : run.status.rawValue)")
        }
        let changed = try await runtime.cancel(run: run.id, because: reason)
        return changed.status == .cancelled
          ? .done : changed.status == .running ? .requested : .unchanged("is \(changed.status.rawValue)")
      case .retry:
        if run.status == .pending { return .unchanged("is due already") }
        try await runtime.reschedule(run: run.id, to: .distantPast)
        return .done
      case .redrive:
        let new = try await runtime.redrive(runs: [run.id])[0]
        return new.isNew ? .done : .unchanged("was repeated before, as \(new.id)")
      case .purge:
        try await runtime.purge(run: run.id)
        return .done
      }
    } catch {
      guard error.code != .storeUnavailable else { throw error }
      return .failed(error.message)
    }
  }
}
