import CloudJobsCore
import Logging

/// Processes the jobs that are due: finds them, plans each, claims its run by a conditional write, and executes it.
struct DueJobProcessor: Sendable {
  /// The number of jobs that are read at a time.
  static let pageSize = 100

  private let services: RuntimeServices
  private let committer: RunCommitter

  init(_ services: RuntimeServices) {
    self.services = services
    committer = RunCommitter(services)
  }

  // MARK: Finding what is due

  /// Reads a page of the jobs that are due.
  func page(after cursor: StoreCursor?) async throws(StoreError) -> StorePage<JobRecord> {
    let page = try await services.client.call { () async throws(StoreError) in
      try await services.store.dueJobs(after: cursor, limit: Self.pageSize)
    }
    let now = services.clock.now()
    services.health.note { $0.observe(storeTime: page.time, at: now) }
    return page
  }

  /// Resolves the jobs of a page, in the order of service, and reads the runs and dependencies that their plans depend
  /// on, in few calls.
  func load(_ page: StorePage<JobRecord>) async throws(StoreError) -> ([DueJob], DueJobContext) {
    let jobs = page.records.map(resolve).sorted { $0.order < $1.order }
    var context = DueJobContext(
      reading: StoreReading(time: page.time, jobs: [:], runs: [:]), local: services.steadyClock.now())
    let runs = jobs.compactMap { due in due.job?.overlap == .allow ? nil : due.document?.state.lastRunID }
    let dependencies = Set(jobs.flatMap { $0.job?.policy.dependencies ?? [] }).sorted()
    for start in stride(from: 0, to: max(runs.count, dependencies.count), by: StoreLimits.batch) {
      let reading = try await services.client.read(
        jobs: Array(dependencies.dropFirst(start).prefix(StoreLimits.batch)),
        runs: Array(runs.dropFirst(start).prefix(StoreLimits.batch)))
      context.reading.jobs.merge(reading.jobs) { _, later in later }
      context.reading.runs.merge(reading.runs) { _, later in later }
    }
    return (jobs, context)
  }

  private func resolve(_ record: JobRecord) -> DueJob {
    do throws(JobError) {
      let document = try record.document.get()
      guard let registered = services.registry.jobs[document.id] else {
        return DueJob(record: record, fault: JobError(.unknownJob, "No job of this name is registered here."))
      }
      let job = try services.resolve(registered.definition, document.configuration)
      return DueJob(record: record, document: document, job: job, registered: registered)
    } catch {
      return DueJob(record: record, fault: error)
    }
  }

  // MARK: Processing a job

  /// Processes a due job: plans, claims, executes, and continues while missed times remain.
  ///
  /// - Parameters:
  ///   - due: the job.
  ///   - context: the runs and dependencies that its plan depends on.
  ///   - onLastClaim: called when the job is no longer due, before its last run is executed.
  /// - Returns: the result; nil if the instance drains or its memory is almost used up, so that the job stays due.
  func process(_ due: DueJob, _ context: DueJobContext, onLastClaim: () -> Void = {}) async -> DueJobResult? {
    guard services.admit(limit: .max) == .admitted else { return nil }
    defer { services.active.leave() }
    guard let job = due.job, let registered = due.registered, let state = due.document?.state else {
      let now = context.storeTime(at: services.steadyClock.now())
      return due.fault?.code == .unknownJob ? leave(due) : await quarantine(due, at: now)
    }
    var reading = DueJobReading(
      job: job, state: state, version: due.record.version,
      previous: state.lastRunID.flatMap { context.reading.runs[$0] }.flatMap { try? $0.run.get() },
      now: context.storeTime(at: services.steadyClock.now()))
    let dependencies = context.reading.statuses(of: job.policy.dependencies)
    var lines = [PassJournalEntry.Line]()
    var conflicts = 0
    for _ in 0..<MisfirePolicy.maximumCatchUp {
      let input = PassInput(
        job: reading.job, state: reading.state, previous: reading.previous, dependencies: dependencies,
        now: reading.now, settings: services.settings)
      var plan = planPass(input)
      if plan.waitsForRun != nil {
        lines.append(PassJournalEntry.Line(reading.job, plan, isDuplicate: false, replacing: reading.state.plannedFor))
        break
      }
      let commit: PassCommit
      do throws(StoreError) {
        (plan, commit) = try await self.commit(plan, of: input, reading)
      } catch {
        conflicts += 1
        // A run of the job may have changed its state: the occurrence is still due then, and not left to the next pass.
        guard error.code == .conflict, conflicts < RetryBudget.conflictLimit,
          let again = await readAgain(registered.definition), again.isDue
        else {
          let result = refused(error, due, plan)
          return lines.isEmpty ? result : .planned(lines + result.lines)
        }
        reading = again
        continue
      }
      lines.append(
        PassJournalEntry.Line(
          reading.job, plan, isDuplicate: commit.isDuplicate, replacing: reading.state.plannedFor))
      if !plan.isStillDue { onLastClaim() }
      await perform(plan, commit, reading, registered)
      guard plan.isStillDue, services.mayBeginAttempts else { break }
      // The document is read again: an edit made meanwhile applies to the next time already.
      guard let next = await read(registered.definition, lastRun: plan.run?.id ?? reading.previous?.id) else { break }
      reading = next
    }
    return .planned(lines)
  }

  /// Commits a plan; plans again if a limit is reached, or has room again before the run is listed as waiting.
  ///
  /// - Returns: the plan that was committed, and its commit.
  private func commit(
    _ first: PassPlan, of input: PassInput, _ reading: DueJobReading
  ) async throws(StoreError) -> (PassPlan, PassCommit) {
    var (plan, input) = (first, input)
    for _ in 0..<RetryBudget.conflictLimit {
      do throws(StoreError) {
        let committed = try await commit(plan, reading)
        return (plan, committed)
      } catch {
        guard error.code == .refused || (error.code == .conflict && input.refusal != nil) else { throw error }
        input.refusal = error.refusal
        plan = planPass(input)
      }
    }
    throw StoreError(.unavailable, "The limits of the job keep changing. The next pass tries again.")
  }

  /// Commits a plan under the version that was read.
  ///
  /// If another trigger has created the run of this time already, the job's state alone moves on: it would stay due
  /// otherwise, and each pass would meet the same run.
  private func commit(_ plan: PassPlan, _ reading: DueJobReading) async throws(StoreError) -> PassCommit {
    let patch = [Write.patchState(reading.job.id, plan.patch, .version(reading.version))]
    let told = journalWrite(plan, reading, isDuplicate: false)
    guard let run = plan.run else { return PassCommit(time: try await services.client.commit(patch + told)) }
    let limits = reading.job.limits
    let writes =
      patch + told + [.putRun(run, .absent)]
      + (run.status == .running ? run.permitClaims(limits) : run.enlistment(limits))
    var budget = services.client.budget()
    if run.status == .running {
      let claimed = try await committer.claim(run, writes, job: reading.job, at: reading.now, &budget)
      if let claimed { return PassCommit(time: claimed.time, claimed: claimed) }
    } else if let time = try await committer.commit(writes, making: run, &budget) {
      return PassCommit(time: time)
    }
    let stored = try? await services.client.read(runs: [run.id])
    let duplicate = patch + journalWrite(plan, reading, isDuplicate: true)
    guard stored?.runs[run.id] != nil, let time = try? await services.client.commit(duplicate) else {
      throw StoreError(.conflict, "Another pass was faster.")
    }
    return PassCommit(time: time, isDuplicate: true)
  }

  /// Returns the write that tells a decision in its own commit; none if its run tells it.
  private func journalWrite(_ plan: PassPlan, _ reading: DueJobReading, isDuplicate: Bool) -> [Write] {
    let line = PassJournalEntry.Line(reading.job, plan, isDuplicate: isDuplicate, replacing: reading.state.plannedFor)
    return line.isToldByRun ? [] : [PassJournal(services).write([line], time: reading.now)]
  }

  /// Executes a claimed run here, or enqueues a waiting one.
  private func perform(
    _ plan: PassPlan, _ commit: PassCommit, _ reading: DueJobReading, _ registered: RegisteredJob
  ) async {
    let job = reading.job
    guard let run = plan.run, !commit.isDuplicate else {
      services.events.emit(
        JobEvent(
          commit.isDuplicate ? .duplicate : .skipped, job: job.id, run: plan.run, time: services.clock.now(),
          reason: commit.isDuplicate ? nil : plan.reason, skipped: plan.skip?.status))
      return
    }
    if let claimed = commit.claimed {
      _ = await AttemptExecutor(services).execute(claimed, registered, state: reading.state)
    } else {
      await NextAttemptEnqueuer(services).enqueueNextAttempt(of: run, timeout: job.policy.timeout)
    }
  }

  private func read(_ definition: JobDefinition, lastRun: RunID?) async -> DueJobReading? {
    guard
      let reading = try? await services.client.read(jobs: [definition.id], runs: lastRun.map { [$0] } ?? []),
      let record = reading.jobs[definition.id], let document = try? record.document.get(),
      let job = try? services.resolve(definition, document.configuration)
    else { return nil }
    return DueJobReading(
      job: job, state: document.state, version: record.version,
      previous: lastRun.flatMap { reading.runs[$0] }.flatMap { try? $0.run.get() }, now: reading.time)
  }

  /// Reads a job after a conflict, with the run that its state names by now.
  private func readAgain(_ definition: JobDefinition) async -> DueJobReading? {
    let first = await read(definition, lastRun: nil)
    guard let run = first?.state.lastRunID else { return first }
    return await read(definition, lastRun: run)
  }

  private func refused(_ error: StoreError, _ due: DueJob, _ plan: PassPlan) -> DueJobResult {
    let isRace = error.code == .conflict
    let line = PassJournalEntry.Line(
      job: due.record.id, scheduledFor: plan.scheduledFor, verdict: isRace ? .conflict : .unavailable,
      reason: isRace ? "Another pass or an edit was faster." : error.message)
    return isRace ? .raced(line) : .unavailable(line)
  }

  // MARK: Jobs that can't be processed

  /// Leaves a job alone that is not registered here: during a rolling deployment, or if services share a collection,
  /// another instance knows it.
  private func leave(_ due: DueJob) -> DueJobResult {
    services.logger.warning(
      "A job is due that is not registered here. If no other service has it, delete its document.",
      metadata: ["jobId": "\(due.record.id)"])
    return .planned([])
  }

  /// Sets an invalid document aside, so that it does not come up in every pass; the next housekeeping takes it back
  /// once it has been fixed.
  private func quarantine(_ due: DueJob, at now: Timestamp) async -> DueJobResult {
    let fault = due.fault ?? JobError(.internalError, "The document is invalid.")
    let line = PassJournalEntry.Line(
      settingAside: due.record.id, dueAt: due.record.nextRun, because: fault.description)
    services.logger.error(
      "A job's document is invalid and is set aside. Fix the field, then clear state.quarantine or wait.",
      metadata: ["jobId": "\(due.record.id)", "error": "\(fault)"])
    guard let id = try? JobID(due.record.id) else { return .nameless(line) }
    var patch = JobStatePatch()
    patch.set(nextRun: nil)
    patch.set(quarantine: fault.description)
    do throws(StoreError) {
      _ = try await services.client.commit([
        .patchState(id, patch, .version(due.record.version)), PassJournal(services).write([line], time: now),
      ])
    } catch {
      return error.code == .conflict ? .raced(line) : .unavailable(line)
    }
    return .quarantined(line)
  }
}

/// The runs and dependencies that the plans of a page depend on.
struct DueJobContext: Sendable {
  /// The documents, and the store's time when the page was read.
  var reading: StoreReading
  /// The local time then.
  var local: Timestamp

  /// Returns the best estimate of the store's time: the steady clock measures the time since the page was read.
  func storeTime(at now: Timestamp) -> Timestamp { reading.time + max(.zero, now - local) }
}

/// A job that is due.
struct DueJob: Sendable {
  var record: JobRecord
  var document: JobDocument?
  var job: ResolvedJob?
  var registered: RegisteredJob?
  var fault: JobError?

  /// The order of service: high priority first, then the longest wait, then the name.
  var order: (Int, Timestamp, String) {
    (-(job?.policy.priority ?? 0), record.nextRun ?? .distantPast, record.id)
  }
}

/// The result of processing a due job.
enum DueJobResult: Sendable {
  case planned([PassJournalEntry.Line])
  case quarantined(PassJournalEntry.Line)
  /// The document is invalid and so is its id, by which it could be set aside: it stays due.
  case nameless(PassJournalEntry.Line)
  case raced(PassJournalEntry.Line)
  case unavailable(PassJournalEntry.Line)

  /// The decisions for the journal.
  var lines: [PassJournalEntry.Line] {
    switch self {
    case .planned(let lines): lines
    case .quarantined(let line), .nameless(let line), .raced(let line), .unavailable(let line): [line]
    }
  }

  /// Whether a missed time waits for the run of an earlier one, and nothing else was done.
  var isWaiting: Bool { !lines.isEmpty && lines.allSatisfy(\.isWaiting) }

  /// Whether the job's document has changed, by this pass or by another.
  var hasProgressed: Bool {
    switch self {
    case .planned(let lines): lines.contains { !$0.isWaiting }
    case .quarantined, .raced: true
    case .nameless, .unavailable: false
    }
  }
}

/// A due job's document and latest run, as read before one plan.
private struct DueJobReading: Sendable {
  var job: ResolvedJob
  var state: JobState
  var version: Version
  var previous: Run?
  var now: Timestamp

  /// Whether the job's next time has come.
  var isDue: Bool { state.nextRun.map { $0 <= now } ?? false }
}

/// The commit of a plan.
private struct PassCommit: Sendable {
  var time: Timestamp
  /// The run that this instance executes, if the plan claimed one.
  var claimed: ClaimedRun?
  /// Whether another trigger had created the run of this time already.
  var isDuplicate = false
}

extension PassJournalEntry.Line {
  /// Whether a missed time waits for the run of an earlier one: the job stays due.
  var isWaiting: Bool { verdict == PassJournalEntry.Verdict.waiting.rawValue }

  fileprivate init(
    job: String, scheduledFor: Timestamp?, verdict: PassJournalEntry.Verdict, reason: String
  ) {
    self.init(job: job, scheduledFor: scheduledFor, verdict: verdict.rawValue, reason: reason)
  }

  fileprivate init(_ job: ResolvedJob, _ plan: PassPlan, isDuplicate: Bool, replacing key: String?) {
    let name: PassJournalEntry.Verdict =
      switch plan.run?.status {
      case _ where isDuplicate: .duplicate
      case .running?: .run
      case .some: .queued
      case nil where plan.waitsForRun != nil: .waiting
      case nil: plan.nextRun == nil ? .unplanned : .planned
      }
    self.init(
      job: job.id.rawValue, scheduledFor: plan.scheduledFor, verdict: plan.skip?.status.rawValue ?? name.rawValue,
      reason: isDuplicate ? "Another trigger has created the run of this time already." : plan.reason,
      run: plan.run?.id)
    missed = plan.missedSince.map { PassJournalEntry.MissedTimes(since: $0, policy: job.policy.misfire) }
    let isEdited = key != nil && key != job.planKey
    if plan.waitsForRun == nil, plan.run == nil || isEdited {
      self.plan = PassJournalEntry.JobPlan(nextRun: plan.nextRun, schedule: job.planKey, replaced: key)
    }
  }
}
