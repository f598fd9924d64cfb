public import CloudJobsCore

extension CloudTasksService {
  /// The most tasks that one batch may create.
  public static let maximumCreationBatch = 100
  /// The most tasks that one batch may delete.
  public static let maximumDeletionBatch = 1_000

  /// Creates tasks, each by itself: one that fails does not keep the others from being created.
  ///
  /// - Parameters:
  ///   - batch: the tasks, each with how much of it to answer; 1 to 100.
  ///   - parent: the queue of all of them.
  ///   - now: the time.
  /// - Returns: a task or a refusal for each, in order.
  /// - Throws: ``ServiceFault`` `invalidArgument` for the size of the batch, `notFound` for the queue.
  public mutating func createTasks(
    _ batch: [(task: CloudTasks.NewTask, view: CloudTasks.View)], in parent: CloudTasks.QueueName, at now: Timestamp
  ) throws(ServiceFault) -> [Result<CloudTasks.Task, ServiceFault>] {
    guard (1...Self.maximumCreationBatch).contains(batch.count) else {
      throw .invalidArgument("A batch must have 1 to \(Self.maximumCreationBatch) requests.")
    }
    _ = try state(of: parent)
    var results: [Result<CloudTasks.Task, ServiceFault>] = []
    for (task, view) in batch {
      do throws(ServiceFault) {
        results.append(.success(try createTask(task, in: parent, view: view, at: now)))
      } catch {
        results.append(.failure(error))
      }
    }
    return results
  }

  /// Deletes tasks, each by itself: one that fails does not keep the others from being deleted.
  ///
  /// - Parameters:
  ///   - names: the tasks' names, 1 to 1,000.
  ///   - parent: the queue of all of them.
  ///   - now: the time.
  /// - Returns: nil or a refusal for each, in order.
  /// - Throws: ``ServiceFault`` `invalidArgument` for the size of the batch, `notFound` for the queue.
  public mutating func deleteTasks(
    _ names: [String], in parent: CloudTasks.QueueName, at now: Timestamp
  ) throws(ServiceFault) -> [ServiceFault?] {
    guard (1...Self.maximumDeletionBatch).contains(names.count) else {
      throw .invalidArgument("A batch must have 1 to \(Self.maximumDeletionBatch) names.")
    }
    _ = try state(of: parent)
    var results: [ServiceFault?] = []
    for text in names {
      do throws(ServiceFault) {
        let name = try CloudTasks.TaskName(text)
        guard name.queue == parent else {
          throw .invalidArgument("The task \(text) is not of the queue '\(parent)'.")
        }
        try deleteTask(name, at: now)
        results.append(nil)
      } catch {
        results.append(error)
      }
    }
    return results
  }
}
