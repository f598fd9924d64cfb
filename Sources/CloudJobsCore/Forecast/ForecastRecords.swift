/// The records that the runs of a forecast leave behind, by the hour from which they are kept.
struct ForecastRecords {
  /// The records that purges delete.
  struct Expired {
    /// The numbers of records by job, and under nil those of the pass journal; a job may occur several times.
    var counts: [(job: Int?, count: Double)] = []
    /// The number of queries of a purge that find records.
    var finds = 0.0
  }

  /// The ends of runs in each hour, by job and whether they failed.
  private var ends: [[Bool: [Double]]]
  private var logs: [[Double]]
  private var journal: [Double]

  /// Creates records of none.
  ///
  /// - Parameters:
  ///   - jobs: the number of jobs.
  ///   - hours: the number of hours.
  init(jobs: Int, hours: Int) {
    let none = Array(repeating: 0.0, count: hours)
    ends = Array(repeating: [false: none, true: none], count: jobs)
    logs = Array(repeating: none, count: jobs)
    journal = none
  }

  /// Adds records of runs that end in an hour.
  mutating func addEnds(_ count: Double, of job: Int, isLost: Bool, in hour: Int) {
    ends[job][isLost]?[hour] += count
  }

  /// Adds entries of runs' logs.
  mutating func addLog(_ count: Double, of job: Int, in hour: Int) {
    logs[job][hour] += count
  }

  /// Adds an entry of the pass journal.
  mutating func addJournalEntry(in hour: Int) {
    journal[hour] += 1
  }

  /// Returns the records that expire, those of the time before the forecast included.
  ///
  /// - Parameters:
  ///   - tracks: the jobs.
  ///   - deployment: the deployment, with its retentions.
  /// - Returns: the records.
  func expired(_ tracks: [ForecastTrack], in deployment: ForecastDeployment) -> Expired {
    let none = Array(repeating: 0.0, count: journal.count)
    var (runs, entries, old) = (none, none, none)
    var expired = Expired()
    func add(_ records: [Double], _ job: Int?, _ family: inout [Double]) {
      expired.counts.append((job, records.reduce(0, +)))
      for hour in family.indices { family[hour] += records[hour] }
    }
    for (index, track) in tracks.enumerated() {
      let retention = track.job.policy.retention
      for (isLost, kept) in [(false, retention.succeeded), (true, retention.failed)] {
        add(Self.expiring(ends[index][isLost] ?? [], after: kept, deployment.age), index, &runs)
      }
      add(Self.expiring(logs[index], after: deployment.logRetention, deployment.age), index, &entries)
    }
    add(Self.expiring(journal, after: deployment.journalRetention, deployment.age), nil, &old)
    expired.finds = [runs, entries, old].reduce(0.0) { $0 + $1.reduce(0.0) { $0 + min(1, $1) } }
    return expired
  }

  /// Returns the records that are purged in each hour.
  ///
  /// - Parameters:
  ///   - made: the records that begin to be kept in each hour of the forecast; before it, as many did on average.
  ///   - retention: the time for which they are kept.
  ///   - age: the time for which there were records before the forecast; nil for longer than any retention.
  /// - Returns: the number of records by hour.
  private static func expiring(_ made: [Double], after retention: Duration, _ age: Duration?) -> [Double] {
    let kept = Int(min(retention.microseconds / 3_600_000_000, 1_000_000))
    let age = age.map { Int(min($0.microseconds / 3_600_000_000, 1_000_000)) } ?? .max
    let rate = made.reduce(0, +) / Double(max(1, made.count))
    return made.indices.map { hour in
      // The purge of an hour finds what expired in the one before it.
      let source = hour - kept - 1
      return source >= 0 ? made[source] : (-source <= age ? rate : 0)
    }
  }
}
