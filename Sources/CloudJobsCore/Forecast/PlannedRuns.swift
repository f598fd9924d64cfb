/// The times of jobs' schedules in a span, as their calendars let them run: pure.
///
/// Gates that depend on what happens, such as a dependency, are taken to be open. A job that is due very often is
/// counted; the times of all others are listed.
package struct PlannedRuns: Sendable {
  /// The times of a job.
  package struct Times: Sendable {
    /// The job.
    package var job: JobID
    /// The times, earliest first.
    package var times: [Timestamp]
  }

  /// The jobs that are due in the span and whose times are listed, in the order of their ids.
  package private(set) var jobs: [Times] = []
  /// The jobs that are due too often to list their times, in the order of their ids.
  package private(set) var dense: [JobTimetable] = []
  /// The beginning of the span.
  package let start: Timestamp
  /// The time before which the span ends.
  package let end: Timestamp
  /// The number of runs.
  package private(set) var count = 0

  /// Walks through the schedules of active jobs.
  ///
  /// - Parameters:
  ///   - all: the jobs.
  ///   - start: the earliest time.
  ///   - end: the time before which the times are.
  ///   - limit: the maximum number of times of all jobs that are listed; those of the rarest jobs come first.
  ///   - dailyLimit: the maximum number of times of a job that are listed, a day.
  package init(
    of all: [ResolvedJob], from start: Timestamp, before end: Timestamp, limit: Int, dailyLimit: Int = .max
  ) {
    (self.start, self.end) = (start, end)
    let days = Int((max(0, end.microseconds - start.microseconds) - 1) / 86_400_000_000) + 1
    let most = dailyLimit.multipliedReportingOverflow(by: days)
    var left = limit
    let found = all.compactMap { JobTimetable(of: $0) }.compactMap { due in
      due.tally(from: start, before: end).map { (due: due, count: $0.count) }
    }
    for (due, number) in found.sorted(by: { ($0.count, $0.due.job.id) < ($1.count, $1.due.job.id) }) {
      count += number
      if number <= left, most.overflow || number <= most.partialValue {
        left -= number
        jobs.append(Times(job: due.job.id, times: due.times(from: start, before: end)))
      } else {
        dense.append(due)
      }
    }
    jobs.sort { $0.job < $1.job }
    dense.sort { $0.job.id < $1.job.id }
  }

  /// The number of runs of each hour from the beginning of the span on.
  package var hours: [Double] {
    let hour: Int64 = 3_600_000_000
    let length = max(0, end.microseconds - start.microseconds)
    var counts = Array(repeating: 0.0, count: Int((length + hour - 1) / hour))
    for job in jobs {
      for time in job.times { counts[Int((time.microseconds - start.microseconds) / hour)] += 1 }
    }
    for due in dense {
      for number in counts.indices {
        let first = start + .hours(number)
        counts[number] += Double(due.count(from: first, before: min(first + .hours(1), end)))
      }
    }
    return counts
  }
}

/// The due times of an active job, as its schedule and its calendar have them: pure.
package struct JobTimetable: Sendable {
  /// The times of a span in numbers.
  package struct Tally: Hashable, Sendable {
    /// The number of times, at least 1.
    package var count: Int
    /// The first one.
    package var first: Timestamp
    /// The last one.
    package var last: Timestamp

    /// Creates the numbers of at least one time.
    package init(count: Int, first: Timestamp, last: Timestamp) {
      (self.count, self.first, self.last) = (count, first, last)
    }
  }

  /// The job.
  package let job: ResolvedJob
  /// The schedule.
  package let schedule: Schedule
  private let begin: Timestamp
  private let lastDay: CivilDate?
  private let skipped: Set<CivilDate>

  /// Creates the times of a job; nil for one that has no schedule or is not active.
  package init?(of job: ResolvedJob) {
    guard job.policy.isActive, job.kind != .endpoint, let schedule = job.schedule else { return nil }
    (self.job, self.schedule) = (job, schedule)
    begin =
      switch job.policy.startAt {
      case .instant(let time): time
      case .day(let day): job.zone.startOfDay(day)
      case nil: .distantPast
      }
    lastDay = job.policy.endAt?.day(in: job.zone)
    skipped = Set(job.policy.skipDates.map { $0.day(in: job.zone) })
  }

  /// Counts the times of a span, by arithmetic.
  ///
  /// - Parameters:
  ///   - start: the earliest time.
  ///   - end: the time before which the times are.
  /// - Returns: the number; zero if there are none.
  package func count(from start: Timestamp, before end: Timestamp) -> Int {
    parts(from: start, before: end).reduce(0) { $0 + schedule.count(from: $1.start, before: $1.end) }
  }

  /// Returns the number of times of a span, the first and the last one.
  ///
  /// - Parameters:
  ///   - start: the earliest time.
  ///   - end: the time before which the times are.
  /// - Returns: the numbers; nil if there are no times.
  package func tally(from start: Timestamp, before end: Timestamp) -> Tally? {
    var tally: Tally?
    for part in parts(from: start, before: end) {
      let count = schedule.count(from: part.start, before: part.end)
      guard count > 0, let first = schedule.next(after: part.start - .microseconds(1)),
        let last = schedule.previous(before: part.end)
      else { continue }
      tally = Tally(count: (tally?.count ?? 0) + count, first: tally?.first ?? first, last: last)
    }
    return tally
  }

  /// Returns the times of a span, earliest first.
  package func times(from start: Timestamp, before end: Timestamp) -> [Timestamp] {
    var times: [Timestamp] = []
    for part in parts(from: start, before: end) {
      var next = schedule.next(after: part.start - .microseconds(1))
      while let time = next, time < part.end {
        times.append(time)
        next = schedule.next(after: time)
      }
    }
    return times
  }

  /// Returns the parts of a span in which the calendar lets the job run.
  private func parts(from start: Timestamp, before end: Timestamp) -> [(start: Timestamp, end: Timestamp)] {
    var start = max(start, begin)
    guard start < end else { return [] }
    if lastDay == nil, skipped.isEmpty { return [(start, end)] }
    var parts: [(start: Timestamp, end: Timestamp)] = []
    var day = job.zone.date(at: start)
    while start < end, lastDay.map({ day <= $0 }) ?? true {
      let next = CivilDate(daysSinceEpoch: day.daysSinceEpoch + 1)
      let midnight = min(end, job.zone.startOfDay(next))
      if !skipped.contains(day), start < midnight { parts.append((start, midnight)) }
      (start, day) = (midnight, next)
    }
    return parts
  }
}
