import CloudJobsCore
import CloudJobsEmulator

/// The methods of `google.cloud.tasks.v2.CloudTasks`.
///
/// Source: <https://cloud.google.com/tasks/docs/reference/rpc/google.cloud.tasks.v2>.
enum CloudTasksMethods {
  /// What serves each method.
  static let handlers: [String: ServiceHandler] = [
    "CreateQueue": createQueue, "ListQueues": listQueues, "GetQueue": getQueue, "UpdateQueue": updateQueue,
    "DeleteQueue": deleteQueue, "PauseQueue": pauseQueue, "ResumeQueue": resumeQueue, "PurgeQueue": purgeQueue,
    "CreateTask": createTask, "ListTasks": listTasks, "GetTask": getTask, "DeleteTask": deleteTask,
    "RunTask": runTask, "BufferTask": bufferTask, "BatchCreateTasks": batchCreate, "BatchDeleteTasks": batchDelete,
    "GetIamPolicy": AccessPolicyMethods.get, "SetIamPolicy": AccessPolicyMethods.set,
    "TestIamPermissions": AccessPolicyMethods.test, "GetCmekConfig": getKey, "UpdateCmekConfig": updateKey,
  ]

  // MARK: Queues

  @Sendable
  private static func createQueue(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    let location = try LocationName(call.request.string("parent"))
    let queue = try CloudTasks.Queue(call.request.message("queue") ?? call.request.empty("queue"))
    guard queue.name.location == location else {
      throw .invalidArgument("\(queue.name) must begin with \(location).")
    }
    let created = try state.tasks.createQueue(queue, at: call.now)
    return call.answer { $0.fill(created) }
  }

  @Sendable
  private static func listQueues(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    let queues = try state.tasks.listQueues(
      in: try LocationName(call.request.string("parent")), page: call.page,
      filter: try stateFilter(call.request.string("filter")))
    return call.answer { $0.set("queues", page: queues) { $0.fill($1) } }
  }

  private static func stateFilter(_ text: String) throws(ServiceFault) -> CloudTasks.Queue.State? {
    if text.isEmpty { return nil }
    let words = text.split { " :=\"".contains($0) }
    guard words.count == 2, words[0].lowercased() == "state",
      let state = CloudTasks.Queue.State.allCases.first(where: { $0.name == words[1] })
    else { throw .invalidArgument("The emulator's filter is of the form \"state: PAUSED\".") }
    return state
  }

  @Sendable
  private static func getQueue(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    let queue = try state.tasks.getQueue(try queueName(call))
    return call.answer { $0.fill(queue) }
  }

  @Sendable
  private static func updateQueue(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    let mask = call.updateMask
    let queue = try CloudTasks.Queue(call.request.message("queue") ?? call.request.empty("queue"), mask: mask)
    let updated = try state.tasks.updateQueue(queue, mask: mask, at: call.now)
    return call.answer { $0.fill(updated) }
  }

  @Sendable
  private static func deleteQueue(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    try state.tasks.deleteQueue(try queueName(call), at: call.now)
    return call.answer()
  }

  @Sendable
  private static func pauseQueue(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    let queue = try state.tasks.pauseQueue(try queueName(call), at: call.now)
    return call.answer { $0.fill(queue) }
  }

  @Sendable
  private static func resumeQueue(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    let queue = try state.tasks.resumeQueue(try queueName(call), at: call.now)
    return call.answer { $0.fill(queue) }
  }

  @Sendable
  private static func purgeQueue(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    let queue = try state.tasks.purgeQueue(try queueName(call), at: call.now)
    return call.answer { $0.fill(queue) }
  }

  private static func queueName(_ call: ServiceCall, _ field: String = "name") throws(ServiceFault)
    -> CloudTasks.QueueName
  {
    try CloudTasks.QueueName(call.request.string(field))
  }

  // MARK: Tasks

  @Sendable
  private static func createTask(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    let view = try view(of: call.request)
    let task = try state.tasks.createTask(
      try CloudTasks.NewTask(call.request), in: try queueName(call, "parent"), view: view, at: call.now)
    return call.answer { $0.fill(task, in: view) }
  }

  @Sendable
  private static func listTasks(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    let view = try view(of: call.request)
    let tasks = try state.tasks.listTasks(in: try queueName(call, "parent"), page: call.page, view: view)
    return call.answer { $0.set("tasks", page: tasks) { $0.fill($1, in: view) } }
  }

  @Sendable
  private static func getTask(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    let view = try view(of: call.request)
    let task = try state.tasks.getTask(try taskName(call), view: view, at: call.now)
    return call.answer { $0.fill(task, in: view) }
  }

  @Sendable
  private static func deleteTask(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    try state.tasks.deleteTask(try taskName(call), at: call.now)
    return call.answer()
  }

  @Sendable
  private static func runTask(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    let view = try view(of: call.request)
    let task = try state.tasks.runTask(try taskName(call), view: view, at: call.now)
    return call.answer { $0.fill(task, in: view) }
  }

  @Sendable
  private static func bufferTask(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    let body = call.request.message("body")
    let task = try state.tasks.bufferTask(
      body: body?.bytes("data") ?? [], contentType: body?.text("content_type"), id: call.request.string("task_id"),
      in: try queueName(call, "queue"), at: call.now)
    return call.answer { $0.set("task") { $0.fill(task, in: .basic) } }
  }

  private static func taskName(_ call: ServiceCall) throws(ServiceFault) -> CloudTasks.TaskName {
    try CloudTasks.TaskName(call.request.string("name"))
  }

  private static func view(of request: Message) throws(ServiceFault) -> CloudTasks.View {
    try request.known("response_view") ?? .basic
  }

  // MARK: Batches

  @Sendable
  private static func batchCreate(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    let queue = try queueName(call, "parent")
    var batch: [(task: CloudTasks.NewTask, view: CloudTasks.View)] = []
    for request in call.request.messages("requests") {
      if let parent = request.text("parent"), parent != queue.text {
        throw .invalidArgument("The parent '\(parent)' of a request must be the same as the batch's, '\(queue)'.")
      }
      batch.append((try CloudTasks.NewTask(request), try view(of: request)))
    }
    return try operation(call, "BatchCreateTasks", &state) { (state) throws(ServiceFault) in
      let results = try state.tasks.createTasks(batch, in: queue, at: call.now)
      var response = call.schema.message("google.cloud.tasks.v2.BatchCreateTasksResponse")
      let created = zip(results, batch).compactMap { result, request in
        (try? result.get()).map { (task: $0, view: request.view) }
      }
      response.set("tasks", forEach: created) { $0.fill($1.task, in: $1.view) }
      return (results.map { if case .failure(let fault) = $0 { fault } else { nil } }, response)
    }
  }

  @Sendable
  private static func batchDelete(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    let queue = try queueName(call, "parent")
    return try operation(call, "BatchDeleteTasks", &state) { (state) throws(ServiceFault) in
      let faults = try state.tasks.deleteTasks(call.request.texts("names"), in: queue, at: call.now)
      return (faults, call.schema.message("google.protobuf.Empty"))
    }
  }

  /// Performs a batch, which is done at once, or returns what the first one of the same request id has come to.
  private static func operation(
    _ call: ServiceCall, _ method: String, _ state: inout EmulatorState,
    _ perform: (inout EmulatorState) throws(ServiceFault) -> (faults: [ServiceFault?], response: Message)
  ) throws(ServiceFault) -> [Message] {
    let location = try queueName(call, "parent").location
    let requestID = call.request.string("request_id")
    guard requestID.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "/") }) else {
      throw .invalidArgument("The request_id may have no slashes and no spaces.")
    }
    if !requestID.isEmpty,
      let earlier = try state.administration.operation("\(location)/operations/\(requestID)", call)
    {
      return [earlier]
    }
    let id = requestID.isEmpty ? "\(method)-\(state.administration.nextNumber())" : requestID
    let (faults, response) = try perform(&state)
    var metadata = call.schema.message("google.cloud.tasks.v2.\(method)Metadata")
    metadata.set("start_time", call.now)
    metadata.set("end_time", call.now)
    // The two kinds of metadata number their states differently.
    let outcome = faults.allSatisfy { $0 == nil } ? "SUCCEEDED" : "PARTIALLY_SUCCEEDED"
    let states = call.schema.enumType("google.cloud.tasks.v2.\(method)Metadata.State")
    metadata["state"] = states?.number(of: outcome).map { .enumeration($0) }
    metadata["failed_requests"] = .map(failures(faults, call.schema))
    let operation = call.answer {
      $0.set("name", "\(location)/operations/\(id)")
      $0.set("done", true)
      $0["metadata"] = .any(AnyMessage(metadata))
      if faults.contains(nil) {
        $0["response"] = .any(AnyMessage(response))
      } else {
        let text =
          "None of the requests succeeded, refer to \(method)Metadata.failed_requests for individual error details"
        $0.set("error", status: RPCStatus(code: .aborted, message: text))
      }
    }
    state.administration.keep(operation[0], at: call.now)
    return operation
  }

  private static func failures(_ faults: [ServiceFault?], _ schema: Schema) -> [FieldValue: FieldValue] {
    var failures: [FieldValue: FieldValue] = [:]
    for case (let index, let fault?) in faults.enumerated() {
      var status = schema.message("google.rpc.Status")
      status.fill(RPCStatus(code: fault.code, message: fault.message))
      failures[.int(Int64(index))] = .message(status)
    }
    return failures
  }

  // MARK: Keys

  @Sendable
  private static func getKey(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    let location = try EncryptionKey.location(of: call.request.string("name"))
    return key(call, location, state)
  }

  @Sendable
  private static func updateKey(_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault) -> [Message] {
    let configuration = call.request.message("cmek_config")
    let location = try EncryptionKey.location(of: configuration?.string("name") ?? "")
    state.administration.setKey(configuration?.string("kms_key") ?? "", of: "tasks", in: location)
    return key(call, location, state)
  }

  private static func key(_ call: ServiceCall, _ location: LocationName, _ state: EmulatorState) -> [Message] {
    call.answer {
      $0.set("name", EncryptionKey.name(in: location))
      $0.set("kms_key", state.administration.key(of: "tasks", in: location))
    }
  }
}
