import CloudJobsCore
import CloudJobsEmulator

extension RESTCall {
  private static let typePrefix = "type.googleapis.com/google.cloud.tasks.v2."

  /// Serves `tasks.batchCreate`: an operation that is done at once.
  mutating func batchCreate(_ service: inout CloudTasksService) throws(ServiceFault) -> JSONValue {
    try query.finish()
    let queue = try queueName()
    var reader = try message()
    reader.ignore("parent")
    let requestID = try reader.string("requestId")
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
      requestID, kind: "BatchCreateTasks", state: state, faults: faults,
      response: ["@type": .string(Self.typePrefix + "BatchCreateTasksResponse"), "tasks": .array(tasks)])
  }

  /// Serves `tasks.batchDelete`: an operation that is done at once.
  mutating func batchDelete(_ service: inout CloudTasksService) throws(ServiceFault) -> JSONValue {
    try query.finish()
    var reader = try message()
    reader.ignore("parent")
    let requestID = try reader.string("requestId")
    let names = try reader.texts("names")
    try reader.finish()
    let faults = try service.deleteTasks(names, in: try queueName(), at: now)
    let state = faults.allSatisfy { $0 == nil } ? ("SUCCEEDED", 2) : ("PARTIALLY_SUCCEEDED", 3)
    return operation(
      requestID, kind: "BatchDeleteTasks", state: state, faults: faults,
      response: ["@type": "type.googleapis.com/google.protobuf.Empty", "value": .object([:])])
  }

  private func operation(
    _ requestID: String?, kind: String, state: (name: String, number: Int), faults: [ServiceFault?], response: JSONValue
  ) -> JSONValue {
    let id = requestID.flatMap { $0.isEmpty ? nil : $0 } ?? "\(kind)-\(now.microseconds)"
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
