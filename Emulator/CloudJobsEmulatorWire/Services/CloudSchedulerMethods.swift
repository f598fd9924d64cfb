import CloudJobsCore
import CloudJobsEmulator

/// The methods of `google.cloud.scheduler.v1.CloudScheduler`.
///
/// Source: <https://cloud.google.com/scheduler/docs/reference/rpc/google.cloud.scheduler.v1>.
enum CloudSchedulerMethods {
  /// What serves each method.
  static let handlers: [String: ServiceHandler] = [
    "CreateJob": create, "ListJobs": list, "GetJob": get, "UpdateJob": update, "DeleteJob": delete, "PauseJob": pause,
    "ResumeJob": resume, "RunJob": run, "GetCmekConfig": getKey, "UpdateCmekConfig": updateKey,
  ]

  @Sendable
  private static func create(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    let location = try LocationName(call.request.string("parent"))
    let job = try state.scheduler.createJob(try draft(call), in: location, at: call.now)
    return call.answer { $0.fill(job) }
  }

  @Sendable
  private static func list(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    let jobs = try state.scheduler.listJobs(in: try LocationName(call.request.string("parent")), page: call.page)
    return call.answer { $0.set("jobs", page: jobs) { $0.fill($1) } }
  }

  @Sendable
  private static func get(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    let job = try state.scheduler.getJob(try name(call))
    return call.answer { $0.fill(job) }
  }

  @Sendable
  private static func update(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    let job = try state.scheduler.updateJob(try draft(call), mask: call.updateMask, at: call.now)
    return call.answer { $0.fill(job) }
  }

  @Sendable
  private static func delete(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    try state.scheduler.deleteJob(try name(call), at: call.now)
    return call.answer()
  }

  @Sendable
  private static func pause(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    let job = try state.scheduler.pauseJob(try name(call), at: call.now)
    return call.answer { $0.fill(job) }
  }

  @Sendable
  private static func resume(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    let job = try state.scheduler.resumeJob(try name(call), at: call.now)
    return call.answer { $0.fill(job) }
  }

  @Sendable
  private static func run(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    let job = try state.scheduler.runJob(try name(call), at: call.now)
    return call.answer { $0.fill(job) }
  }

  private static func name(_ call: ServiceCall) throws(ServiceFault) -> CloudScheduler.JobName {
    try CloudScheduler.JobName(call.request.string("name"))
  }

  private static func draft(_ call: ServiceCall) throws(ServiceFault) -> CloudScheduler.JobDraft {
    try CloudScheduler.JobDraft(call.request.message("job") ?? call.request.empty("job"))
  }

  // MARK: Keys

  @Sendable
  private static func getKey(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    let location = try EncryptionKey.location(of: call.request.string("name"))
    return call.answer { fill(&$0, location, state) }
  }

  @Sendable
  private static func updateKey(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    let configuration = call.request.message("cmek_config")
    let location = try EncryptionKey.location(of: configuration?.string("name") ?? "")
    state.administration.setKey(configuration?.string("kms_key_name") ?? "", of: "scheduler", in: location)
    var metadata = call.schema.message("google.cloud.scheduler.v1.OperationMetadata")
    metadata.set("create_time", call.now)
    metadata.set("end_time", call.now)
    metadata.set("target", EncryptionKey.name(in: location))
    metadata.set("verb", "update")
    metadata.set("api_version", "v1")
    var response = call.schema.message("google.cloud.scheduler.v1.CmekConfig")
    fill(&response, location, state)
    let number = state.administration.nextNumber()
    let operation = call.answer {
      $0.set("name", "\(location)/operations/operation-\(number)")
      $0.set("done", true)
      $0["metadata"] = .any(AnyMessage(metadata))
      $0["response"] = .any(AnyMessage(response))
    }
    state.administration.keep(operation[0], at: call.now)
    return operation
  }

  private static func fill(_ message: inout Message, _ location: LocationName, _ state: EmulatorState) {
    message.set("name", EncryptionKey.name(in: location))
    message.set("kms_key_name", state.administration.key(of: "scheduler", in: location))
  }
}
