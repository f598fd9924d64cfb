#if Server
import CloudJobs
import CloudJobsCore
import CloudJobsPages

/// The page of the store's workers and leaders.
struct WorkerPages: DashboardPages {
  /// The segment of its path.
  static let segment = "workers"

  private let context: DashboardContext

  init(_ context: DashboardContext) { self.context = context }

  func respond(to request: PageRequest) async throws(JobError) -> Dashboard.Reply? {
    guard request.isReading, request.path.count == 1 else { return nil }
    let view = WorkerView(
      try await context.runtime.workers(), leaders: try await context.runtime.leaders(),
      needsWorker: context.runtime.needsWorker, context)
    return context.page(view, "workers", title: "Workers", segment: Self.segment)
  }
}

/// The workers of a store.
struct WorkerView: Sendable {
  /// The maximum number of workers on the page.
  static let maximumRows = 200

  /// A worker.
  struct Row: Sendable {
    var workerName: String
    var workerOwner: String
    var workerState: String
    var workerKind: String
    var workerLoad: String
    var loadValue: Int
    var loadTotal: Int
    var workerProcessed: String
    var workerWork: String
    var seenTime: PageTime
    var startTime: PageTime
  }

  /// An instance that leads under a name.
  struct Leader: Sendable {
    var leaderName: String
    var leaderHolder: String
    var leaderTerm: String
    var leaderState: String
    var leaderKind: String
    var untilTime: PageTime
  }

  var workers: [Row]
  var hasWorkers: Bool
  var leaders: [Leader]
  var hasLeaders: Bool
  /// The number of workers by their states.
  var summaryText: String
  /// What it means that there are none.
  var emptyText: String

  /// Creates the page.
  ///
  /// - Parameters:
  ///   - workers: the workers, by the time of their start.
  ///   - leaders: the terms of leaders.
  ///   - needsWorker: whether the store's runs are for workers.
  ///   - context: the context of the page.
  init(
    _ workers: [WorkerStatus], leaders: [(name: String, ledger: LeaderLedger)], needsWorker: Bool,
    _ context: DashboardContext
  ) {
    self.workers = workers.prefix(Self.maximumRows).map { worker in
      let record = worker.record
      return Row(
        workerName: BoundedText.cut(record.name, to: 120), workerOwner: BoundedText.cut(record.owner, to: 120),
        workerState: worker.state.rawValue, workerKind: Self.kind(worker.state),
        workerLoad: "\(record.active) of \(record.concurrency)", loadValue: min(record.active, record.concurrency),
        loadTotal: max(1, record.concurrency), workerProcessed: PageNumber.text(record.processed),
        workerWork: Self.work(record), seenTime: context.time(worker.seenAt),
        startTime: context.time(record.startedAt))
    }
    self.leaders = leaders.map { name, ledger in
      let leads = ledger.holder != nil && ledger.until > context.now
      return Leader(
        leaderName: BoundedText.cut(name, to: 120), leaderHolder: BoundedText.cut(ledger.holder ?? "none", to: 120),
        leaderTerm: "\(ledger.term)", leaderState: leads ? "leads" : ledger.holder == nil ? "resigned" : "expired",
        leaderKind: leads ? "good" : "warn", untilTime: context.time(ledger.until))
    }
    (hasWorkers, hasLeaders) = (!self.workers.isEmpty, !self.leaders.isEmpty)
    let counts = WorkerStatus.State.allCases.compactMap { state -> String? in
      let count = workers.count { $0.state == state }
      return count == 0 ? nil : "\(PageNumber.text(count)) \(state.rawValue)"
    }
    summaryText = counts.joined(separator: ", ")
    emptyText =
      needsWorker
      ? "No worker has been heard of in the last hour, so runs wait. Start one: a server runs one beside its handler, "
        + "and “cloud-jobs worker” is a process of its own."
      : "No worker, and none is needed: the queue delivers runs to the handler over HTTP."
  }

  private static func kind(_ state: WorkerStatus.State) -> String {
    switch state {
    case .running: "good"
    case .stopping: "warn"
    case .lost: "bad"
    }
  }

  private static func work(_ record: WorkerRecord) -> String {
    switch (record.runsSchedules, record.executesRuns) {
    case (true, true): "schedules and runs"
    case (true, false): "schedules"
    case (false, true): "runs"
    case (false, false): "nothing"
    }
  }
}
#endif
