import CloudJobsCore
import Logging
import Synchronization

/// One run of a worker.
final class WorkerLoop: Sendable {
  private let services: RuntimeServices
  private let options: JobWorker.Options
  private let state: Mutex<WorkerState>
  private let dueJobs: DueJobProcessor
  private let sweeper: RunSweeper
  private let claimer: RunClaimer
  private let processor: DeliveryProcessor
  /// The jobs of which runs were due.
  private let seenJobs = Mutex<Set<JobID>>([])
  private let signal = WakeUp()
  private let contention = Mutex(0)
  private var clock: any JobClock { services.steadyClock }

  /// Creates a worker's loop.
  ///
  /// - Parameters:
  ///   - services: the runtime's services.
  ///   - options: the options.
  ///   - isDrain: whether ``drain(until:_:)`` is called, and not ``run(_:)``.
  init(_ services: RuntimeServices, _ options: JobWorker.Options, isDrain: Bool = false) {
    self.services = services
    self.options = options
    dueJobs = DueJobProcessor(services)
    sweeper = RunSweeper(services)
    claimer = RunClaimer(services)
    processor = DeliveryProcessor(services)
    state = Mutex(WorkerState(limit: options.concurrency, queueOrder: services.options.queueOrder, isDrain: isDrain))
  }

  /// Executes what comes due until the runtime drains or the task is cancelled.
  ///
  /// - Parameter start: starts a piece of work.
  func run(_ start: (@escaping @Sendable () async -> Void) -> Void) async {
    services.health.note { [services] state in
      state.expectations = HealthExpectations(services.settings.retryOwner, services.options, hasWorker: true)
    }
    services.wakeUp.add(signal)
    defer { services.wakeUp.remove(signal) }
    var upkeep = Upkeep(options, services)
    while !isOver {
      if let end = gatheringEnd() {
        await signal.wait(until: end, clock)
        continue
      }
      var wake = clock.now() + options.pollInterval
      do throws(StoreError) {
        await upkeep.perform()
        wake = min(wake, try await poll(start))
        services.health.note { [now = services.clock.now()] state in state.passEnded(at: now) }
      } catch {
        // The calls were retried already; the health report tells of the trouble.
        services.logger.debug("The worker could not poll the store.", metadata: ["error": "\(error)"])
      }
      services.health.log(at: services.clock.now())
      // An idle worker looks at its memory too.
      _ = services.memory.verdict()
      await signal.wait(until: wake, clock)
    }
  }

  /// The number of items in process, and of those that were processed.
  var load: WorkerLoad { state.withLock { WorkerLoad(active: $0.activeCount, processed: $0.progressCount) } }

  /// Whether the worker was stopped.
  private var isOver: Bool { Task.isCancelled || services.active.isDraining }

  /// Returns the time until which room for a backlog is gathered; nil to look for work now.
  private func gatheringEnd() -> Timestamp? {
    let (hasNews, now) = (signal.takeNews(), clock.now())
    return state.withLock { state in
      if hasNews { state.noteNews() }
      return state.gatheringEnd(at: now)
    }
  }

  /// Executes what comes due until nothing is due and no attempt is under way, or until a time.
  ///
  /// - Parameters:
  ///   - end: the time.
  ///   - start: starts a piece of work.
  /// - Returns: whether nothing was due any more.
  /// - Throws: ``StoreError`` `unavailable`.
  func drain(
    until end: Timestamp, _ start: (@escaping @Sendable () async -> Void) -> Void
  ) async throws(StoreError) -> Bool {
    services.wakeUp.add(signal)
    defer { services.wakeUp.remove(signal) }
    while !isOver, clock.now() < end {
      if let gathered = gatheringEnd() {
        await signal.wait(until: min(gathered, end), clock)
        continue
      }
      let (wasIdle, count) = state.withLock { ($0.isIdle, $0.progressCount) }
      let next = try await poll(start)
      if state.withLock({ $0.isIdle }), contentions == 0 {
        // What ended while the store was asked may have made other work due.
        if !wasIdle || progressCount > count { continue }
        return state.withLock { !$0.holdsItems }
      }
      await signal.wait(until: min(next, clock.now() + options.pollInterval, end), clock)
    }
    return false
  }

  /// The number of due jobs and runs that were processed.
  var progressCount: Int { state.withLock { $0.progressCount } }

  /// Starts what is due and fits.
  ///
  /// - Returns: the time of the next poll at the latest.
  private func poll(_ start: (@escaping @Sendable () async -> Void) -> Void) async throws(StoreError) -> Timestamp {
    var local = clock.now()
    if state.withLock({ $0.isBacklogDue(at: local) }) {
      try await startRuns(start)
      return state.withLock { $0.nextLook ?? .distantFuture }
    }
    // What a call has announced need not wait for the due times.
    if options.executesRuns, services.store is any ClaimingStore, state.withLock({ $0.mayClaimFirst(at: local) }) {
      try await startRuns(start)
      local = clock.now()
      if let next = state.withLock({ $0.lookAfterClaim(at: local) }) { return next }
    }
    let times = try await dueTimes()
    state.withLock { $0.note(times, at: local, atMost: options.pollInterval) }
    services.health.note { [now = services.clock.now()] state in state.observe(storeTime: times.time, at: now) }
    await HealthReporter(services).updateOverdue(knowing: times)
    if options.runsSchedules, let earliest = times.earliestJob, earliest <= times.time {
      try await startJobs(start)
      state.withLock { if $0.free == 0 { $0.noteWaitingJobs() } }
    }
    var isContended = false
    if options.executesRuns, let earliest = times.earliestRun, earliest <= times.time {
      isContended = try await startRuns(start) == 0
    } else {
      state.withLock { $0.take(nil, isFull: false) }
    }
    var wake = Timestamp.distantFuture
    // The steady clock measures how far away a time of the store's clock is.
    if let next = times.next { wake = local + (next - times.time) }
    if let retry = state.withLock({ $0.free > 0 ? $0.nextRetry : nil }), retry > local { wake = min(wake, retry) }
    return min(wake, contentionEnd(isContended, at: local) ?? .distantFuture)
  }

  /// Notes whether due runs were not to be seen, because another worker chooses among them at this moment.
  ///
  /// - Returns: the time at which to look again; nil if they were seen.
  private func contentionEnd(_ isContended: Bool, at now: Timestamp) -> Timestamp? {
    contention.withLock { count in
      count = isContended ? min(count + 1, 6) : 0
      return count == 0 ? nil : now + .milliseconds(10 << count)
    }
  }

  /// The number of looks in succession that saw no due run though there were some.
  private var contentions: Int { contention.withLock { $0 } }

  /// Reads the times at which jobs and runs come due; a store without ``DueTimeStore`` is asked for what is due now.
  private func dueTimes() async throws(StoreError) -> DueTimes {
    if let store = services.store as? any DueTimeStore {
      return try await services.client.call { () async throws(StoreError) in
        try await store.dueTimes(within: options.pollInterval)
      }
    }
    let jobs = try await dueJobs.page(after: nil)
    let runs = try await sweeper.page(after: nil, limit: 1)
    return DueTimes(
      time: max(jobs.time, runs.time), earliestJob: jobs.records.compactMap(\.nextRun).min(),
      earliestRun: runs.records.map { (try? $0.run.get())?.wakeAt ?? runs.time }.min(), next: nil)
  }

  private func startJobs(_ start: (@escaping @Sendable () async -> Void) -> Void) async throws(StoreError) {
    var cursor: StoreCursor?
    repeat {
      let page = try await dueJobs.page(after: cursor)
      cursor = page.next
      let now = clock.now()
      let startable = page.records.filter { record in
        state.withLock { $0.isStartable(.job(record.id), at: now) }
      }
      guard !startable.isEmpty else { continue }
      let (jobs, context) = try await dueJobs.load(StorePage(records: startable, next: nil, time: page.time))
      for job in jobs where job.job.map({ serves($0.policy.queue) }) ?? true {
        let item = WorkItem.job(job.record.id)
        guard state.withLock({ $0.start(item, at: now) }) else { continue }
        start { [self] in await process(job, item, context) }
      }
    } while cursor != nil && state.withLock { $0.free > 0 }
  }

  /// Processes a due job.
  ///
  /// The item ends as soon as the job is no longer due, so that its next occurrence starts on time even if an attempt
  /// is still under way.
  private func process(_ job: DueJob, _ item: WorkItem, _ context: DueJobContext) async {
    var isFinished = false
    let result = await dueJobs.process(job, context) {
      isFinished = true
      if state.withLock({ $0.finishAhead(item, at: clock.now()) }) { signal.call(withNews: true) }
    }
    if isFinished {
      if state.withLock({ $0.attemptOfJobEnded() }) { signal.call() }
    } else {
      let isWaiting = result?.isWaiting ?? false
      let isRepeated = state.withLock { $0.isRepeated(item) }
      finish(
        item, hasProgressed: result?.hasProgressed ?? false,
        longestHold: isWaiting ? WorkerState.longestWait : WorkerState.longestHold)
      // A wait is told once.
      if isWaiting, isRepeated { return }
    }
    do throws(StoreError) {
      try await PassJournal(services).append(result?.lines ?? [], time: context.reading.time)
    } catch {
      services.logger.warning(
        "The pass journal could not be written.", metadata: ["jobId": "\(job.record.id)", "error": "\(error)"])
    }
  }

  /// Claims and starts the runs that are due and fit.
  ///
  /// - Returns: the number of due runs that were seen; nil if there was no room to look.
  @discardableResult
  private func startRuns(_ start: (@escaping @Sendable () async -> Void) -> Void) async throws(StoreError) -> Int? {
    var cursor: StoreCursor?
    var isFull = false
    var seen: Int?
    repeat {
      // Each place is admitted before its run is claimed, so that a drain waits for it.
      let free = state.withLock { $0.free }
      let room = admit(free)
      var places = room
      defer { for _ in 0..<places { services.active.leave() } }
      state.withLock { $0.noteAdmission(isLimited: room < free) }
      if room == 0 { break }
      let window = state.withLock { $0.windowSize(room: room) }
      let now = clock.now()
      let jobs = seenJobs.withLock { $0.sorted() }
      let registered = services.registry.jobs
      let batch = try await claimer.claim(after: cursor, window: window, jobs: jobs) { [self] records in
        let known = records.filter { record in
          (try? record.run.get()).map { registered[$0.job] != nil && serves($0.queue) } ?? true
        }
        return state.withLock { state in
          // They stay due, for another worker or service; to hold each of them back would take the place of others.
          if known.count < records.count { state.noteForeignRuns() }
          return state.choice(among: known, upTo: room, at: now)
        }
      }
      cursor = batch.next
      seen = (seen ?? 0) + batch.seenCount
      isFull = batch.choice?.records.count == room
      state.withLock { state in
        state.take(batch.choice, isFull: isFull)
        // Those that are left to others, or held back, are passed over in large steps.
        if batch.choice?.records.isEmpty ?? false { state.noteNews() }
      }
      for claim in batch.claimed where begin(.run(claim.claimed.run.id), at: now) {
        places -= 1
        start { [self] in
          let item = WorkItem.run(claim.claimed.run.id)
          await processor.execute(claim) {
            if state.withLock({ $0.handlerEnded(item) }) { signal.call() }
          }
          end(item, hasProgressed: true)
        }
      }
      for record in batch.others where begin(.run(record.id), at: now) {
        places -= 1
        note(record)
        start { [self] in end(.run(record.id), hasProgressed: await execute(record)) }
      }
    } while cursor != nil && !isFull
    if isFull, state.withLock({ $0.free > 0 }) { signal.call() }
    return seen
  }

  /// Ends an item that was admitted.
  private func end(_ item: WorkItem, hasProgressed: Bool) {
    services.active.leave()
    finish(item, hasProgressed: hasProgressed)
  }

  private func begin(_ item: WorkItem, at now: Timestamp) -> Bool { state.withLock { $0.start(item, at: now) } }

  /// Whether the runs of a queue are executed here.
  private func serves(_ queue: String?) -> Bool {
    options.queues?.contains(queue ?? QueueOrder.defaultQueue) ?? true
  }

  /// Admits attempts.
  ///
  /// - Parameter count: the number of attempts that there is room for.
  /// - Returns: the number of those that the instance admits.
  private func admit(_ count: Int) -> Int {
    var admitted = 0
    while admitted < count, services.admit(limit: services.options.maxConcurrentDeliveries) == .admitted {
      admitted += 1
    }
    return admitted
  }

  /// Notes the job of a due run: the next ones are claimed together.
  private func note(_ record: RunRecord) {
    guard let run = try? record.run.get(), services.registry.jobs[run.job] != nil else { return }
    seenJobs.withLock { jobs in
      if jobs.count < StoreLimits.batch { jobs.insert(run.job) }
    }
  }

  /// Executes the next attempt of a run that has come due.
  ///
  /// - Returns: whether the run has changed in the store, by this instance or by another.
  private func execute(_ record: RunRecord) async -> Bool {
    guard let (run, _) = sweeper.recoveryPlan(for: record, now: services.clock.now()),
      services.registry.jobs[run.job] != nil
    else {
      return false
    }
    let result = await processor.processAdmitted(run.nextDelivery)
    return result.hasChangedRun || result.status == .duplicate
  }

  private func finish(
    _ item: WorkItem, hasProgressed: Bool, longestHold: Duration = WorkerState.longestHold
  ) {
    let now = clock.now()
    guard
      state.withLock({ $0.finish(item, hasProgressed: hasProgressed, at: now, longestHold: longestHold) })
    else { return }
    if case .run = item { signal.call() } else { signal.call(withNews: true) }
  }
}
