import CloudJobsCore

/// Reports the end of a run that no attempt concluded, and delivers the runs that wait for it.
struct RunEnd: Sendable {
  private let services: RuntimeServices

  init(_ services: RuntimeServices) {
    self.services = services
  }

  /// Emits the events of a run's end, and delivers its dependents.
  ///
  /// - Parameter run: the run, as committed: failed, or cancelled.
  func report(_ run: Run) async {
    services.emitEnd(run.status == .failed ? .failed : .skipped, run)
    await DependentRuns(services).deliver(after: run)
  }
}
