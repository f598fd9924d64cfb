import CloudJobsCore
import CloudJobsEmulator

extension RESTCall {
  private static let typePrefix = "type.googleapis.com/google.cloud.tasks.v2."

  /// Whether the call creates or deletes many tasks.
  var isBatch: Bool {
    method == "POST" && resource.count == 7 && resource[4] == "queues" && resource[6] == "tasks"
      && (verb == "batchCreate" || verb == "batchDelete")
  }

  /// Serves a batch, or answers with what the first batch of the same request id has come to.
  mutating func serveBatch(_ state: inout EmulatorState) throws(ServiceFault) -> JSONValue {
    var reader = try message()
    let requestID = try reader.string("requestId") ?? ""
    let isCreation = verb == "batchCreate"
    if !requestID.isEmpty {
      guard requestID.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "/") }) else {
        throw .invalidArgument("The request_id may have no slashes and no spaces.")
      }
      let earlier = state.administration.operation("\(name(of: 4))/operations/\(requestID)", at: now)
      if let earlier { return earlier }
    }
    let id =
      requestID.isEmpty
      ? "\(isCreation ? "BatchCreateTasks" : "BatchDeleteTasks")-\(state.administration.nextNumber())" : requestID
    let operation = try isCreation ? batchCreate(&state.tasks, id: id) : batchDelete(&state.tasks, id: id)
    state.administration.keep(operation, named: "\(name(of: 4))/operations/\(id)", at: now)
    return operation
  }

  /// Serves `tasks.batchCreate`: an operation that is done at once.
  private mutating func batchCreate(_ service: inout CloudTasksService, id: String) throws(ServiceFault) -> JSONValue {
    try query.finish()
    let queue = try queueName()
    var reader = try message()
    reader.ignore("parent", "requestId")
    var batch: [(task: CloudTasks.NewTask, view: CloudTasks.View)] = []
    for var request in try reader.messages("requests") {
      guard let parent = try request.string("parent"), !parent.isEmpty, parent != queue.text else {
        batch.append(try request.newTask())
        continue
      }
      throw .invalidArgument("The parent '\(parent)' of a request must be the same as the batch's, '\(queue)'.")
    }
    try reader.finish()
    let results = try service.createTasks(batch, in: queue, at: now)
    let faults = results.map { result -> ServiceFault? in
      if case .failure(let fault) = result { fault } else { nil }
    }
    let tasks = zip(results, batch).compactMap { result, request -> JSONValue? in
      guard case .success(let task) = result else { return nil }
      return answer { $0.write(task, view: request.view) }
    }
    // The two kinds of metadata number their states differently.
    let state = faults.allSatisfy { $0 == nil } ? ("SUCCEEDED", 2) : ("PARTIALLY_SUCCEEDED", 5)
    return operation(
      id, kind: "BatchCreateTasks", state: state, faults: faults,
      response: ["@type": .string(Self.typePrefix + "BatchCreateTasksResponse"), "tasks": .array(tasks)])
  }

  /// Serves `tasks.batchDelete`: an operation that is done at once.
  private mutating func batchDelete(_ service: inout CloudTasksService, id: String) throws(ServiceFault) -> JSONValue {
    try query.finish()
    var reader = try message()
    reader.ignore("parent", "requestId")
    let names = try reader.texts("names")
    try reader.finish()
    let faults = try service.deleteTasks(names, in: try queueName(), at: now)
    let state = faults.allSatisfy { $0 == nil } ? ("SUCCEEDED", 2) : ("PARTIALLY_SUCCEEDED", 3)
    return operation(
      id, kind: "BatchDeleteTasks", state: state, faults: faults,
      response: ["@type": "type.googleapis.com/google.protobuf.Empty", "value": .object([:])])
  }

  private func operation(
    _ id: String, kind: String, state: (name: String, number: Int), faults: [ServiceFault?], response: JSONValue
  ) -> JSONValue {
    return answer { writer in
      writer.set("name", "\(name(of: 4))/operations/\(id)")
      writer.set("done", .bool(true))
      let metadata = answer { metadata in
        metadata.set("@type", Self.typePrefix + kind + "Metadata")
        metadata.set("startTime", now)
        metadata.set("endTime", now)
        metadata.set("state", choice: state.name, number: state.number)
        let failed = faults.enumerated().compactMap { index, fault in
          fault.map { fault in
            let status = RPCStatus(code: fault.code, message: fault.message)
            return ("\(index)", answer { $0.write(status) })
          }
        }
        if !failed.isEmpty { metadata.set("failedRequests", .object(Dictionary(failed) { first, _ in first })) }
      }
      writer.set("metadata", metadata)
      if faults.contains(nil) {
        writer.set("response", response)
      } else {
        writer.set(
          "error",
          status: RPCStatus(
            code: .aborted,
            message: "None of the requests succeeded, refer to \(kind)Metadata.failed_requests for individual error "
              + "details"))
      }
    }
  }
}
