/// The times of jobs' schedules in a span, as their calendars let them run: pure.
///
/// Gates that depend on what happens, such as a dependency, are taken to be open.
package struct PlannedRuns: Sendable {
  /// The times of a job.
  package struct Times: Sendable {
    /// The job.
    package var job: JobID
    /// The times, earliest first.
    package var times: [Timestamp]
  }

  /// The jobs that are due in the span, in the order of their ids.
  package private(set) var jobs: [Times] = []
  /// The jobs that are due too often for the limit, and are left out.
  package private(set) var omitted: [JobID] = []
  /// The beginning of the span.
  package let start: Timestamp
  /// The time before which the span ends.
  package let end: Timestamp

  /// Walks through the schedules of active jobs.
  ///
  /// - Parameters:
  ///   - all: the jobs.
  ///   - start: the earliest time.
  ///   - end: the time before which the times are.
  ///   - limit: the maximum number of times of all jobs; a job may take a quarter of it, and at least its share.
  package init(of all: [ResolvedJob], from start: Timestamp, before end: Timestamp, limit: Int) {
    (self.start, self.end) = (start, end)
    let scheduled = all.filter { $0.policy.isActive && $0.kind != .endpoint && $0.schedule != nil }.sorted {
      $0.id < $1.id
    }
    let own = max(limit / 4, limit / max(1, scheduled.count))
    var left = limit
    for job in scheduled {
      guard let times = Self.times(of: job, from: start, before: end, limit: min(own, left)) else {
        omitted.append(job.id)
        continue
      }
      left -= times.count
      if !times.isEmpty { jobs.append(Times(job: job.id, times: times)) }
    }
  }

  /// Returns the times of a job; nil if there are more than a limit.
  private static func times(
    of job: ResolvedJob, from start: Timestamp, before end: Timestamp, limit: Int
  ) -> [Timestamp]? {
    guard let schedule = job.schedule else { return [] }
    let last = job.policy.endAt?.day(in: job.zone)
    let skipped = Set(job.policy.skipDates.map { $0.day(in: job.zone) })
    var times: [Timestamp] = []
    var next = firstRun(of: job, schedule, after: start - .microseconds(1))
    while let time = next, time < end {
      if last != nil || !skipped.isEmpty {
        let day = job.zone.date(at: time)
        if let last, day > last { break }
        if !skipped.contains(day) { times.append(time) }
      } else {
        times.append(time)
      }
      if times.count > limit { return nil }
      next = schedule.next(after: time)
    }
    return times
  }

  /// The number of runs.
  package var count: Int { jobs.reduce(0) { $0 + $1.times.count } }

  /// The number of runs of each hour from the beginning of the span on.
  package var hours: [Double] {
    let hour: Int64 = 3_600_000_000
    let length = max(0, end.microseconds - start.microseconds)
    var counts = Array(repeating: 0.0, count: Int((length + hour - 1) / hour))
    for job in jobs {
      for time in job.times { counts[Int((time.microseconds - start.microseconds) / hour)] += 1 }
    }
    return counts
  }
}
