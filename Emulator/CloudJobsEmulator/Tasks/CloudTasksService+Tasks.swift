package import CloudJobsCore

extension CloudTasksService {
  private static var missing: ServiceFault { ServiceFault(.notFound, "Requested entity was not found.") }

  /// Creates a task, due at once or at its schedule time.
  ///
  /// - Parameters:
  ///   - new: the task.
  ///   - parent: the queue.
  ///   - view: the parts of the task to return.
  ///   - now: the current time.
  /// - Returns: the task with its name.
  /// - Throws: ``ServiceFault`` `invalidArgument`, `notFound` for the queue, or `alreadyExists` for a name in use or
  ///   used recently.
  package mutating func createTask(
    _ new: CloudTasks.NewTask, in parent: CloudTasks.QueueName, view: CloudTasks.View = .basic, at now: Timestamp
  ) throws(ServiceFault) -> CloudTasks.Task {
    if case .appEngine = new.target, options.appEngineOrigin == nil {
      throw ServiceFault(.failedPrecondition, "App Engine is not emulated; set the option appEngineOrigin")
    }
    let target = try new.storedTarget(in: queues[parent]?.queue ?? CloudTasks.Queue(name: parent), at: now)
    var named: CloudTasks.TaskName?
    if let text = new.name, !text.isEmpty {
      let name = try CloudTasks.TaskName(text)
      guard name.queue == parent else {
        throw .invalidArgument(
          "The queue name from request ('\(parent)') must be the same as the queue name in the named task "
            + "('\(name.queue)').")
      }
      named = name
    }
    guard let index = queues.index(forKey: parent) else {
      _ = try state(of: parent)
      throw Self.missing
    }
    if let named, queues.values[index].isTaken(named.id, at: now) {
      throw ServiceFault(.alreadyExists, "Requested entity already exists")
    }
    let name = named ?? freshName(in: parent, at: now)
    let task = CloudTasks.Task(
      name: name, target: target, scheduleTime: max(new.scheduleTime ?? now, now),
      createTime: Timestamp(seconds: now.seconds),
      dispatchDeadline: new.dispatchDeadline.flatMap { $0 == .zero ? nil : $0 } ?? target.defaultDeadline,
      retryConfig: new.retryConfig)
    guard task.storedBytes <= CloudTasks.Task.maximumBytes else { throw .invalidArgument("Task size too large") }
    let sequence = nextTicket()
    queues.values[index].insert(task, sequence: sequence, at: now)
    touch(parent, at: now)
    return task.shown(in: view)
  }

  /// Returns a task.
  ///
  /// - Throws: ``ServiceFault`` `notFound`; its message distinguishes a task that ended recently from an unknown one.
  package func getTask(_ name: CloudTasks.TaskName, view: CloudTasks.View = .basic, at now: Timestamp)
    throws(ServiceFault) -> CloudTasks.Task
  {
    let state = queues[name.queue]
    if let task = state?.tasks[name.id]?.task { return task.shown(in: view) }
    guard state?.endedRecently(name.id, at: now) == true else { throw Self.missing }
    throw ServiceFault(
      .notFound,
      "The task no longer exists, though a task with this name existed recently. The task either successfully "
        + "completed or was deleted.")
  }

  /// Returns a page of the tasks of a queue, sorted by name, at most 1,000 per page.
  ///
  /// - Throws: ``ServiceFault`` `notFound` for the queue, `invalidArgument` for an invalid page request.
  package func listTasks(
    in parent: CloudTasks.QueueName, page: PageRequest = .init(), view: CloudTasks.View = .basic
  ) throws(ServiceFault) -> ResourcePage<CloudTasks.Task> {
    let limit = try page.limit(maximum: 1_000)
    let state = try state(of: parent)
    let names = state.names.elements(after: page.token.isEmpty ? nil : page.token, limit: limit + 1)
    let items = names.prefix(limit).compactMap { state.tasks[$0]?.task.shown(in: view) }
    return ResourcePage(items: items, nextPageToken: names.count > limit ? names[limit - 1] : "")
  }

  /// Deletes a task; an attempt in flight is not cancelled.
  ///
  /// - Throws: ``ServiceFault`` `notFound`.
  package mutating func deleteTask(_ name: CloudTasks.TaskName, at now: Timestamp) throws(ServiceFault) {
    guard let index = queues.index(forKey: name.queue), queues.values[index].tasks[name.id] != nil else {
      throw Self.missing
    }
    queues.values[index].remove(name.id, at: now)
    touch(name.queue, at: now)
  }

  /// Runs a task at once, even in a paused queue, beyond the queue's limits or while an attempt is in flight.
  ///
  /// If the attempt fails, the next one is due at the time of this call plus the retry delay.
  ///
  /// - Throws: ``ServiceFault`` `notFound`.
  package mutating func runTask(
    _ name: CloudTasks.TaskName, view: CloudTasks.View = .basic, at now: Timestamp
  ) throws(ServiceFault) -> CloudTasks.Task {
    guard let index = queues.index(forKey: name.queue), let task = queues.values[index].tasks[name.id]?.task else {
      throw Self.missing
    }
    queues.values[index].requestRun(name.id, at: now)
    touch(name.queue, at: now)
    return task.shown(in: view)
  }

  /// Returns why a task is waiting.
  ///
  /// - Throws: ``ServiceFault`` `notFound`.
  package func waitReason(of name: CloudTasks.TaskName, at now: Timestamp) throws(ServiceFault)
    -> CloudTasks.WaitReason
  {
    guard let state = queues[name.queue], let record = state.tasks[name.id] else { throw Self.missing }
    return state.waitReason(of: record, at: now)
  }

  private mutating func freshName(in queue: CloudTasks.QueueName, at now: Timestamp) -> CloudTasks.TaskName {
    while true {
      let id = generator.decimalID()
      if queues[queue]?.isTaken(id, at: now) != true { return CloudTasks.TaskName(queue: queue, uncheckedID: id) }
    }
  }

  /// Maximum number of tasks created by one batch.
  package static let maximumCreationBatch = 100
  /// Maximum number of tasks deleted by one batch.
  package static let maximumDeletionBatch = 1_000

  /// Creates tasks independently: a failed one does not affect the others.
  ///
  /// - Parameters:
  ///   - batch: 1 to 100 tasks, each with its response view.
  ///   - parent: the queue.
  ///   - now: the current time.
  /// - Returns: a task or an error for each, in order.
  /// - Throws: ``ServiceFault`` `invalidArgument` for the size of the batch, `notFound` for the queue.
  package mutating func createTasks(
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

  /// Deletes tasks independently: a failed one does not affect the others.
  ///
  /// - Parameters:
  ///   - names: 1 to 1,000 task names.
  ///   - parent: the queue.
  ///   - now: the current time.
  /// - Returns: nil or an error for each, in order.
  /// - Throws: ``ServiceFault`` `invalidArgument` for the size of the batch, `notFound` for the queue.
  package mutating func deleteTasks(
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

  /// Creates a task from a body; everything else comes from the queue's HTTP target.
  ///
  /// - Parameters:
  ///   - body: the body of the request.
  ///   - contentType: the body's content type, if known.
  ///   - id: the task's ID; nil or empty for a generated one.
  ///   - parent: the queue.
  ///   - now: the current time.
  /// - Returns: the task.
  /// - Throws: ``ServiceFault`` `failedPrecondition` if the queue's target has no host; the errors of creating a task.
  package mutating func bufferTask(
    body: [UInt8], contentType: String?, id: String?, in parent: CloudTasks.QueueName, at now: Timestamp
  ) throws(ServiceFault) -> CloudTasks.Task {
    let target = try state(of: parent).queue.target
    guard let uri = target?.uri, uri.host != nil else {
      throw ServiceFault(
        .failedPrecondition, "BufferTask needs a queue whose httpTarget.uriOverride names a host.")
    }
    let method = target?.method ?? .post
    let request = HTTPTarget(
      url: uri.applied(to: ""), method: method, headers: contentType.map { [HeaderField("Content-Type", $0)] } ?? [],
      body: method.allowsBody ? body : [])
    let name = id.flatMap { $0.isEmpty ? nil : "\(parent)/tasks/\($0)" }
    return try createTask(.init(name: name, target: .http(request)), in: parent, view: .basic, at: now)
  }
}
