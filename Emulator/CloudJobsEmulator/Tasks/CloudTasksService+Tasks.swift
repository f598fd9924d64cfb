public import CloudJobsCore

extension CloudTasksService {
  private static var missing: ServiceFault { ServiceFault(.notFound, "Requested entity was not found.") }

  /// Creates a task, which is due at once or at its schedule time.
  ///
  /// - Parameters:
  ///   - new: the task.
  ///   - parent: the queue.
  ///   - view: how much of it to answer.
  ///   - now: the time.
  /// - Returns: the task with its name.
  /// - Throws: ``ServiceFault`` `invalidArgument`, `notFound` for the queue, or `alreadyExists` for a name in use or
  ///   used recently.
  public mutating func createTask(
    _ new: CloudTasks.NewTask, in parent: CloudTasks.QueueName, view: CloudTasks.View = .basic, at now: Timestamp
  ) throws(ServiceFault) -> CloudTasks.Task {
    var new = new
    if let target = new.appEngine {
      guard let origin = options.appEngineOrigin else {
        throw ServiceFault(.failedPrecondition, "no App Engine is emulated; set the option appEngineOrigin")
      }
      new.httpRequest = HTTPTarget(
        url: origin + target.relativeURI, method: target.method, headers: target.headers, body: target.body)
    }
    try new.validate(at: now)
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
      name: name, httpRequest: new.httpRequest, scheduleTime: max(new.scheduleTime ?? now, now),
      createTime: Timestamp(seconds: now.seconds),
      dispatchDeadline: new.dispatchDeadline.flatMap { $0 == .zero ? nil : $0 } ?? .minutes(10),
      retryConfig: new.retryConfig, appEngine: new.appEngine)
    let sequence = nextTicket()
    queues.values[index].insert(task, sequence: sequence, at: now)
    touch(parent, at: now)
    return task.shown(in: view)
  }

  /// A task.
  ///
  /// - Throws: ``ServiceFault`` `notFound`, which tells a task that ended recently from one that never was.
  public func getTask(_ name: CloudTasks.TaskName, view: CloudTasks.View = .basic, at now: Timestamp)
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

  /// The tasks of a queue by name, at most 1,000 a page.
  ///
  /// - Throws: ``ServiceFault`` `notFound` for the queue, `invalidArgument` for a page that can't be.
  public func listTasks(
    in parent: CloudTasks.QueueName, page: PageRequest = .init(), view: CloudTasks.View = .basic
  ) throws(ServiceFault) -> ResourcePage<CloudTasks.Task> {
    let limit = try page.limit(maximum: 1_000)
    let state = try state(of: parent)
    let names = state.names.elements(after: page.token.isEmpty ? nil : page.token, limit: limit + 1)
    let items = names.prefix(limit).compactMap { state.tasks[$0]?.task.shown(in: view) }
    return ResourcePage(items: items, nextPageToken: names.count > limit ? names[limit - 1] : "")
  }

  /// Deletes a task; an attempt in flight is not called back.
  ///
  /// - Throws: ``ServiceFault`` `notFound`.
  public mutating func deleteTask(_ name: CloudTasks.TaskName, at now: Timestamp) throws(ServiceFault) {
    guard let index = queues.index(forKey: name.queue), queues.values[index].tasks[name.id] != nil else {
      throw Self.missing
    }
    queues.values[index].remove(name.id, at: now)
    touch(name.queue, at: now)
  }

  /// Has a task attempted at once, even in a paused queue, beyond its limits or while an attempt is in flight.
  ///
  /// Where the attempt fails, the next one is due at this call's time plus the retry delay.
  ///
  /// - Throws: ``ServiceFault`` `notFound`.
  public mutating func runTask(
    _ name: CloudTasks.TaskName, view: CloudTasks.View = .basic, at now: Timestamp
  ) throws(ServiceFault) -> CloudTasks.Task {
    guard let index = queues.index(forKey: name.queue), let task = queues.values[index].tasks[name.id]?.task else {
      throw Self.missing
    }
    queues.values[index].requestRun(name.id, at: now)
    touch(name.queue, at: now)
    return task.shown(in: view)
  }

  /// Why a task is not attempted now.
  ///
  /// - Throws: ``ServiceFault`` `notFound`.
  public func waitReason(of name: CloudTasks.TaskName, at now: Timestamp) throws(ServiceFault)
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
}
