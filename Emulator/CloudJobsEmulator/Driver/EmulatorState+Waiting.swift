public import CloudJobsCore

extension EmulatorState {
  /// A task or job with the reason why it is not executed now.
  public struct Waiting: Hashable, Sendable {
    /// The full name.
    public var name: String
    /// The reason, for a person.
    public var reason: String
  }

  /// Why each task and job waits, tasks first, in the order of names.
  ///
  /// - Parameters:
  ///   - now: the time.
  ///   - limit: how many at most.
  /// - Returns: the first of them.
  public func waiting(at now: Timestamp, limit: Int = 1_000) -> [Waiting] {
    Array((tasks.waiting(at: now, limit: limit) + scheduler.waiting(limit: limit)).prefix(limit))
  }
}

extension CloudTasksService {
  func waiting(at now: Timestamp, limit: Int) -> [EmulatorState.Waiting] {
    var result: [EmulatorState.Waiting] = []
    for name in queueNames.elements(after: nil, limit: .max) {
      guard let state = queues[name], result.count < limit else { continue }
      for id in state.names.elements(after: nil, limit: limit - result.count) {
        guard let record = state.tasks[id] else { continue }
        result.append(
          .init(name: record.task.name.description, reason: "\(state.waitReason(of: record, at: now))"))
      }
    }
    return result
  }
}

extension CloudSchedulerService {
  func waiting(limit: Int) -> [EmulatorState.Waiting] {
    names.elements(after: nil, limit: limit).compactMap { name in
      jobs[name].map { .init(name: name.text, reason: "\($0.waitReason)") }
    }
  }
}
