public import CloudJobsCore

extension CloudTasksService {
  /// Creates a task from a body alone; all else comes from the queue's HTTP target.
  ///
  /// - Parameters:
  ///   - body: the request's body.
  ///   - contentType: its type, where the caller knows it.
  ///   - id: the task's id; nil or empty lets the service choose.
  ///   - parent: the queue.
  ///   - now: the time.
  /// - Returns: the task.
  /// - Throws: ``ServiceFault`` `failedPrecondition` where the queue's target has no host, and what creating throws.
  public mutating func bufferTask(
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
    return try createTask(.init(name: name, httpRequest: request), in: parent, view: .basic, at: now)
  }
}
