import CloudJobsCore
import CloudJobsEmulator

extension RESTCall {
  /// Serves the methods of `projects.locations.jobs`.
  mutating func serveJobs(_ service: inout CloudSchedulerService) throws(ServiceFault) -> JSONValue {
    switch route {
    case ("POST", 5, nil):
      try query.finish()
      return write(try service.createJob(try draft(), in: try location(), at: now))
    case ("GET", 5, nil):
      let page = try query.page()
      try finishEmpty()
      return answer(try service.listJobs(in: try location(), page: page), as: "jobs") { $0.write($1) }
    case ("GET", 6, nil):
      try finishEmpty()
      return write(try service.getJob(try jobName()))
    case ("PATCH", 6, nil):
      let mask = query.mask()
      try query.finish()
      var draft = try draft()
      draft.name = name(of: 6)
      return write(try service.updateJob(draft, mask: mask, at: now))
    case ("DELETE", 6, nil):
      try finishEmpty()
      try service.deleteJob(try jobName(), at: now)
      return .object([:])
    case ("POST", 6, "pause"):
      try finishEmpty()
      return write(try service.pauseJob(try jobName(), at: now))
    case ("POST", 6, "resume"):
      try finishEmpty()
      return write(try service.resumeJob(try jobName(), at: now))
    case ("POST", 6, "run"):
      try finishEmpty()
      return write(try service.runJob(try jobName(), at: now))
    default: throw unknownRoute
    }
  }

  private func jobName() throws(ServiceFault) -> CloudScheduler.JobName { try CloudScheduler.JobName(name(of: 6)) }

  private func write(_ job: CloudScheduler.Job) -> JSONValue { answer { $0.write(job) } }

  private func draft() throws(ServiceFault) -> CloudScheduler.JobDraft {
    var reader = try message()
    var draft = CloudScheduler.JobDraft(
      name: try reader.string("name") ?? "", description: try reader.string("description") ?? "",
      target: try reader.schedulerTarget(), schedule: try reader.string("schedule") ?? "",
      timeZone: try reader.string("timeZone") ?? "", attemptDeadline: try reader.duration("attemptDeadline"))
    if var retry = try reader.message("retryConfig") {
      draft.retryConfig = CloudScheduler.RetryConfig(
        retryCount: try retry.integer("retryCount"), maxRetryDuration: try retry.duration("maxRetryDuration"),
        minBackoff: try retry.duration("minBackoffDuration"), maxBackoff: try retry.duration("maxBackoffDuration"),
        maxDoublings: try retry.integer("maxDoublings"))
      try retry.finish()
    }
    reader.ignore("state", "status", "userUpdateTime", "scheduleTime", "lastAttemptTime", "satisfiesPzs")
    try reader.finish()
    return draft
  }
}

extension MessageReader {
  /// Reads a request to App Engine to its end.
  mutating func appEngineTarget() throws(ServiceFault) -> CloudScheduler.AppEngineTarget {
    let target = CloudScheduler.AppEngineTarget(
      relativeURI: try string("relativeUri") ?? "/",
      method: try choice("httpMethod", { (method: HTTPTarget.Method) in method.name }) ?? .post,
      headers: try headers(), body: try bytes("body") ?? [],
      routing: try strings("appEngineRouting") ?? [:])
    try finish()
    return target
  }

  /// Reads the target of a scheduler's job, of which there may be one.
  mutating func schedulerTarget() throws(ServiceFault) -> CloudScheduler.Target? {
    var targets: [CloudScheduler.Target] = []
    if var reader = try message("httpTarget") { targets.append(.http(try reader.httpTarget(urlName: "uri"))) }
    if var reader = try message("pubsubTarget") {
      let target = CloudScheduler.PubsubTarget(
        topicName: try reader.string("topicName") ?? "", data: try reader.bytes("data") ?? [],
        attributes: try reader.strings("attributes") ?? [:])
      try reader.finish()
      targets.append(.pubsub(target))
    }
    if var reader = try message("appEngineHttpTarget") {
      targets.append(.appEngine(try reader.appEngineTarget()))
    }
    guard targets.count <= 1 else {
      throw .invalidArgument("Only one of httpTarget, pubsubTarget and appEngineHttpTarget may be set.")
    }
    return targets.first
  }
}
