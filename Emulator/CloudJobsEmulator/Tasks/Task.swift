package import CloudJobsCore

extension CloudTasks {
  /// A task as clients see it.
  ///
  /// Source: <https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks>.
  package struct Task: Hashable, Sendable, Codable {
    /// The name.
    package var name: TaskName
    /// The request that it makes.
    package var target: Target
    /// The time of the next attempt.
    package var scheduleTime: Timestamp
    /// The creation time, in whole seconds.
    package var createTime: Timestamp
    /// The time limit of an attempt; nil for the default of an App Engine target.
    package var dispatchDeadline: Duration?
    /// Retry settings of the task, which override the queue's.
    package var retryConfig: RetryConfig?
    /// The number of attempts started.
    package var dispatchCount = 0
    /// The number of attempts with a response.
    package var responseCount = 0
    /// The first attempt, with its dispatch time only.
    package var firstAttempt: Attempt?
    /// The latest attempt.
    package var lastAttempt: Attempt?

    /// The time limit of an attempt, or the default.
    var attemptDeadline: Duration { dispatchDeadline ?? .minutes(10) }

    /// Returns the task as a view shows it.
    func shown(in view: View) -> Task {
      guard view == .basic else { return self }
      var copy = self
      copy.target.body = []
      return copy
    }
  }

  /// One attempt of a task.
  ///
  /// Source: <https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks#Attempt>.
  package struct Attempt: Hashable, Sendable, Codable {
    /// The scheduled time; nil for the first attempt's record.
    package var scheduleTime: Timestamp?
    /// The time at which the attempt started.
    package var dispatchTime: Timestamp
    /// The time at which the attempt ended; nil while it runs.
    package var responseTime: Timestamp?
    /// The result of the attempt; nil while it runs.
    package var responseStatus: RPCStatus?
  }

  /// The parts of a task that a response contains.
  package enum View: Int, Hashable, Sendable {
    /// Everything except the body.
    case basic = 1
    /// Everything.
    case full = 2
  }

  /// The input for creating a task.
  package struct NewTask: Hashable, Sendable {
    /// The full name; nil for a generated one.
    package var name: String?
    /// The request that it makes; nil is refused.
    package var target: Target?
    /// The time of the first attempt; nil or a past time means now.
    package var scheduleTime: Timestamp?
    /// The time limit of an attempt, 15 s to 30 min, for App Engine to 24 h 15 s; nil or zero means 10 min.
    package var dispatchDeadline: Duration?
    /// Retry settings that override the queue's.
    package var retryConfig: RetryConfig?

    /// Creates the input for a task.
    package init(
      name: String? = nil, target: Target?, scheduleTime: Timestamp? = nil, dispatchDeadline: Duration? = nil,
      retryConfig: RetryConfig? = nil
    ) {
      self.name = name
      self.target = target
      self.scheduleTime = scheduleTime
      self.dispatchDeadline = dispatchDeadline
      self.retryConfig = retryConfig
    }

    /// Validates everything except the name, and returns the request as it is stored.
    ///
    /// - Throws: ``ServiceFault`` `invalidArgument`.
    func storedTarget(in queue: Queue, at now: Timestamp) throws(ServiceFault) -> Target {
      guard let target else { throw .invalidArgument("Task.payload_type is not set.") }
      let stored = try target.stored(in: queue)
      if let dispatchDeadline, dispatchDeadline != .zero {
        guard (.seconds(15)...target.longestDeadline).contains(dispatchDeadline) else {
          let longest = target.longestDeadline == .minutes(30) ? "30m" : "24h15s"
          throw .invalidArgument("Task.dispatchDeadline must be between [15s, \(longest)].")
        }
      }
      if let scheduleTime, scheduleTime > now + .hours(720) {
        throw .invalidArgument(
          "The Task.scheduleTime, \(scheduleTime), is too far in the future. "
            + "Schedule time must be no more than 720h in the future.")
      }
      try retryConfig?.validate()
      return stored
    }
  }

  /// The name of a task: `projects/P/locations/L/queues/Q/tasks/T`.
  package struct TaskName: Hashable, Sendable {
    /// The queue.
    package let queue: QueueName
    /// The ID: the last part of the name.
    package let id: String

    /// Parses and validates a name.
    ///
    /// - Throws: ``ServiceFault`` `invalidArgument`; its message distinguishes a wrong form from a wrong ID.
    package init(_ text: String) throws(ServiceFault) {
      let parts = text.split(separator: "/", maxSplits: 7, omittingEmptySubsequences: false)
      guard parts.count == 8, parts[6] == "tasks",
        let queue = try? QueueName(parts[..<6].joined(separator: "/"))
      else {
        throw .invalidArgument(
          "Task name must be formatted: "
            + "\"projects/<PROJECT_ID>/locations/<LOCATION_ID>/queues/<QUEUE_ID>/tasks/<TASK_ID>\".")
      }
      guard NameAlphabet.task.allows(parts[7]) else {
        throw ServiceFault(
          .invalidArgument,
          "Task ID \"\(parts[7])\" can contain only letters ([A-Za-z]), numbers ([0-9]), hyphens (-), or "
            + "underscores (_). Task ID must between 1 and 500 characters.",
          details: [
            .help(
              description: "Definition of task ID",
              url: "https://cloud.google.com/tasks/docs/reference/rest/v2/"
                + "projects.locations.queues.tasks#Task.FIELDS.name")
          ])
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
  /// The full name.
  package var description: String { "\(queue.text)/tasks/\(id)" }
}

extension CloudTasks.TaskName: Codable {
  /// Decodes a name from text.
  package init(from decoder: any Decoder) throws { try self.init(String(from: decoder)) }

  /// Encodes the full name as text.
  package func encode(to encoder: any Encoder) throws { try description.encode(to: encoder) }
}
