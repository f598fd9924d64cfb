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
      return write(try service.updateQueue(try queue(named: name(of: 6), mask: mask), mask: mask, at: now))
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

  private func queue(named name: String?, mask: FieldMask? = nil) throws(ServiceFault) -> CloudTasks.Queue {
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
    let retryConfig = try reader.message("retryConfig")?.taskRetryConfig(mask) ?? .init()
    reader.ignore("state", "purgeTime")
    var queue = CloudTasks.Queue(
      name: try CloudTasks.QueueName(name ?? ownName ?? ""), rateLimits: rateLimits, retryConfig: retryConfig)
    queue.target = try reader.message("httpTarget")?.queueTarget()
    queue.appEngineRouting = try reader.strings("appEngineRoutingOverride")
    if var logging = try reader.message("stackdriverLoggingConfig") {
      queue.loggingRatio = logging.take("samplingRatio")?.double ?? 0
      try logging.finish()
    }
    try reader.finish()
    return queue
  }
}

extension MessageReader {
  /// Reads retry rules of Cloud Tasks to their end.
  ///
  /// A zero means the default, except in a field that a mask names: there it was meant.
  consuming func taskRetryConfig(_ mask: FieldMask? = nil) throws(ServiceFault) -> CloudTasks.RetryConfig {
    var reader = self
    let (minimum, maximum) = (try reader.duration("minBackoff"), try reader.duration("maxBackoff"))
    let doublings = try reader.integer("maxDoublings")
    var retry = CloudTasks.RetryConfig(
      maxAttempts: try reader.integer("maxAttempts"), maxRetryDuration: try reader.duration("maxRetryDuration"),
      minBackoff: minimum, maxBackoff: maximum, maxDoublings: doublings)
    try reader.finish()
    let masked = Set(mask?.paths ?? [])
    if masked.contains("retryConfig.minBackoff"), (minimum ?? .zero) == .zero { retry.backoff.minimum = .zero }
    if masked.contains("retryConfig.maxBackoff"), (maximum ?? .zero) == .zero { retry.backoff.maximum = .zero }
    if masked.contains("retryConfig.maxDoublings"), (doublings ?? 0) == 0 { retry.backoff.doublings = 0 }
    return retry
  }
}
