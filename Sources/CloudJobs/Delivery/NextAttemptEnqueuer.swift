import CloudJobsCore
import Logging

/// Enqueues the tasks that deliver the next attempts of runs.
struct NextAttemptEnqueuer: Sendable {
  let services: RuntimeServices

  init(_ services: RuntimeServices) {
    self.services = services
  }

  /// Enqueues the task of a waiting run's next attempt, and wakes the worker of this process.
  ///
  /// - Parameters:
  ///   - run: the run.
  ///   - timeout: the time limit of an attempt.
  /// - Returns: nil if the queue took the task, or had it already; otherwise the result of a delivery of the run.
  @discardableResult
  func enqueueNextAttempt(of run: Run, timeout: Duration) async -> DeliveryResult? {
    do throws(JobError) {
      try await services.queue(for: run.job).enqueue([task(for: run, timeout: timeout)])
      services.wakeUp.call()
      return nil
    } catch {
      services.logger.warning(
        "The queue refused the task of a run's next attempt. The caller or the sweep enqueues it again.",
        metadata: ["jobId": "\(run.job)", "runId": "\(run.id)", "error": "\(error)"])
      return DeliveryResult(rejected: error, job: run.job)
    }
  }

  /// Enqueues the tasks of recorded runs, if the runtime uses a queue.
  ///
  /// A refusal is no error of the caller: the runs are recorded, and the sweep finds those without a task.
  ///
  /// - Parameters:
  ///   - runs: the runs.
  ///   - timeouts: the time limits of their jobs' attempts.
  func enqueueTasks(of runs: [Run], timeouts: [JobID: Duration]) async {
    defer { services.wakeUp.call() }
    guard services.settings.retryOwner.takesTasks, !runs.isEmpty else { return }
    do throws(JobError) {
      for (jobs, queue) in queues(of: runs) {
        let runs = runs.filter { jobs.contains($0.job) }
        try await queue.enqueue(runs.map { task(for: $0, timeout: timeouts[$0.job] ?? .minutes(5)) })
      }
    } catch {
      services.logger.warning(
        "The queue refused tasks of recorded runs. The sweep enqueues them again.",
        metadata: ["runs": "\(runs.count)", "runId": "\(runs[0].id)", "error": "\(error)"])
    }
  }

  /// Returns the queues of runs, each with its jobs.
  private func queues(of runs: [Run]) -> [(jobs: Set<JobID>, queue: any TaskQueue)] {
    let jobs = Set(runs.map(\.job))
    guard let other = services.options.heavy.otherQueue else { return [(jobs, services.queue)] }
    let heavy = jobs.filter { services.isHandedOver($0) }
    return [(jobs.subtracting(heavy), services.queue), (heavy, other)].filter { !$0.jobs.isEmpty }
  }

  private func task(for run: Run, timeout: Duration) -> QueuedTask {
    QueuedTask(
      name: run.nextTaskName, queue: run.queue, body: Envelope.native(for: run.nextDelivery),
      notBefore: run.notBefore > run.createdAt ? run.notBefore : nil,
      deadline: (run.timeout ?? timeout) + services.settings.leaseMargin, trace: run.trace)
  }
}

extension Run {
  /// The delivery of the next attempt.
  var nextDelivery: Delivery {
    var delivery = Delivery(job: job, trigger: trigger, attempt: attempt.successor, correlationID: correlationID)
    delivery.runID = id
    delivery.reenqueues = reenqueues
    return delivery
  }
}
