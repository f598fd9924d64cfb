import CloudJobsCore

/// What the store holds about a delivery, as read at one moment.
struct Situation: Sendable {
  var input: PlanInput
  var state: JobState
  var runPrecondition: Precondition
  var jobPrecondition: Precondition
}

/// Why there is no situation to decide about.
enum SituationFault: Error {
  case store(StoreError)
  case rejected(JobError)
}

extension JobRuntime {
  /// Reads all that the decision about a delivery depends on: the job, the run and the dependencies in one call, and
  /// the job's latest other run in a second one where overlap matters.
  func look(
    at delivery: Delivery, runID: RunID, registered: RegisteredJob
  ) async throws(SituationFault) -> Situation {
    let definition = registered.definition
    var reading = try await read(jobs: [delivery.job] + definition.policy.dependencies, runs: [runID])
    let record = reading.jobs[delivery.job]
    let (job, state): (ResolvedJob, JobState)
    var run: Run?
    do throws(JobError) {
      let document = try record?.document.get()
      job = try resolve(definition, document?.configuration)
      state = document?.state ?? JobState()
      run = try reading.runs[runID]?.run.get()
    } catch {
      throw .rejected(
        JobError(
          .internalError,
          "What is stored for the job \(delivery.job) can't be used. \(error.message) Mend it in the store.",
          field: error.field))
    }
    let missing = job.policy.dependencies.filter {
      reading.jobs[$0] == nil && !definition.policy.dependencies.contains($0)
    }
    let latest = job.overlap == .allow || state.lastRunID == runID ? nil : state.lastRunID
    var previous: Run?
    if !missing.isEmpty || latest != nil {
      let more = try await read(jobs: missing, runs: latest.map { [$0] } ?? [])
      reading.jobs.merge(more.jobs) { first, _ in first }
      previous = latest.flatMap { more.runs[$0] }.flatMap { try? $0.run.get() }
    }
    let input = PlanInput(
      delivery: delivery, runID: runID, job: job, run: run, previous: previous,
      dependencies: Self.statuses(of: job.policy.dependencies, in: reading), now: reading.time, settings: settings)
    return Situation(
      input: input, state: state, runPrecondition: reading.runs[runID].map { .version($0.version) } ?? .absent,
      jobPrecondition: record.map { .version($0.version) } ?? .absent)
  }

  /// How the last occasion of each job went, as far as its document tells.
  static func statuses(of jobs: [JobID], in reading: StoreReading) -> [JobID: JobStatus] {
    var statuses = [JobID: JobStatus]()
    for job in jobs { statuses[job] = try? reading.jobs[job]?.document.get().state.status }
    return statuses
  }

  private func read(jobs: [JobID], runs: [RunID]) async throws(SituationFault) -> StoreReading {
    do throws(StoreError) {
      return try await access.read(jobs: jobs, runs: runs)
    } catch {
      throw .store(error)
    }
  }
}
