#if Server
import CloudJobs
import CloudJobsCore
import CloudJobsPages
import HTTPTypes

/// The pages that change many runs: a question that tells what will be done to how many, and steps that do it.
struct BulkPages: Sendable {
  /// The segment of their path under that of the runs.
  static let segment = "bulk"
  /// The number of runs up to which they are counted before the first step.
  static let countLimit = 5_000
  /// The time after which a step ends.
  static let timeLimit = Duration.seconds(5)
  /// The number of runs that the question shows.
  static let sampleSize = 5

  private let context: DashboardContext
  private var runtime: JobRuntime { context.runtime }

  init(_ context: DashboardContext) { self.context = context }

  /// Answers a request: with GET the question, with POST a step.
  func respond(to request: PageRequest) async throws(JobError) -> Dashboard.Reply {
    request.isReading ? try await ask(request) : try await perform(request)
  }

  // MARK: The question

  private func ask(_ request: PageRequest) async throws(JobError) -> Dashboard.Reply {
    guard context.mayChange else {
      throw JobError(.permissionDenied, "You may look at the dashboard, and not change anything.")
    }
    var progress = try BulkProgress(request.query)
    var sample: [Run]
    if let selection = progress.selection {
      let runs = try await runtime.runs(withIDs: selection)
      sample = selection.compactMap { runs[$0] }
      progress.total = selection.count
    } else {
      // What is made from now on was not asked for, such as the new runs of a redrive.
      let now = context.now + .microseconds(1)
      progress.query.filter.createdBefore = min(progress.query.filter.createdBefore ?? now, now)
      sample = try await count(&progress)
    }
    sample = Array(sample.prefix(Self.sampleSize))
    let view = BulkQuestionView(progress, sample: sample.map { RunRow(runtime.redacted($0), context) }, context)
    return context.page(view, "bulk_question", title: view.title, segment: RunPages.segment, isLive: false)
  }

  /// Counts the runs up to a bound; returns the latest ones.
  private func count(_ progress: inout BulkProgress) async throws(JobError) -> [Run] {
    let scan = RunScan(runtime: runtime, query: progress.query)
    let step = try await scan.step(
      after: nil, limit: Self.countLimit, maximumReads: Self.countLimit, statuses: progress.change.statuses)
    (progress.total, progress.isMore) = (step.runs.count, step.next != nil)
    return Array(step.runs.prefix(Self.sampleSize))
  }

  // MARK: The steps

  private func perform(_ request: PageRequest) async throws(JobError) -> Dashboard.Reply {
    var progress = try BulkProgress(request.form)
    let wasFirst = progress.isFirst
    let subject = progress.subject
    progress.isFirst = false
    var fault: JobError?
    var isOver = false
    do throws(JobError) {
      isOver =
        progress.selection == nil ? try await performScan(&progress) : try await performSelection(&progress)
    } catch {
      // What was done stays done, and the visitor goes on when the store is there again.
      fault = error
    }
    if isOver {
      await context.record("\(progress.summary) It concerned \(subject).", job: progress.query.filter.job)
    } else if wasFirst {
      await context.record(
        "Began a change of many runs: \(progress.change.label.lowercased()), \(subject).",
        job: progress.query.filter.job)
    }
    let view = BulkProgressView(progress, isOver: isOver, fault: fault, context)
    return context.page(
      view, "bulk_progress", title: view.title, segment: RunPages.segment, isLive: false,
      status: fault == nil ? .ok : .serviceUnavailable)
  }

  /// Changes the runs of a step; returns whether there are no more.
  private func performScan(_ progress: inout BulkProgress) async throws(JobError) -> Bool {
    let scan = RunScan(runtime: runtime, query: progress.query)
    let step = try await scan.step(
      after: progress.cursor, limit: BulkProgress.stepSize, statuses: progress.change.statuses)
    let end = runtime.clock.now() + Self.timeLimit
    for (index, run) in step.runs.enumerated() {
      progress.note(try await progress.change.apply(to: run, in: runtime, because: progress.because))
      progress.cursor = StoreCursor(key: run.createdAt.microseconds, id: run.id.rawValue)
      if runtime.clock.now() >= end, index < step.runs.count - 1 { return false }
    }
    progress.cursor = step.next
    return step.next == nil
  }

  /// Changes selected runs; returns whether there are no more.
  private func performSelection(_ progress: inout BulkProgress) async throws(JobError) -> Bool {
    let ids = progress.selection ?? []
    let runs = try await runtime.runs(withIDs: ids)
    let end = runtime.clock.now() + Self.timeLimit
    for (index, id) in ids.enumerated() {
      if let run = runs[id] {
        progress.note(try await progress.change.apply(to: run, in: runtime, because: progress.because))
      } else {
        progress.note(.failed("No run has this id."))
      }
      progress.selection = Array(ids.dropFirst(index + 1))
      if runtime.clock.now() >= end, index < ids.count - 1 { return false }
    }
    return true
  }
}
#endif
