#if Server
import CloudJobs
import CloudJobsCore

/// Reads the runs of a query, latest first, in bounded steps.
struct RunScan: Sendable {
  /// The maximum number of runs that a step reads.
  static let maximumReads = 2_000
  /// The time after which a step ends.
  static let timeLimit = Duration.milliseconds(120)
  /// The number of runs that are read at once for a search.
  static let searchBatch = 250

  /// The result of a step.
  struct Step: Sendable {
    /// The runs that match, latest first, as they are stored.
    var runs: [Run] = []
    /// The position after the last run that was read; nil if there are no more.
    var next: StoreCursor?
    /// The number of runs that were read.
    var reads = 0
    /// The creation of the oldest run that was read; nil if none was.
    var oldest: Timestamp?
    /// The number of runs that have encrypted payloads, which are not searched.
    var encrypted = 0
  }

  /// The runtime.
  let runtime: JobRuntime
  /// The query, without an id.
  let query: RunQuery

  /// Reads runs until enough match, or until the bounds of a step.
  ///
  /// - Parameters:
  ///   - cursor: the position after which to read; nil for the latest run.
  ///   - limit: the number of runs that are enough.
  ///   - maximumReads: the maximum number of runs to read.
  ///   - statuses: the statuses of the runs to read, if the query leaves them open.
  /// - Returns: the runs and the position of the next step.
  /// - Throws: ``/CloudJobsCore/JobError`` `storeUnavailable`.
  func step(
    after cursor: StoreCursor?, limit: Int, maximumReads: Int = maximumReads, statuses: Set<RunStatus>? = nil
  ) async throws(JobError) -> Step {
    var filter = query.filter
    filter.statuses = filter.statuses ?? statuses
    let matcher = RunMatcher(query, runtime)
    let deadline = runtime.clock.now() + Self.timeLimit
    var (step, position) = (Step(), cursor)
    while true {
      let wanted = query.isSearch ? Self.searchBatch : limit - step.runs.count
      let page = try await runtime.runs(
        matching: filter, after: position, limit: min(wanted, maximumReads - step.reads, StoreLimits.batch))
      let repeats = try await matcher.repeats(of: page.runs)
      for (index, run) in page.runs.enumerated() {
        step.reads += 1
        step.oldest = run.createdAt
        if JobRuntime.isEncrypted(run.input) || JobRuntime.isEncrypted(run.output) { step.encrypted += 1 }
        if matcher.matches(run, repeats) { step.runs.append(run) }
        let isLast = index == page.runs.count - 1
        guard step.runs.count >= limit || (query.isSearch && runtime.clock.now() >= deadline), !isLast else { continue }
        step.next = StoreCursor(key: run.createdAt.microseconds, id: run.id.rawValue)
        return step
      }
      position = page.next
      step.next = page.next
      guard position != nil, step.runs.count < limit, step.reads < maximumReads, runtime.clock.now() < deadline else {
        return step
      }
    }
  }
}

/// Decides whether runs match the conditions of a query that the store does not decide.
struct RunMatcher: Sendable {
  private let search: RunSearch?
  private let group: String?
  private let filter: RepeatFilter?
  private let runtime: JobRuntime

  init(_ query: RunQuery, _ runtime: JobRuntime) {
    (search, group, self.runtime) = (query.search.map { RunSearch($0) }, query.group, runtime)
    filter = query.repeats
  }

  /// Reads the runs that repeat others, as far as they decide whether those match.
  ///
  /// - Parameter runs: at most 500 runs.
  /// - Returns: the repeats; none if the query does not ask for them.
  /// - Throws: ``/CloudJobsCore/JobError`` `storeUnavailable`.
  func repeats(of runs: [Run]) async throws(JobError) -> RunRepeats {
    filter == nil ? RunRepeats() : try await RunRepeats(of: runs, in: runtime)
  }

  /// Returns whether a run matches, by what a page would show of it.
  ///
  /// - Parameters:
  ///   - run: the run as it is stored.
  ///   - repeats: the runs that repeat others, as ``repeats(of:)`` returns them.
  /// - Returns: whether it matches.
  func matches(_ run: Run, _ repeats: RunRepeats) -> Bool {
    if let filter {
      guard let state = repeats.state(of: run), filter.matches(state.kind) else { return false }
    }
    // Where values are confidential, the stored form decides nothing: a text that it has would take longer, and tell.
    if let search, !runtime.redactsPayloads, !search.mayMatch(run) { return false }
    if search == nil, group == nil { return true }
    let shown = runtime.redacted(run)
    if let search, !search.matches(shown) { return false }
    if let group { return shown.status == .failed && DeadLetterGroup.key(of: shown) == group }
    return true
  }
}
#endif
