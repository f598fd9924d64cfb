import CloudJobsCore

extension JobRuntime {
  /// The jobs that a pass reads at a time.
  static let passPage = 100

  /// One execution of the master job: runs what is due, oldest first, and now and then looks for what was lost.
  ///
  /// Any number of passes may run at once: each job is claimed by a conditional write. When nothing is due, a pass
  /// costs one query.
  public func pass() async -> PassSummary {
    var summary = PassSummary()
    if active.isDraining {
      summary.error = JobError(.storeUnavailable, "This instance is shutting down. Deliver again.")
      return summary
    }
    let begin = clock.now()
    let end = begin + options.passBudget
    var journal = [JournalEntry.Line]()
    var time = begin
    do throws(StoreError) {
      var cursor: StoreCursor?
      repeat {
        let page = try await access.attempt { () async throws(StoreError) in
          try await store.dueJobs(after: cursor, limit: Self.passPage)
        }
        time = page.time
        cursor = page.next
        if !page.records.isEmpty {
          let results = try await serve(page, until: end)
          for result in results { summary.add(result, to: &journal) }
        }
        summary.isComplete = cursor == nil
      } while cursor != nil && clock.now() < end && !active.isDraining
      if isHousekeepingTime(time) {
        summary.recovered = try await sweep(until: end)
        _ = try await reconcileDocuments()
      }
      try await keep(journal, time: time)
    } catch {
      summary.error = JobError(error)
    }
    return summary
  }

  /// Whether this is the first minute of a span between housekeepings.
  private func isHousekeepingTime(_ time: Timestamp) -> Bool {
    let span = options.housekeeping.microseconds
    let minute = Int64(60_000_000)
    return span <= minute || time.microseconds.flooringDivision(by: span).remainder < minute
  }

  /// Keeps the decisions of a pass. Runs that took place tell their own story, so that an entry is written only where
  /// something was decided otherwise.
  private func keep(_ lines: [JournalEntry.Line], time: Timestamp) async throws(StoreError) {
    guard lines.contains(where: { $0.verdict != "run" && $0.verdict != "queued" }) else { return }
    let entry = JournalEntry(id: "\(time)-\(settings.owner)", time: time, owner: settings.owner, lines: lines)
    _ = try await access.commit([.putJournal(entry)])
  }

  /// Deals with a page of due jobs: by priority, then time, then name; several at once, begun in this order.
  private func serve(
    _ page: StorePage<JobRecord>, until end: Timestamp
  ) async throws(StoreError) -> [DueResult] {
    let jobs = dueJobs(of: page)
    let context = try await context(of: jobs)
    let limit = max(1, options.passConcurrency)
    return await withTaskGroup(of: (Int, DueResult).self) { group in
      var results = [Int: DueResult]()
      for (index, job) in jobs.enumerated() {
        if index >= limit, let (done, result) = await group.next() { results[done] = result }
        if clock.now() >= end || active.isDraining { break }
        group.addTask { (index, await self.serve(job, context)) }
      }
      for await (done, result) in group { results[done] = result }
      return results.sorted { $0.key < $1.key }.map(\.value)
    }
  }

  /// The records of a page with their jobs as they stand, in the order of service.
  private func dueJobs(of page: StorePage<JobRecord>) -> [DueJob] {
    page.records.map { record in
      do throws(JobError) {
        let document = try record.document.get()
        guard let registered = registry.jobs[document.id] else {
          return DueJob(record: record, fault: JobError(.unknownJob, "No job of this name is registered here."))
        }
        let job = try resolve(registered.definition, document.configuration)
        return DueJob(record: record, document: document, job: job, registered: registered)
      } catch {
        return DueJob(record: record, fault: error)
      }
    }.sorted { $0.order < $1.order }
  }

  /// What the decisions of a page depend on besides the documents, read in one call.
  private func context(of jobs: [DueJob]) async throws(StoreError) -> StoreReading {
    let runs = jobs.compactMap { due in due.job?.overlap == .allow ? nil : due.document?.state.lastRunID }
    let dependencies = Set(jobs.flatMap { $0.job?.policy.dependencies ?? [] }).sorted()
    if runs.isEmpty, dependencies.isEmpty { return StoreReading(time: clock.now(), jobs: [:], runs: [:]) }
    return try await access.read(jobs: dependencies, runs: runs)
  }
}

/// A job that is due, as a pass sees it.
struct DueJob: Sendable {
  var record: JobRecord
  var document: JobDocument?
  var job: ResolvedJob?
  var registered: RegisteredJob?
  var fault: JobError?

  /// High priority first, then the time that has waited longest, then the name.
  var order: (Int, Timestamp, String) {
    (-(job?.policy.priority ?? 0), record.nextRun ?? .distantPast, record.id)
  }
}

/// What became of a due job.
enum DueResult: Sendable {
  case lines([JournalEntry.Line])
  case quarantined(JournalEntry.Line)
  case raced(JournalEntry.Line)
  case unreachable(JournalEntry.Line)
}

extension PassSummary {
  fileprivate mutating func add(_ result: DueResult, to journal: inout [JournalEntry.Line]) {
    due += 1
    switch result {
    case .lines(let lines):
      started += lines.count { $0.run != nil }
      skipped += lines.count { $0.run == nil }
      journal += lines
    case .quarantined(let line):
      quarantined += 1
      journal.append(line)
    case .raced(let line):
      raced += 1
      journal.append(line)
    case .unreachable(let line): journal.append(line)
    }
  }
}
