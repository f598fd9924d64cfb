#if HTTP
public import CloudJobs
public import CloudJobsCore
import HTTPTypes

/// Delivers runs by Google Cloud Tasks, over its REST face.
///
/// A task's name is the hash of its run and the attempt, so that a repeated creation answers ALREADY_EXISTS, which
/// counts as success.
///
/// Source: <https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks/create>.
public struct CloudTasksQueue: TaskQueue {
  private let configuration: CloudTasksConfiguration
  private let service: GoogleCaller

  /// A queue.
  ///
  /// - Parameters:
  ///   - configuration: which queue, and where it delivers to.
  ///   - google: how Cloud Tasks is reached; its clock also tells how far ahead a task is.
  public init(_ configuration: CloudTasksConfiguration, in google: GoogleCloud) {
    self.configuration = configuration
    service = GoogleCaller(
      "Cloud Tasks", google.cloudTasks, in: google, retry: configuration.retry, timeout: configuration.callTimeout)
  }

  /// The runtime tries again, by a task of its own for each attempt.
  public var retryOwner: RetryOwner { .runtime }

  /// Creates tasks, several at a time.
  ///
  /// A task further ahead than Cloud Tasks takes is created for an earlier time: the runtime, when it gets that
  /// delivery, hands the run over again under another name.
  ///
  /// - Parameter tasks: what to deliver.
  /// - Throws: ``JobError`` `tooLarge` where a task exceeds what Cloud Tasks takes, before anything is sent;
  ///   `queueUnavailable` where at least one task was not taken.
  public func enqueue(_ tasks: [QueuedTask]) async throws(JobError) {
    for task in tasks { try CloudTasksBody.checkSize(task, configuration) }
    let limit = max(1, configuration.concurrency)
    let failure = await withTaskGroup(of: JobError?.self) { group -> JobError? in
      var failure: JobError?
      for (index, task) in tasks.enumerated() {
        if index >= limit, let result = await group.next() { failure = failure ?? result }
        if failure != nil { break }
        group.addTask { await self.create(task) }
      }
      for await result in group { failure = failure ?? result }
      return failure
    }
    if let failure { throw failure }
  }

  private func create(_ task: QueuedTask) async -> JobError? {
    let path = "/v2/\(configuration.queueName(task.queue))/tasks"
    let body = CloudTasksBody.create(task, configuration, now: service.clock.now())
    do throws(JobError) {
      _ = try await service.call(.post, path, body, accepting: [409])
      return nil
    } catch {
      return error
    }
  }
}

extension TaskQueue where Self == CloudTasksQueue {
  /// Delivers runs by Google Cloud Tasks.
  ///
  /// - Parameters:
  ///   - configuration: which queue, and where it delivers to.
  ///   - google: how Cloud Tasks is reached.
  /// - Returns: the queue.
  public static func cloudTasks(_ configuration: CloudTasksConfiguration, in google: GoogleCloud) -> CloudTasksQueue {
    CloudTasksQueue(configuration, in: google)
  }
}
#endif
