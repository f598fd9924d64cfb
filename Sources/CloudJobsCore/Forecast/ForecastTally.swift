/// The operations that a forecast has counted, and what each step of the runtime costs.
///
/// A read is a document that is read by its id, whether or not it exists, or that a query finds; a query that finds
/// nothing is one read, as Firestore bills it (<https://cloud.google.com/firestore/pricing>).
struct ForecastTally {
  /// The shared pieces of work.
  enum Shared: Int, CaseIterable {
    case passes, housekeeping, purge

    func name(in kind: ForecastDeployment.Kind) -> String {
      switch self {
      case .passes: kind == .worker ? "workers" : "master passes"
      case .housekeeping: "housekeeping"
      case .purge: "purge"
      }
    }
  }

  let deployment: ForecastDeployment
  private let start: Timestamp
  /// The beginning of the first hour.
  let firstHour: Timestamp
  private let rounding: Int64
  private let chunkBytes: Double
  private let jobCount: Int
  /// The counts of the jobs, and behind them those of the shared work.
  private(set) var counts: [OperationCounts]
  /// The operations of the store on each day.
  private(set) var days: [OperationCounts]
  /// The runs of each hour, by the times that they are for.
  private(set) var hours: [Double]
  private var records: ForecastRecords
  private var pollsLeft: [Double]
  private var purges = 0.0
  private let end: Timestamp

  init(_ input: ForecastInput) {
    deployment = input.deployment
    (start, end) = (input.start, input.start + input.span)
    firstHour = Timestamp(seconds: start.seconds.flooringDivision(by: 3_600).quotient * 3_600)
    rounding = Int64(input.prices.run.roundingMilliseconds * 1_000)
    chunkBytes = input.prices.tasks.chunkBytes
    jobCount = input.jobs.count
    let hourCount = Self.count(of: .hours(1), in: end - firstHour)
    let dayCount = (hourCount + 23) / 24
    counts = Array(repeating: OperationCounts(), count: jobCount + Shared.allCases.count)
    days = Array(repeating: OperationCounts(), count: dayCount)
    hours = Array(repeating: 0, count: hourCount)
    records = ForecastRecords(jobs: jobCount, hours: hourCount)
    pollsLeft = Array(repeating: 0, count: jobCount)
  }

  private static func count(of unit: Duration, in span: Duration) -> Int {
    Int((span.microseconds + unit.microseconds - 1) / unit.microseconds)
  }

  private func hour(of time: Timestamp) -> Int {
    Int(min(max(0, (time - firstHour).microseconds / 3_600_000_000), Int64(hours.count - 1)))
  }

  // MARK: Counting

  /// Charges operations of the store.
  mutating func charge(
    _ line: Int, at time: Timestamp, reads: Int = 0, writes: Int = 0
  ) {
    let day = min(hour(of: time) / 24, days.count - 1)
    counts[line].storeReads += Double(reads)
    counts[line].storeWrites += Double(writes)
    days[day].storeReads += Double(reads)
    days[day].storeWrites += Double(writes)
  }

  /// Charges operations of the store that are spread evenly over the time.
  mutating func charge(evenly line: Int, reads: Double = 0, writes: Double = 0, deletes: Double = 0) {
    counts[line].storeReads += reads
    counts[line].storeWrites += writes
    counts[line].storeDeletes += deletes
    let part = 1 / Double(days.count)
    for day in days.indices {
      days[day].storeReads += reads * part
      days[day].storeWrites += writes * part
      days[day].storeDeletes += deletes * part
    }
  }

  func line(_ shared: Shared) -> Int { jobCount + shared.rawValue }

  /// Counts a run of a schedule.
  mutating func count(run index: Int, at time: Timestamp) {
    counts[index].runs += 1
    hours[hour(of: time)] += 1
  }

  /// Notes the end of a run, whose record expires later.
  mutating func noteEnd(_ index: Int, isLost: Bool, at time: Timestamp) {
    records.addEnds(1, of: index, isLost: isLost, in: hour(of: time))
  }

  /// Charges the time of a request that executes an attempt for a span, or none.
  mutating func charge(requestOf index: Int, span: Duration) {
    charge(microseconds: rounded(span + deployment.requestOverhead), to: index)
  }

  private func rounded(_ span: Duration) -> Int64 {
    let step = max(1, rounding)
    return (span.microseconds + step - 1) / step * step
  }

  private mutating func charge(microseconds: Int64, to line: Int) {
    charge(seconds: Double(microseconds) / 1_000_000, to: line)
  }

  private mutating func charge(seconds: Double, to line: Int) {
    counts[line].vCPUSeconds += seconds * deployment.vCPUs
    counts[line].gibSeconds += seconds * deployment.memoryGiB
  }

  /// Returns the number of chunks of a job's task, which has no payload: that stays in the store.
  private func chunks(_ job: JobID) -> Double {
    let delivery = Delivery(
      job: job, trigger: .task, runID: RunID(job: job, occurrence: .key("forecast")), attempt: 1)
    return (Double(Envelope.native(for: delivery).bytes.count) / chunkBytes).rounded(.up)
  }

  /// Charges the call that enqueues a task.
  mutating func charge(task index: Int, _ job: JobID) {
    counts[index].taskOperations += chunks(job)
  }
}

// MARK: - The costs of steps

extension ForecastTally {
  /// Charges the readings of a pass that begins: one query, the latest runs of its jobs and their dependencies.
  mutating func charge(pass jobs: [Int], _ tracks: [ForecastTrack], waking: [Int], at time: Timestamp) {
    let own = line(.passes)
    if deployment.kind != .worker { counts[own].requests += 1 }
    // A page has one record more than its jobs if another one follows.
    let pages = (jobs.count + Self.pageSize - 1) / Self.pageSize
    if deployment.kind != .worker { charge(own, at: time, reads: jobs.isEmpty ? 1 : pages - 1) }
    if deployment.kind == .masterPass, waking.isEmpty { charge(own, at: time, reads: 1) }
    var dependencies = Set<JobID>()
    for index in jobs {
      let track = tracks[index]
      let new = track.job.policy.dependencies.count { dependencies.insert($0).inserted }
      charge(index, at: time, reads: 1 + new + (track.latest == nil ? 0 : 1))
    }
    for index in waking { charge(index, at: time, reads: 1) }
  }

  /// The number of jobs that a pass reads at a time.
  private static let pageSize = 100

  /// Charges the end of a pass: its journal, its housekeeping, and its time.
  ///
  /// - Parameters:
  ///   - start: the time of the pass.
  ///   - time: its end.
  ///   - isJournaled: whether it left a time to a later pass, which no commit tells.
  ///   - shares: the attempts that it executed, by which its time is divided.
  ///   - jobs: the number of documents.
  mutating func charge(
    endOfPass start: Timestamp, at time: Timestamp, isJournaled: Bool, shares: [(job: Int, span: Duration)],
    jobs: Int
  ) {
    let own = line(.passes)
    if isJournaled {
      charge(own, at: time, writes: 1)
      records.addJournalEntry(in: hour(of: time))
    }
    if deployment.kind == .worker { return }
    if Self.isFirst(of: deployment.housekeeping, start) {
      // The sweep of a queue's runs; where the store is the queue, each pass sweeps.
      let sweeps = deployment.kind == .cloudTasks ? 1 : 0
      charge(line(.housekeeping), at: time, reads: sweeps + jobs)
      if Self.isFirst(of: .hours(1), start) { purge(at: time) }
    }
    let busy = rounded(time - start + deployment.requestOverhead)
    let total = shares.reduce(0.0) { $0 + Double($1.span.microseconds) }
    let attempts = Double((time - start).microseconds)
    charge(seconds: (Double(busy) - attempts) / 1_000_000, to: own)
    for share in shares where total > 0 {
      charge(seconds: attempts * Double(share.span.microseconds) / total / 1_000_000, to: share.job)
    }
    if total == 0 { charge(seconds: attempts / 1_000_000, to: own) }
  }

  /// Whether a time lies in the first minute of an interval, in which a pass does its housekeeping.
  private static func isFirst(of interval: Duration, _ time: Timestamp) -> Bool {
    let (interval, minute) = (interval.microseconds, Int64(60_000_000))
    return interval <= minute || time.microseconds.flooringDivision(by: interval).remainder < minute
  }

  /// Charges a purge that finds nothing: expired runs, effects, logs, ledgers, and old entries of the journal.
  private mutating func purge(at time: Timestamp) {
    charge(line(.purge), at: time, reads: 5)
    purges += 1
  }

  /// Charges the snapshot that a delivery is planned by.
  ///
  /// - Parameters:
  ///   - index: the job.
  ///   - track: the job's state.
  ///   - isTask: whether Cloud Tasks makes the delivery.
  ///   - readsPrevious: whether the run is not the job's latest one, which is read too.
  ///   - time: the time.
  mutating func charge(
    delivery index: Int, _ track: ForecastTrack, isTask: Bool, readsPrevious: Bool, at time: Timestamp
  ) {
    if isTask { counts[index].taskOperations += chunks(track.job.id) }
    if deployment.kind == .cloudTasks { counts[index].requests += 1 }
    charge(index, at: time, reads: Self.snapshotReads(track, readsPrevious: readsPrevious))
  }

  /// Returns the reads of a snapshot: the job, the run, the dependencies, the ledgers of limits, and the latest run.
  private static func snapshotReads(_ track: ForecastTrack, readsPrevious: Bool) -> Int {
    2 + track.job.policy.dependencies.count + track.limits.count
      + (readsPrevious && track.job.overlap != .allow ? 1 : 0)
  }

  /// Charges a scheduled time that is skipped, with the entry of the pass journal that tells it.
  mutating func charge(skipped index: Int, writes: Int, at time: Timestamp) {
    counts[index].skips += 1
    charge(index, at: time, writes: writes)
    charge(entryOf: index, at: time)
  }

  /// Charges an entry of the pass journal, in the commit that it tells.
  mutating func charge(entryOf index: Int, at time: Timestamp) {
    charge(index, at: time, writes: 1)
    records.addJournalEntry(in: hour(of: time))
  }

  /// Charges the commit of a claim: the run, the state of its job, and the limits' ledgers.
  mutating func charge(
    claim index: Int, _ track: ForecastTrack, _ attempt: ForecastWalk.Attempt, at time: Timestamp
  ) {
    counts[index].attempts += 1
    charge(index, at: time, writes: Self.claimWrites(track, isFirst: attempt.number == 1))
    pollsLeft[index] += pollsPerAttempt(track)
    let polls = Int(pollsLeft[index] + 1e-9)
    pollsLeft[index] -= Double(polls)
    // A poll writes the lines that the handler has logged meanwhile, with the run, and reads nothing.
    let written = min(polls, Int(max(0, track.profile.logEntriesPerAttempt - 1)))
    charge(index, at: time, reads: polls - written, writes: written)
  }

  private static func claimWrites(_ track: ForecastTrack, isFirst: Bool) -> Int {
    let changesState = track.job.overlap != .allow || (isFirst && track.job.kind != .endpoint)
    return 1 + (changesState ? 1 : 0) + track.limits.count
  }

  private func pollsPerAttempt(_ track: ForecastTrack) -> Double {
    track.profile.pollsPerAttempt
      ?? Double(RunProfile.polls(during: track.attemptSpan, every: deployment.cancellationPoll))
  }

  /// Charges the commit of an attempt's end: the run, the state of its job, the ledgers, and the run's log.
  mutating func charge(finish index: Int, _ track: ForecastTrack, at time: Timestamp) {
    charge(index, at: time, reads: Self.breakerReads(track), writes: 2 + track.concurrencyLimits.count)
    let entries = track.profile.logEntriesPerAttempt
    if entries > 0 {
      counts[index].storeWrites += entries
      days[min(hour(of: time) / 24, days.count - 1)].storeWrites += entries
      records.addLog(entries, of: index, in: hour(of: time))
    }
  }

  /// A breaker counts failures of any number of attempts, so that the job's state is read for each end.
  private static func breakerReads(_ track: ForecastTrack) -> Int {
    track.job.policy.breaker.map { $0.threshold > 0 ? 1 : 0 } ?? 0
  }

  /// Charges the commit of a run that waits for a permit, or for the run before it.
  ///
  /// - Parameters:
  ///   - index: the job.
  ///   - track: the job's state.
  ///   - isLimit: whether it waits for a permit, by the ledger of a limit.
  ///   - isNew: whether a pass creates it; the ledgers are read again if the store has refused its claim.
  ///   - time: the time.
  mutating func charge(waiting index: Int, _ track: ForecastTrack, isLimit: Bool, isNew: Bool, at time: Timestamp) {
    let changesState = isNew || (isLimit && track.job.overlap == .skip)
    charge(
      index, at: time, reads: isNew && isLimit ? track.limits.count : 0,
      writes: 1 + (changesState ? 1 : 0) + (isLimit ? 1 : 0))
  }

  /// Charges the waking of a run that waits for a permit: the ledger and the first runs are read, the run and the
  /// ledger written.
  mutating func charge(wake index: Int, at time: Timestamp, waiting: Int) {
    charge(index, at: time, reads: 1 + min(2, waiting), writes: 2)
  }

  /// Charges the time of an attempt that has no request of its own.
  mutating func charge(busy index: Int, span: Duration) {
    if deployment.kind == .masterPass { charge(microseconds: span.microseconds, to: index) }
  }
}

// MARK: - What is spread evenly

extension ForecastTally {
  /// Charges the runs of a job that are enqueued at a steady rate.
  ///
  /// - Parameters:
  ///   - index: the job.
  ///   - track: its profile.
  mutating func charge(enqueued index: Int, _ track: ForecastTrack) {
    let days = Double((end - start).microseconds) / 86_400_000_000
    let runs = track.enqueuedPerDay * days
    guard runs > 0 else { return }
    let (profile, policy) = (track.profile, track.job.policy)
    let isQueue = deployment.kind == .cloudTasks
    let chunks = chunks(track.job.id)
    for hour in hours.indices { hours[hour] += runs / Double(hours.count) }
    counts[index].runs += runs
    // The job's document is read for each call, the run is recorded, and its task enqueued.
    charge(evenly: index, reads: runs, writes: runs)
    let executed = policy.enabled ? runs : 0
    let retries = executed * min(profile.retriesPerRun, Double(max(0, policy.retry.maxAttempts - 1)))
    let attempts = executed + retries
    counts[index].attempts += attempts
    // A run of a disabled job is delivered once, and cancelled.
    let deliveries = max(runs, attempts)
    if isQueue {
      counts[index].taskOperations += (runs + retries + deliveries) * chunks
      counts[index].requests += deliveries
    }
    let lost = profile.failedShare
    let overlapping = track.job.overlap != .allow
    let reads =
      Double(Self.snapshotReads(track, readsPrevious: true)) * deliveries - (overlapping ? retries : 0)
      + (isQueue ? 0 : deliveries) + attempts * (pollsPerAttempt(track) + Double(Self.breakerReads(track)))
    // The state of an endpoint changes with its status, and with a breaker's count of failures.
    let changes = policy.breaker == nil ? 2 * lost * (1 - lost) : lost + lost * (1 - lost)
    let stateChanges = track.job.kind == .endpoint ? changes * executed : attempts
    let writes =
      executed * Double(Self.claimWrites(track, isFirst: true))
      + retries * Double(Self.claimWrites(track, isFirst: false)) + attempts
      * (1 + Double(track.concurrencyLimits.count) + profile.logEntriesPerAttempt) + stateChanges + (runs - executed)
    charge(evenly: index, reads: reads, writes: writes)
    if deployment.kind == .masterPass {
      // The sweep of a pass that finds runs has no read for finding nothing.
      let passes = Double((end - start).microseconds) / Double(max(1, deployment.passInterval.microseconds))
      charge(evenly: line(.passes), reads: -min(deliveries, passes))
    }
    let span = Double(rounded(track.attemptSpan + (isQueue ? deployment.requestOverhead : .zero))) / 1_000_000
    if deployment.kind != .worker { charge(seconds: attempts * span, to: index) }
    for hour in hours.indices {
      let part = executed / Double(hours.count)
      records.addEnds(part * (1 - lost), of: index, isLost: false, in: hour)
      records.addEnds(part * lost, of: index, isLost: true, in: hour)
      records.addLog(attempts * profile.logEntriesPerAttempt / Double(hours.count), of: index, in: hour)
    }
  }

  /// Charges what does not depend on runs: jobs in Cloud Scheduler, workers, starts of instances.
  mutating func chargeBase(_ tracks: [ForecastTrack]) {
    let span = end - start
    let seconds = Double(span.microseconds) / 1_000_000
    let starts = deployment.instanceStartsPerDay * seconds / 86_400
    charge(evenly: line(.housekeeping), reads: starts * Double(tracks.count))
    if deployment.kind != .worker {
      counts[line(.passes)].schedulerJobs += 1
      for (index, track) in tracks.enumerated() where track.isInScheduler { counts[index].schedulerJobs += 1 }
      return
    }
    let workers = deployment.workers
    func times(_ interval: Duration) -> Double {
      Double(max(0, workers.count)) * Double(span.microseconds) / Double(max(1, interval.microseconds))
    }
    charge(
      evenly: line(.passes), reads: times(workers.pollInterval) * Double(workers.queriesPerPoll),
      writes: workers.heartbeat.map(times) ?? 0)
    charge(evenly: line(.housekeeping), reads: times(workers.reconcileInterval) * Double(tracks.count))
    purges = times(deployment.housekeeping)
    charge(evenly: line(.purge), reads: 5 * purges)
    charge(seconds: seconds * Double(max(0, workers.count)), to: line(.passes))
  }

  /// Charges the deletes of records that expire, those of the time before included.
  mutating func chargePurges(_ tracks: [ForecastTrack]) {
    let expired = records.expired(tracks, in: deployment)
    for (job, count) in expired.counts { charge(evenly: job ?? line(.purge), reads: count, deletes: count) }
    // A purge that finds records has these reads instead of one for nothing.
    charge(evenly: line(.purge), reads: -min(expired.finds, 3 * purges))
  }
}
