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
      summary.error = .shuttingDown
      return summary
    }
    let end = clock.now() + options.passBudget
    var journal = [JournalEntry.Line]()
    var time = clock.now()
    do throws(StoreError) {
      try await serveDue(until: end, &summary, &journal, &time)
      let isHousekeeping = isHousekeepingTime(time)
      // Without a queue of its own, what waits in the store is found by each pass.
      if isHousekeeping || queue.retryOwner != .runtime { summary.recovered = try await sweep(until: end) }
      if isHousekeeping {
        await announce(try await reconcileDocuments())
        if isFirst(of: .hours(1), time) { try await purge(until: end) }
      }
    } catch {
      summary.error = JobError(error)
    }
    // What was decided is told also where the pass broke off.
    do throws(StoreError) {
      try await keep(journal, time: time)
    } catch {
      summary.error = summary.error ?? JobError(error)
    }
    let now = clock.now()
    if summary.error == nil { health.note { $0.passEnded(at: now) } }
    health.log(at: now)
    return summary
  }

  /// Deals with all that is due, page by page, while the budget lasts.
  private func serveDue(
    until end: Timestamp, _ summary: inout PassSummary, _ journal: inout [JournalEntry.Line], _ time: inout Timestamp
  ) async throws(StoreError) {
    var cursor: StoreCursor?
    repeat {
      let page = try await duePage(after: cursor)
      time = page.time
      cursor = page.next
      if !page.records.isEmpty {
        let results = try await serve(page, until: end)
        for result in results { summary.add(result, to: &journal) }
        if results.count < page.records.count { summary.isComplete = false }
      }
    } while cursor != nil && clock.now() < end && !active.isDraining
    if cursor != nil { summary.isComplete = false }
  }

  /// A page of the jobs that are due.
  func duePage(after cursor: StoreCursor?) async throws(StoreError) -> StorePage<JobRecord> {
    let page = try await access.attempt { () async throws(StoreError) in
      try await store.dueJobs(after: cursor, limit: Self.passPage)
    }
    let now = clock.now()
    health.note { $0.observe(storeTime: page.time, at: now) }
    return page
  }

  /// Whether a pass at this time looks for what was lost and edited.
  private func isHousekeepingTime(_ time: Timestamp) -> Bool {
    isFirst(of: options.housekeeping, time)
  }

  /// Whether a time lies in the first minute of a span.
  private func isFirst(of span: Duration, _ time: Timestamp) -> Bool {
    let (span, minute) = (span.microseconds, Int64(60_000_000))
    return span <= minute || time.microseconds.flooringDivision(by: span).remainder < minute
  }

  /// Keeps the decisions of a pass.
  ///
  /// Runs that took place tell their own story, so that an entry is written only where
  /// something was decided otherwise.
  ///
  /// - Parameters:
  ///   - lines: the decisions.
  ///   - time: the store's time of the pass.
  ///   - name: what tells the entry from others of the same time and owner.
  /// - Throws: ``StoreError``.
  func keep(_ lines: [JournalEntry.Line], time: Timestamp, name: String? = nil) async throws(StoreError) {
    guard lines.contains(where: { $0.verdict != "run" && $0.verdict != "queued" }) else { return }
    let id = "\(time)-\(settings.owner)" + (name.map { "-\($0)" } ?? "")
    let entry = JournalEntry(id: id, time: time, owner: settings.owner, lines: lines)
    _ = try await access.commit([.putJournal(entry)])
  }

  /// Deals with a page of due jobs: by priority, then time, then name; several at once, begun in this order.
  private func serve(
    _ page: StorePage<JobRecord>, until end: Timestamp
  ) async throws(StoreError) -> [DueResult] {
    let (jobs, context) = try await dueJobs(with: page)
    let limit = max(1, options.passConcurrency)
    return await withTaskGroup(of: (Int, DueResult?).self) { group in
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

  /// The records of a page with their jobs as they stand, in the order of service, and what their decisions depend on.
  func dueJobs(with page: StorePage<JobRecord>) async throws(StoreError) -> ([DueJob], PassContext) {
    let jobs = dueJobs(of: page)
    return (jobs, try await context(of: jobs, at: page.time))
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

  /// What the decisions of a page depend on besides the documents, read in few calls.
  private func context(of jobs: [DueJob], at time: Timestamp) async throws(StoreError) -> PassContext {
    var context = PassContext(reading: StoreReading(time: time, jobs: [:], runs: [:]), local: clock.now())
    let runs = jobs.compactMap { due in due.job?.overlap == .allow ? nil : due.document?.state.lastRunID }
    let dependencies = Set(jobs.flatMap { $0.job?.policy.dependencies ?? [] }).sorted()
    for start in stride(from: 0, to: max(runs.count, dependencies.count), by: StoreLimits.batch) {
      let reading = try await access.read(
        jobs: Array(dependencies.dropFirst(start).prefix(StoreLimits.batch)),
        runs: Array(runs.dropFirst(start).prefix(StoreLimits.batch)))
      context.reading.jobs.merge(reading.jobs) { _, later in later }
      context.reading.runs.merge(reading.runs) { _, later in later }
    }
    return context
  }
}

/// What the decisions of a page depend on, and the two clocks when its time was read.
struct PassContext: Sendable {
  /// The store's time of the page, the dependencies and the latest runs.
  var reading: StoreReading
  /// The local time then.
  var local: Timestamp

  /// The store's time: the local clock only measures how long ago it was read.
  func now(local now: Timestamp) -> Timestamp { reading.time + max(.zero, now - local) }
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

  /// The decisions to keep in the journal.
  var lines: [JournalEntry.Line] {
    switch self {
    case .lines(let lines): lines
    case .quarantined(let line), .raced(let line), .unreachable(let line): [line]
    }
  }

  /// Whether the job's document has moved on, by this pass or by another.
  var hasProgressed: Bool {
    switch self {
    case .lines(let lines): !lines.isEmpty
    case .quarantined, .raced: true
    case .unreachable: false
    }
  }
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
    case .unreachable(let line):
      isComplete = false
      journal.append(line)
    }
  }
}
