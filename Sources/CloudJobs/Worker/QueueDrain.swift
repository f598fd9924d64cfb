import CloudJobsCore

/// Executes what is due within one request, for platforms whose only trigger is a timer.
struct QueueDrain: Sendable {
  private let services: RuntimeServices

  init(_ services: RuntimeServices) {
    self.services = services
  }

  /// Executes what is due.
  func run() async -> QueueDrainSummary {
    var summary = QueueDrainSummary()
    if services.active.isDraining {
      summary.error = .shuttingDown
      return summary
    }
    let options = services.options.drain
    let end = services.steadyClock.now() + options.budget
    var worker = JobWorker.Options()
    worker.concurrency = options.concurrency
    let loop = WorkerLoop(services.bounded(by: end), worker, isDrain: true)
    let result = await withTaskGroup(of: Void.self) { group in
      do throws(StoreError) {
        var upkeep = Upkeep(worker, services)
        await upkeep.perform()
        let isComplete = try await loop.drain(until: end) { work in group.addTask { await work() } }
        return Result<Bool, StoreError>.success(isComplete)
      } catch {
        return .failure(error)
      }
    }
    summary.started = loop.progressCount
    switch result {
    case .success(let isComplete): summary.isComplete = isComplete
    case .failure(let error): summary.error = JobError(error)
    }
    let now = services.clock.now()
    if summary.error == nil { services.health.note { $0.passEnded(at: now) } }
    services.health.log(at: now)
    return summary
  }
}

/// The limits of a drain.
public struct QueueDrainOptions: Hashable, Sendable {
  /// The time for which attempts may begin and execute; the time limit of the request should be some seconds longer.
  ///
  /// It limits the leases too: if the process ends without a trace, its runs are free again after the budget and
  /// ``RuntimeOptions/leaseMargin`` at the latest.
  public var budget = Duration.seconds(50)
  /// The maximum number of attempts at once.
  public var concurrency = 10

  /// Creates the default limits: 50 seconds, 10 attempts at once.
  public init() {}
}

/// The summary of a drain.
public struct QueueDrainSummary: Hashable, Sendable {
  /// The number of due jobs and attempts that were processed.
  public var started = 0
  /// Whether nothing was due any more at the end; the next drain continues otherwise.
  ///
  /// What can't be processed here, such as a run of a job that is not registered, stays due.
  public var isComplete = false
  /// The error that ended the drain, if any.
  public var error: JobError?

  /// Creates the summary of a drain that did nothing.
  public init() {}
}
