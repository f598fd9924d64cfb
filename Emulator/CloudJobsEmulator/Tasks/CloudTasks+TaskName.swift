extension CloudTasks {
  /// The name of a task: `projects/P/locations/L/queues/Q/tasks/T`.
  public struct TaskName: Hashable, Sendable {
    /// The queue.
    public let queue: QueueName
    /// The last part.
    public let id: String

    /// Checks a name.
    ///
    /// - Throws: ``ServiceFault`` `invalidArgument`, which tells a wrong form from a wrong id.
    public init(_ text: String) throws(ServiceFault) {
      let parts = text.split(separator: "/", maxSplits: 7, omittingEmptySubsequences: false)
      guard parts.count == 8, parts[6] == "tasks",
        let queue = try? QueueName(parts[..<6].joined(separator: "/"))
      else {
        throw .invalidArgument(
          "Task name must be formatted: "
            + "\"projects/<PROJECT_ID>/locations/<LOCATION_ID>/queues/<QUEUE_ID>/tasks/<TASK_ID>\".")
      }
      guard NameAlphabet.task.allows(parts[7]) else {
        throw .invalidArgument(
          "Task ID \"\(parts[7])\" can contain only letters ([A-Za-z]), numbers ([0-9]), hyphens (-), or "
            + "underscores (_). Task ID must between 1 and 500 characters.")
      }
      self.queue = queue
      self.id = String(parts[7])
    }

    init(queue: QueueName, uncheckedID id: String) {
      self.queue = queue
      self.id = id
    }
  }
}

extension CloudTasks.TaskName: CustomStringConvertible {
  /// The whole name.
  public var description: String { "\(queue.text)/tasks/\(id)" }
}

extension CloudTasks.TaskName: Codable {
  /// The name of a text.
  public init(from decoder: any Decoder) throws { try self.init(String(from: decoder)) }

  /// The whole name as a text.
  public func encode(to encoder: any Encoder) throws { try description.encode(to: encoder) }
}
