/// A walk through the time of a forecast, from event to event, which counts the operations of each.
///
/// Whether and when runs start is decided by the schedules and by the pass's own decision; what each step costs is in
/// ``ForecastTally``.
struct ForecastWalk {
  /// An attempt of a run, or the run as it waits for one.
  struct Attempt {
    /// The number of the attempt, from 1.
    var number = 1
    /// The number of attempts that fail before the last one.
    var failuresLeft: Int
    /// Whether the last attempt fails for good.
    var isLost: Bool
    /// The pass that executes it; nil if it has a request or a worker of its own.
    var pass: Int?
    /// The number by which it waits for a permit.
    var ticket: Int?
    /// The limit of which a permit is kept for it.
    var reserved: LedgerID?
  }

  /// A master pass under way.
  private struct Pass {
    var start: Timestamp
    var due: [Int]
    var waking: [(job: Int, attempt: Attempt)]
    /// The statuses of dependencies, as the pass has read them.
    var statuses: [JobID: JobStatus]
    var active = 0
    var isJournaled = false
    var shares: [(job: Int, span: Duration)] = []
  }

  let input: ForecastInput
  let settings: PlanSettings
  var tracks: [ForecastTrack]
  var tally: ForecastTally
  private var permits = ForecastPermits()
  private var events = ForecastEvents()
  private var passes: [Int: Pass] = [:]
  /// The runs that the next sweep of a pass finds, where the store is the queue.
  private var waking: [(job: Int, attempt: Attempt)] = []
  private var lastPass: Timestamp
  private var lastPassEnd: Timestamp
  private var end: Timestamp { input.start + input.span }
  private var deployment: ForecastDeployment { input.deployment }

  init(_ input: ForecastInput) {
    self.input = input
    let settings = input.deployment.settings
    self.settings = settings
    (lastPass, lastPassEnd) = (input.start - .microseconds(1), input.start)
    tally = ForecastTally(input)
    tracks = input.jobs.map { ForecastTrack($0, at: input.start, settings) }
  }

  /// Walks from the beginning to the end.
  mutating func run() {
    for index in tracks.indices { begin(index) }
    while true {
      let tick = nextPass
      if let event = events.first, event.time <= tick ?? .distantFuture {
        guard event.time < end else { break }
        events.removeFirst()
        perform(event)
      } else if let tick, tick < end {
        startPass(at: tick)
      } else {
        break
      }
    }
    for index in tracks.indices { tally.charge(enqueued: index, tracks[index]) }
    tally.chargeBase(tracks)
    tally.chargePurges(tracks)
  }

  /// The time of the next pass; nil if there is none.
  ///
  /// Cloud Scheduler starts no pass while it waits for one; the next one follows at once if its time has passed. A
  /// worker looks at jobs when they are due.
  private var nextPass: Timestamp? {
    if deployment.kind == .worker { return events.firstDue?.time }
    let next = passTime(after: lastPass)
    let isWaiting = passes.values.contains { $0.start == lastPass }
    return max(next, isWaiting ? lastPass + CloudSchedulerEntry.deadlines.upperBound : lastPassEnd)
  }

  private mutating func begin(_ index: Int) {
    guard tracks[index].job.policy.isActive else { return }
    let before = input.start - .microseconds(1)
    if let fired = tracks[index].nextFire(after: before) {
      events.add(.fire(index), at: fired)
    } else if let next = firstRun(of: tracks[index].job, after: before, under: settings.scheduleOwner) {
      setDue(index, next)
    }
  }

  private mutating func setDue(_ index: Int, _ time: Timestamp?) {
    tracks[index].state.nextRun = time
    look(at: index, time)
  }

  /// Lets a pass look at a job at a time; nil for none.
  private mutating func look(at index: Int, _ time: Timestamp?) {
    tracks[index].dueAt = time
    if let time { events.addDue(index, at: time) }
  }

  /// Returns the first time of a pass after a time, on a grid from 1970 on.
  private func passTime(after time: Timestamp) -> Timestamp {
    let step = max(1, deployment.passInterval.microseconds)
    return Timestamp(microseconds: (time.microseconds.flooringDivision(by: step).quotient + 1) * step)
  }

  private mutating func perform(_ event: ForecastEvents.Event) {
    switch event.kind {
    case .fire(let index): fire(index, at: event.time)
    case .delivery(let index, let attempt): deliver(index, attempt, at: event.time)
    case .end(let index, let attempt): finish(index, attempt, at: event.time)
    case .retryOfWaiting(let index, let ticket): retryWaiting(index, ticket, at: event.time)
    }
  }
}

// MARK: - Master passes

extension ForecastWalk {
  /// Starts the pass of a time: reads what is due, and begins with the first jobs.
  private mutating func startPass(at time: Timestamp) {
    var jobs: [Int] = []
    while let first = events.firstDue, first.time <= time {
      events.removeFirstDue()
      guard tracks[first.job].dueAt == first.time else { continue }
      tracks[first.job].dueAt = nil
      jobs.append(first.job)
    }
    jobs.sort { tracks[$0].order < tracks[$1].order }
    lastPass = time
    let number = events.nextNumber()
    var statuses: [JobID: JobStatus] = [:]
    for dependency in Set(jobs.flatMap { tracks[$0].job.policy.dependencies }) {
      statuses[dependency] = tracks.first { $0.job.id == dependency }?.state.status
    }
    let found = deployment.kind == .masterPass ? waking : []
    if deployment.kind == .masterPass { waking = [] }
    passes[number] = Pass(start: time, due: jobs.reversed(), waking: found.reversed(), statuses: statuses)
    tally.charge(pass: jobs, tracks, waking: found.map(\.job), at: time)
    advance(number, at: time)
  }

  /// Goes on with a pass: begins jobs while there is room, and ends it when nothing is left.
  private mutating func advance(_ number: Int, at time: Timestamp) {
    while var pass = passes[number] {
      let limit = deployment.kind == .worker ? Int.max : max(1, deployment.passConcurrency)
      let mayBegin = time < pass.start + deployment.passBudget
      guard pass.active < limit else { return }
      if mayBegin, let job = pass.due.popLast() {
        passes[number] = pass
        process(job, in: number, at: time)
      } else if mayBegin, let next = pass.waking.popLast() {
        pass.active += 1
        passes[number] = pass
        var attempt = next.attempt
        attempt.pass = number
        if !claimDelivered(next.job, attempt, at: time) { passes[number]?.active -= 1 }
      } else {
        if pass.active > 0 { return }
        return endPass(number, pass, at: time)
      }
    }
  }

  private mutating func endPass(_ number: Int, _ pass: Pass, at time: Timestamp) {
    passes[number] = nil
    lastPassEnd = time
    for job in pass.due { look(at: job, tracks[job].state.nextRun) }
    waking += pass.waking
    tally.charge(
      endOfPass: pass.start, at: time, isJournaled: pass.isJournaled, shares: pass.shares, jobs: tracks.count)
  }

  /// Processes a due job: decides, and claims its run if there is one.
  private mutating func process(_ index: Int, in number: Int, at time: Timestamp) {
    guard let pass = passes[number] else { return }
    let track = tracks[index]
    let decision = decidePass(
      PassInput(
        job: track.job, state: track.state, previous: track.latest, dependencies: pass.statuses, now: time,
        settings: settings))
    let isStillDue = decision.next.map { $0 <= time } ?? false
    switch decision.action {
    case .wait:
      passes[number]?.isJournaled = true
      look(at: index, deployment.kind == .worker ? time + .seconds(1) : track.state.nextRun)
    case .skip:
      tracks[index].state.nextRun = decision.next
      if let skip = decision.skip { tracks[index].state.status = skip.status }
      tally.charge(skipped: index, writes: 1, at: time)
      if isStillDue {
        tally.charge(index, at: time, reads: 1 + (track.hasRun ? 1 : 0))
        return process(index, in: number, at: time)
      }
      setDue(index, decision.next)
    case .start:
      tracks[index].state.nextRun = decision.next
      let isQueued = track.job.overlap == .queue && Gate.overlapSkip(track.latest, now: time) != nil
      let refused = isQueued ? nil : refusal(of: index)
      tally.count(run: index, at: decision.scheduledFor ?? time)
      if decision.missedSince != nil { tally.charge(entryOf: index, at: time) }
      if isQueued || refused != nil {
        setDue(index, decision.next)
        return wait(index, tracks[index].nextRun(), for: refused, isNew: true, at: time)
      }
      var attempt = tracks[index].nextRun()
      attempt.pass = number
      passes[number]?.active += 1
      if !isStillDue { setDue(index, decision.next) }
      tracks[index].scheduledFor = decision.scheduledFor
      claim(index, attempt, at: time)
    }
  }
}

// MARK: - Deliveries and attempts

extension ForecastWalk {
  /// Processes a delivery of Cloud Scheduler.
  private mutating func fire(_ index: Int, at time: Timestamp) {
    let track = tracks[index]
    let scheduledFor = track.schedulerSchedule?.previous(before: time + .microseconds(1)) ?? time
    tally.charge(delivery: index, track, isTask: false, readsPrevious: track.hasRun, at: time)
    var statuses: [JobID: JobStatus] = [:]
    for id in track.job.policy.dependencies { statuses[id] = tracks.first { $0.job.id == id }?.state.status }
    let closed = Gate.firstClosed(
      for: GateInput(
        job: track.job, scheduledFor: scheduledFor, trigger: .schedule, dependencies: statuses,
        previous: track.latest, breakerOpenUntil: nil, now: time))
    if let closed {
      let isNews = track.state.status != closed.status
      tracks[index].state.status = closed.status
      tally.charge(skipped: index, writes: isNews ? 1 : 0, at: time)
      tally.charge(requestOf: index, span: .zero)
      return nextFire(index, after: time, at: time)
    }
    tally.count(run: index, at: scheduledFor)
    tracks[index].firedAt = time
    let attempt = tracks[index].nextRun()
    if let refused = refusal(of: index) {
      wait(index, attempt, for: refused, isNew: false, at: time)
      tally.charge(requestOf: index, span: .zero)
      return nextFire(index, after: time, at: time)
    }
    claim(index, attempt, at: time)
  }

  /// Fires a job again: at its next time, or at once if that has passed meanwhile.
  private mutating func nextFire(_ index: Int, after last: Timestamp, at time: Timestamp) {
    tracks[index].firedAt = nil
    if let next = tracks[index].nextFire(after: last) { events.add(.fire(index), at: max(next, time)) }
  }

  /// Delivers a waiting run.
  private mutating func deliver(_ index: Int, _ attempt: Attempt, at time: Timestamp) {
    if deployment.kind == .masterPass {
      waking.append((index, attempt))
      return
    }
    if !claimDelivered(index, attempt, at: time), deployment.kind == .cloudTasks {
      tally.charge(requestOf: index, span: .zero)
    }
  }

  /// Claims the attempt of a delivered run.
  ///
  /// - Returns: whether it was claimed; otherwise the run waits again.
  private mutating func claimDelivered(_ index: Int, _ attempt: Attempt, at time: Timestamp) -> Bool {
    let track = tracks[index]
    let isOwn = attempt.number > 1 || attempt.ticket != nil
    tally.charge(
      delivery: index, track, isTask: deployment.kind == .cloudTasks, readsPrevious: !isOwn && track.hasRun, at: time)
    if track.job.overlap == .queue, attempt.number == 1, attempt.ticket == nil,
      Gate.overlapSkip(track.latest, now: time) != nil
    {
      wait(index, attempt, for: nil, isNew: false, at: time)
      return false
    }
    if attempt.ticket == nil, let refused = refusal(of: index) {
      wait(index, attempt, for: refused, isNew: false, at: time)
      return false
    }
    claim(index, attempt, at: time)
    return true
  }

  /// Claims a run and begins its attempt.
  private mutating func claim(_ index: Int, _ attempt: Attempt, at time: Timestamp) {
    let span = tracks[index].attemptSpan
    tally.charge(claim: index, tracks[index], attempt, at: time)
    for ledger in tracks[index].concurrencyLimits where attempt.reserved != ledger {
      permits.take(ledger)
    }
    tracks[index].claimed(attempt, at: time, settings)
    var attempt = attempt
    (attempt.ticket, attempt.reserved) = (nil, nil)
    events.add(.end(index, attempt), at: time + span)
  }

  /// Ends an attempt: commits its result, and lets what follows go on.
  private mutating func finish(_ index: Int, _ attempt: Attempt, at time: Timestamp) {
    let track = tracks[index]
    let span = track.attemptSpan
    let fails = attempt.failuresLeft > 0 || attempt.isLost
    let retries = attempt.failuresLeft > 0
    tally.charge(finish: index, track, at: time)
    tracks[index].state.status = fails ? .failure : .success
    if retries {
      var next = attempt
      (next.number, next.failuresLeft, next.pass) = (attempt.number + 1, attempt.failuresLeft - 1, nil)
      let start = time + track.job.policy.retry.delay(afterFailures: attempt.number)
      tracks[index].waits(until: start + settings.sweepDelay)
      if deployment.kind == .cloudTasks { tally.charge(task: index, tracks[index].job.id) }
      events.add(.delivery(index, next), at: start)
    } else {
      tracks[index].ended()
      tally.noteEnd(index, isLost: attempt.isLost, at: time)
    }
    for ledger in track.concurrencyLimits { giveBack(ledger, at: time) }
    if let number = attempt.pass {
      passes[number]?.active -= 1
      passes[number]?.shares.append((index, span))
      // Missed times that are served one by one follow in the same pass.
      if let next = tracks[index].state.nextRun, next <= time - span, passes[number] != nil, attempt.number == 1 {
        tally.charge(index, at: time, reads: 2)
        process(index, in: number, at: time)
      }
      advance(number, at: time)
    } else if deployment.kind == .cloudTasks {
      tally.charge(requestOf: index, span: span)
    } else {
      tally.charge(busy: index, span: span)
    }
    if attempt.number == 1, let fired = tracks[index].firedAt { nextFire(index, after: fired, at: time) }
  }
}

// MARK: - Limits

extension ForecastWalk {
  /// Returns the first limit of a job that is reached; nil if an attempt may begin.
  private func refusal(of index: Int) -> LedgerID? {
    permits.refusal(of: tracks[index].limits)
  }

  /// Lets a run wait: for a permit, or for the run before it.
  ///
  /// - Parameters:
  ///   - index: the job.
  ///   - attempt: the attempt that waits.
  ///   - ledger: the limit that is reached; nil if it waits for the run before.
  ///   - isNew: whether a pass creates it.
  ///   - time: the time.
  private mutating func wait(
    _ index: Int, _ attempt: Attempt, for ledger: LedgerID?, isNew: Bool, at time: Timestamp
  ) {
    tally.charge(waiting: index, tracks[index], isLimit: ledger != nil, isNew: isNew, at: time)
    if deployment.kind == .cloudTasks { tally.charge(task: index, tracks[index].job.id) }
    guard let ledger else { return events.add(.delivery(index, attempt), at: time + settings.overlapDelay) }
    let ticket = events.nextNumber()
    var attempt = attempt
    attempt.ticket = ticket
    if tracks[index].job.overlap == .skip { tracks[index].waits(until: time + settings.sweepDelay) }
    let place = permits.wait(index, attempt, for: ledger)
    if deployment.kind == .cloudTasks {
      let delay = place == 0 ? LimitLedger.firstRetry : LimitLedger.nextRetry
      events.add(.retryOfWaiting(index, ticket: ticket), at: time + delay)
    }
  }

  /// Processes the first task of a run that waits for a permit: it was woken meanwhile, or waits again.
  private mutating func retryWaiting(_ index: Int, _ ticket: Int, at time: Timestamp) {
    let track = tracks[index]
    tally.charge(delivery: index, track, isTask: true, readsPrevious: false, at: time)
    tally.charge(requestOf: index, span: .zero)
    guard permits.hasWaiting(ticket, for: track.limits) else { return }
    tally.charge(waiting: index, track, isLimit: true, isNew: false, at: time)
    tally.charge(task: index, tracks[index].job.id)
    events.add(.retryOfWaiting(index, ticket: ticket), at: time + LimitLedger.nextRetry)
  }

  /// Gives a permit back, and wakes the run that waits longest for it.
  private mutating func giveBack(_ ledger: LedgerID, at time: Timestamp) {
    guard let woken = permits.giveBack(ledger) else { return }
    tally.charge(wake: woken.job, at: time, waiting: woken.waiting)
    if deployment.kind == .cloudTasks { tally.charge(task: woken.job, tracks[woken.job].job.id) }
    events.add(.delivery(woken.job, woken.attempt), at: time)
  }
}
