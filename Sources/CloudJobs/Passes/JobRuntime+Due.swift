import CloudJobsCore
import Logging

extension JobRuntime {
  /// Deals with one due job: decides, claims by a conditional write, executes, and goes on while missed times remain.
  ///
  /// - Parameters:
  ///   - due: the job.
  ///   - context: what the decision depends on besides the document.
  ///   - onLastClaim: called when the job is no longer due, before the last of its runs is executed.
  /// - Returns: the result; nil where the instance drains, so that the job stays due.
  func serve(_ due: DueJob, _ context: PassContext, onLastClaim: () -> Void = {}) async -> DueResult? {
    guard active.enter(limit: .max) == .admitted else { return nil }
    defer { active.leave() }
    guard var job = due.job, let registered = due.registered, var state = due.document?.state else {
      return due.fault?.code == .unknownJob ? leave(due) : await quarantine(due)
    }
    var lines = [JournalEntry.Line]()
    var version = due.record.version
    var previous = state.lastRunID.flatMap { context.reading.runs[$0] }.flatMap { try? $0.run.get() }
    var now = context.now(local: clock.now())
    let dependencies = Self.statuses(of: job.policy.dependencies, in: context.reading)
    for _ in 0..<MisfirePolicy.maximumCatchUp {
      let plan = planPass(
        PassInput(
          job: job, state: state, previous: previous, dependencies: dependencies, now: now, settings: settings))
      var writes: [Write] = [.patchState(job.id, plan.patch, .version(version))]
      if let run = plan.run { writes.append(.putRun(run, .absent)) }
      var claimed: ClaimedRun?
      var isMadeElsewhere = false
      do throws(StoreError) {
        (now, claimed) = try await commitPass(writes, plan.run, job: job, estimate: now)
      } catch {
        guard error.code == .conflict, let run = plan.run, let time = await moveOn(past: run, writes[0]) else {
          return refused(error, due, plan)
        }
        (now, isMadeElsewhere) = (time, true)
      }
      lines.append(line(for: job, plan, isMadeElsewhere: isMadeElsewhere))
      if !plan.isStillDue { onLastClaim() }
      if isMadeElsewhere {
        events.emit(JobEvent(.duplicate, job: job.id, run: plan.run, time: clock.now()))
      } else if let run = plan.run {
        await perform(run, claimed, job: job, registered: registered, state: state)
      } else {
        events.emit(JobEvent(.skipped, job: job.id, run: nil, time: clock.now(), reason: plan.reason))
      }
      guard plan.isStillDue, !active.isDraining else { break }
      // The document is read anew: an edit made meanwhile holds for the next time already.
      guard let next = await reread(registered.definition, lastRun: plan.run?.id ?? previous?.id) else { break }
      (job, state, version, previous, now) = next
    }
    return .lines(lines)
  }

  private func commitPass(
    _ writes: [Write], _ run: Run?, job: ResolvedJob, estimate: Timestamp
  ) async throws(StoreError) -> (Timestamp, ClaimedRun?) {
    guard let run else { return (try await access.commit(writes), nil) }
    var time: Timestamp?
    var claimed: ClaimedRun?
    if run.status == .running {
      claimed = try await claim(run, writes, estimate: estimate, job: job)
      time = claimed?.time
    } else {
      time = try await commit(writes, making: run)
    }
    guard let time else { throw StoreError(.conflict, "Another pass was faster.") }
    return (time, claimed)
  }

  /// Moves a job on whose occurrence has its run already, made by another trigger: without this it would stay due, and
  /// each pass would meet the same run.
  ///
  /// - Parameters:
  ///   - run: the run that the pass wanted to create.
  ///   - patch: the change to the job's state, under the version that was read.
  /// - Returns: the store's time; nil where the run is not there or the document has changed.
  private func moveOn(past run: Run, _ patch: Write) async -> Timestamp? {
    guard let reading = try? await access.read(jobs: [], runs: [run.id]), reading.runs[run.id] != nil else {
      return nil
    }
    return try? await access.commit([patch])
  }

  /// Executes a claimed run here, or hands a waiting one to the queue.
  private func perform(
    _ run: Run, _ claimed: ClaimedRun?, job: ResolvedJob, registered: RegisteredJob, state: JobState
  ) async {
    if let claimed {
      _ = await execute(claimed, job: job, registered: registered, state: state)
    } else {
      _ = await handOn(run, job.policy)
    }
  }

  private func reread(
    _ definition: JobDefinition, lastRun: RunID?
  ) async -> (ResolvedJob, JobState, Version, Run?, Timestamp)? {
    guard let reading = try? await access.read(jobs: [definition.id], runs: lastRun.map { [$0] } ?? []),
      let record = reading.jobs[definition.id], let document = try? record.document.get(),
      let job = try? resolve(definition, document.configuration)
    else { return nil }
    let previous = lastRun.flatMap { reading.runs[$0] }.flatMap { try? $0.run.get() }
    return (job, document.state, record.version, previous, reading.time)
  }

  private func line(for job: ResolvedJob, _ plan: PassPlan, isMadeElsewhere: Bool) -> JournalEntry.Line {
    if isMadeElsewhere {
      return JournalEntry.Line(
        job: job.id.rawValue, slot: plan.slot, verdict: "duplicate",
        reason: "Another trigger has made the run of this time already.")
    }
    let verdict =
      switch plan.run?.status {
      case .running?: "run"
      case .some: "queued"
      case nil: plan.skip?.status.rawValue ?? "planned"
      }
    return JournalEntry.Line(
      job: job.id.rawValue, slot: plan.slot, verdict: verdict, reason: plan.reason, run: plan.run?.id)
  }

  private func refused(_ error: StoreError, _ due: DueJob, _ plan: PassPlan) -> DueResult {
    let isRace = error.code == .conflict
    let line = JournalEntry.Line(
      job: due.record.id, slot: plan.slot, verdict: isRace ? "conflict" : "unavailable",
      reason: isRace ? "Another pass or an edit was faster." : error.message)
    return isRace ? .raced(line) : .unreachable(line)
  }

  /// Leaves a job alone that is not registered here: during a rolling deployment, or where services share a collection,
  /// another instance knows it.
  private func leave(_ due: DueJob) -> DueResult {
    options.logger.warning(
      "A job is due that is not registered here. If no other service knows it, delete its document.",
      metadata: ["jobId": "\(due.record.id)"])
    return .lines([])
  }

  /// Sets a document aside that can't be read or served, so that it does not come up in every pass; the next
  /// housekeeping takes it back once it has been mended.
  private func quarantine(_ due: DueJob) async -> DueResult {
    let fault = due.fault ?? JobError(.internalError, "The document can't be served.")
    let line = JournalEntry.Line(
      job: due.record.id, slot: due.record.nextRun, verdict: "quarantined", reason: fault.description)
    options.logger.error(
      "A job's document can't be served and is set aside. Mend the field, then clear state.quarantine or wait.",
      metadata: ["jobId": "\(due.record.id)", "error": "\(fault)"])
    guard let id = try? JobID(due.record.id) else { return .quarantined(line) }
    var patch = JobStatePatch()
    patch.set(nextRun: nil)
    patch.set(quarantine: fault.description)
    do throws(StoreError) {
      _ = try await access.commit([.patchState(id, patch, .version(due.record.version))])
    } catch {
      return error.code == .conflict ? .raced(line) : .unreachable(line)
    }
    return .quarantined(line)
  }
}
