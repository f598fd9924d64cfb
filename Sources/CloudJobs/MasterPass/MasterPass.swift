public import CloudJobsCore
import Synchronization

/// Runs the master job: processes the jobs that are due, and at times sweeps, reconciles and purges.
struct MasterPass: Sendable {
  private let services: RuntimeServices
  private var options: RuntimeOptions { services.options }

  init(_ services: RuntimeServices) {
    self.services = services
  }

  /// Runs one pass.
  func run() async -> PassSummary {
    if services.active.isDraining {
      var summary = PassSummary()
      summary.error = .shuttingDown
      return summary
    }
    let start = services.steadyClock.now()
    defer { services.metrics.observe(.passDuration, services.steadyClock.now() - start) }
    return await run(until: start + options.passBudget)
  }

  private func run(until end: Timestamp) async -> PassSummary {
    var summary = PassSummary()
    var journal = [PassJournalEntry.Line]()
    var time = services.clock.now()
    do throws(StoreError) {
      let reconciler = DocumentReconciler(services)
      if !services.isPrepared { try await reconciler.reconcile() }
      try await processDueJobs(until: end, &summary, &journal, &time)
      let isHousekeeping = isFirst(of: options.housekeeping, time)
      if isHousekeeping || services.settings.retryOwner.isSweptByEveryPass {
        summary.recovered = try await RunSweeper(services).sweep(until: end)
      }
      if isHousekeeping {
        let documents = try await reconciler.reconcile()
        await reconciler.announce(documents)
        if isFirst(of: .hours(1), time) { try await RetentionPurge(services).run(until: end, documents) }
      }
    } catch {
      summary.error = JobError(error)
    }
    // What was decided without a commit is told too, also by a pass that broke off.
    do throws(StoreError) {
      try await PassJournal(services).append(journal, time: time)
    } catch {
      summary.error = summary.error ?? JobError(error)
    }
    let now = services.clock.now()
    if summary.error == nil { services.health.note { $0.passEnded(at: now) } }
    services.health.log(at: now)
    return summary
  }

  /// Processes the jobs that are due, page by page, while the budget lasts.
  private func processDueJobs(
    until end: Timestamp, _ summary: inout PassSummary, _ journal: inout [PassJournalEntry.Line],
    _ time: inout Timestamp
  ) async throws(StoreError) {
    let processor = DueJobProcessor(services)
    var cursor: StoreCursor?
    repeat {
      let page = try await processor.page(after: cursor)
      time = page.time
      cursor = page.next
      if !page.records.isEmpty {
        let results = try await process(page, processor, until: end)
        for result in results { summary.add(result, to: &journal) }
        if results.count < page.records.count { summary.isComplete = false }
      }
    } while cursor != nil && services.steadyClock.now() < end && !services.active.isDraining
    if cursor != nil { summary.isComplete = false }
  }

  /// Processes a page of due jobs in the order of service, several at once.
  private func process(
    _ page: StorePage<JobRecord>, _ processor: DueJobProcessor, until end: Timestamp
  ) async throws(StoreError) -> [DueJobResult] {
    let (jobs, context) = try await processor.load(page)
    let limit = max(1, options.passConcurrency)
    return await withTaskGroup(of: (Int, DueJobResult?).self) { group in
      var results = [Int: DueJobResult]()
      for (index, job) in jobs.enumerated() {
        if index >= limit, let (done, result) = await group.next() { results[done] = result }
        if services.steadyClock.now() >= end || services.active.isDraining { break }
        group.addTask { (index, await processor.process(job, context)) }
      }
      for await (done, result) in group { results[done] = result }
      return results.sorted { $0.key < $1.key }.map(\.value)
    }
  }

  /// Whether a time lies in the first minute of an interval.
  private func isFirst(of interval: Duration, _ time: Timestamp) -> Bool {
    let (interval, minute) = (interval.microseconds, Int64(60_000_000))
    return interval <= minute || time.microseconds.flooringDivision(by: interval).remainder < minute
  }
}

/// The summary of a master pass.
public struct PassSummary: Hashable, Sendable {
  /// The number of jobs that were due.
  public var due = 0
  /// The number of runs that the pass executed or enqueued.
  public var started = 0
  /// The number of occurrences that a closed gate skipped.
  public var skipped = 0
  /// The number of lost runs that the pass recovered.
  public var recovered = 0
  /// The number of invalid documents that the pass set aside.
  public var quarantined = 0
  /// The number of jobs that another pass processed first.
  public var raced = 0
  /// Whether the pass processed everything that was due within its budget; the next pass continues otherwise.
  public var isComplete = true
  /// The error that ended the pass, if any.
  public var error: JobError?

  /// Creates the summary of a pass that did nothing.
  public init() {}

  fileprivate mutating func add(_ result: DueJobResult, to journal: inout [PassJournalEntry.Line]) {
    due += 1
    journal += result.lines
    switch result {
    case .planned(let lines):
      started += lines.count { $0.hasCreatedRun }
      skipped += lines.count { !$0.hasCreatedRun && !$0.isWaiting }
    case .quarantined, .nameless: quarantined += 1
    case .raced: raced += 1
    case .unavailable: isComplete = false
    }
  }
}

extension PassJournalEntry.Line {
  /// Whether the decision created a run.
  fileprivate var hasCreatedRun: Bool { [.run, .queued].contains(PassJournalEntry.Verdict(rawValue: verdict)) }

  /// Whether the decision created the run of its time, covers no other, and left the schedule as it was.
  var isToldByRun: Bool { missed == nil && plan == nil && hasCreatedRun }
}

/// The journal of the decisions about jobs that no run tells.
///
/// A decision stands in the commit that it tells, in an entry of its own: it is stored if and only if it took place,
/// and has its own time.
struct PassJournal: Sendable {
  /// The decisions that no commit tells, because they change nothing.
  private static let uncommitted: [PassJournalEntry.Verdict] = [.waiting, .unavailable]

  private let services: RuntimeServices

  init(_ services: RuntimeServices) {
    self.services = services
  }

  /// Appends those decisions of a pass that no commit has told.
  ///
  /// - Parameters:
  ///   - lines: the decisions.
  ///   - time: the store's time of the pass.
  /// - Throws: ``StoreError``.
  func append(_ lines: [PassJournalEntry.Line], time: Timestamp) async throws(StoreError) {
    let untold = lines.filter { line in
      PassJournalEntry.Verdict(rawValue: line.verdict).map { Self.uncommitted.contains($0) } ?? false
    }
    for start in stride(from: 0, to: untold.count, by: StoreLimits.batch) {
      let part = Array(untold.dropFirst(start).prefix(StoreLimits.batch))
      _ = try await services.client.commit([write(part, time: time)])
    }
  }

  /// Returns the write of decisions, for the commit that they tell.
  ///
  /// - Parameters:
  ///   - lines: the decisions.
  ///   - time: the store's time at which they were made.
  ///   - actor: the operator whose action they tell; nil for decisions.
  /// - Returns: the write. Entries of one time are in the order in which this instance made them.
  func write(_ lines: [PassJournalEntry.Line], time: Timestamp, by actor: String? = nil) -> Write {
    let owner = services.settings.owner
    let number = "\(services.journalNumbers.next())"
    let place = String(repeating: "0", count: max(0, 10 - number.count)) + number
    let id = "\(time)-\(owner)-\(place)"
    return .putJournal(PassJournalEntry(id: id, time: time, owner: owner, lines: lines, actor: actor))
  }
}

/// The numbers of an instance's entries in the pass journal.
final class JournalNumbers: Sendable {
  private let last = Atomic(0)

  /// Returns a number that no other entry of the instance has.
  func next() -> Int { last.add(1, ordering: .relaxed).newValue }
}
