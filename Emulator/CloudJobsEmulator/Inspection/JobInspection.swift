package import CloudJobsCore

extension CloudScheduler {
  /// A job with the reason why it waits and its next times.
  package struct JobReport: Sendable {
    /// The next time of a schedule.
    package struct Next: Hashable, Sendable {
      /// The time.
      package var time: Timestamp
      /// A remark about a change of the clocks at this time; nil for none.
      package var note: String?
    }

    /// The job.
    package var job: Job
    /// The reason.
    package var reason: WaitReason
    /// The schedule in words.
    package var scheduleSummary: String
    /// The time zone of the schedule; nil for one without.
    package var zone: Zone?
    /// The next times of the schedule, as if it were not paused.
    package var next: [Next]
    /// The scheduled time of the execution in progress; nil for none.
    package var executionTime: Timestamp?
    /// The number of attempts of the execution in progress.
    package var attempts: Int
  }
}

extension CloudSchedulerService {
  /// The number of jobs.
  package var jobCount: Int { jobs.count }

  /// Returns the jobs that follow a name, sorted by name, without their next times.
  ///
  /// - Parameters:
  ///   - name: the full name of a job; empty for the first ones.
  ///   - limit: the maximum number.
  /// - Returns: the jobs.
  package func jobReports(after name: String, limit: Int) -> [CloudScheduler.JobReport] {
    names.elements(after: try? CloudScheduler.JobName(name), limit: limit).compactMap { name in
      jobs[name].map { report($0, nextCount: 0, at: .epoch) }
    }
  }

  /// Returns a job with its next times; nil if there is none of the name.
  package func jobReport(_ name: CloudScheduler.JobName, nextCount: Int, at now: Timestamp) -> CloudScheduler.JobReport?
  {
    jobs[name].map { report($0, nextCount: nextCount, at: now) }
  }

  /// Returns the jobs whose next attempts are first, paused ones last.
  package func nextJobs(limit: Int) -> [CloudScheduler.JobReport] {
    let order = jobs.map { (time: $0.value.nextWake ?? .distantFuture, name: $0.key) }
      .sorted { ($0.time, $0.name) < ($1.time, $1.name) }
    return order.prefix(limit).compactMap { entry in jobs[entry.name].map { report($0, nextCount: 0, at: .epoch) } }
  }

  /// The time of the next attempt of any job; nil if none follows by time alone.
  var nextAttempt: Timestamp? { wakes.earliest }

  /// The time of the next attempt that was requested or is a retry; nil if there is none.
  var nextUnsettled: Timestamp? {
    [executing.compactMap { jobs[$0]?.nextWake }.min(), firstRequest].compactMap(\.self).min()
  }

  /// The time of the first request to run a job that was not served yet; nil for none.
  private var firstRequest: Timestamp? {
    guard let earliest = wakes.earliest else { return nil }
    return jobs.values.contains { $0.runRequests.first == earliest } ? earliest : nil
  }

  private func report(_ record: ScheduledJobRecord, nextCount: Int, at now: Timestamp) -> CloudScheduler.JobReport {
    var next: [CloudScheduler.JobReport.Next] = []
    var time = now
    while next.count < nextCount, let following = record.schedule.next(after: time) {
      next.append(.init(time: following, note: record.schedule.note(at: following)))
      time = following
    }
    return CloudScheduler.JobReport(
      job: record.shown, reason: record.waitReason, scheduleSummary: record.schedule.summary,
      zone: record.schedule.zone, next: next, executionTime: record.execution?.scheduledFor,
      attempts: record.execution?.attempts ?? 0)
  }
}

extension CloudScheduler.WaitReason {
  /// The time until which it lasts; nil if more than time is needed, or an attempt is in flight.
  package var end: Timestamp? {
    switch self {
    case .scheduled(let time), .backoff(_, let time): time
    case .inFlight, .paused, .neverAgain: nil
    }
  }
}
