import CloudJobsCore
import CloudJobsEmulator

extension RESTCall {
  /// Serves the methods of `projects.locations.queues`.
  mutating func serveQueues(_ service: inout CloudTasksService) throws(ServiceFault) -> JSONValue {
    switch route {
    case ("POST", 5, nil):
      let location = try location()
      let queue = try queue(named: nil)
      try query.finish()
      guard queue.name.location == location else {
        throw .invalidArgument("The location of Queue.name must be the same as the parent '\(location)'.")
      }
      return write(try service.createQueue(queue, at: now))
    case ("GET", 5, nil):
      let page = try query.page()
      let filter = try stateFilter()
      try finishEmpty()
      let queues = try service.listQueues(in: try location(), page: page, filter: filter)
      return answer(queues, as: "queues") { $0.write($1) }
    case ("GET", 6, nil):
      try finishEmpty()
      return write(try service.getQueue(try queueName()))
    case ("PATCH", 6, nil):
      let mask = query.mask()
      try query.finish()
      return write(try service.updateQueue(try queue(named: name(of: 6)), mask: mask, at: now))
    case ("DELETE", 6, nil):
      try finishEmpty()
      try service.deleteQueue(try queueName(), at: now)
      return .object([:])
    case ("POST", 6, "pause"):
      try finishEmpty()
      return write(try service.pauseQueue(try queueName(), at: now))
    case ("POST", 6, "resume"):
      try finishEmpty()
      return write(try service.resumeQueue(try queueName(), at: now))
    case ("POST", 6, "purge"):
      try finishEmpty()
      return write(try service.purgeQueue(try queueName(), at: now))
    default: throw unknownRoute
    }
  }

  /// The queue that the path names.
  func queueName() throws(ServiceFault) -> CloudTasks.QueueName { try CloudTasks.QueueName(name(of: 6)) }

  private func write(_ queue: CloudTasks.Queue) -> JSONValue { answer { $0.write(queue) } }

  private mutating func stateFilter() throws(ServiceFault) -> CloudTasks.Queue.State? {
    guard let text = query.take("filter"), !text.isEmpty else { return nil }
    let words = text.split { " :=\"".contains($0) }
    guard words.count == 2, words[0].lowercased() == "state",
      let state = CloudTasks.Queue.State.allCases.first(where: { $0.name == words[1] })
    else { throw .invalidArgument("The emulator's filter is of the form \"state: PAUSED\".") }
    return state
  }

  private func queue(named name: String?) throws(ServiceFault) -> CloudTasks.Queue {
    var reader = try message()
    let ownName = try reader.string("name")
    var rateLimits = CloudTasks.RateLimits()
    if var limits = try reader.message("rateLimits") {
      rateLimits = CloudTasks.RateLimits(
        maxDispatchesPerSecond: try limits.rate("maxDispatchesPerSecond"),
        maxConcurrentDispatches: try limits.integer("maxConcurrentDispatches"))
      limits.ignore("maxBurstSize")
      try limits.finish()
    }
    let retryConfig = try reader.message("retryConfig")?.taskRetryConfig() ?? .init()
    try reader.refuse("appEngineRoutingOverride", "httpTarget")
    reader.ignore("state", "purgeTime", "stackdriverLoggingConfig")
    try reader.finish()
    return CloudTasks.Queue(
      name: try CloudTasks.QueueName(name ?? ownName ?? ""), rateLimits: rateLimits, retryConfig: retryConfig)
  }
}

extension MessageReader {
  /// Reads retry rules of Cloud Tasks to their end.
  consuming func taskRetryConfig() throws(ServiceFault) -> CloudTasks.RetryConfig {
    var reader = self
    let retry = CloudTasks.RetryConfig(
      maxAttempts: try reader.integer("maxAttempts"), maxRetryDuration: try reader.duration("maxRetryDuration"),
      minBackoff: try reader.duration("minBackoff"), maxBackoff: try reader.duration("maxBackoff"),
      maxDoublings: try reader.integer("maxDoublings"))
    try reader.finish()
    return retry
  }
}
