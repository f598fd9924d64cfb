import CloudJobsCore
import CloudJobsEmulator

extension RESTCall {
  /// Serves the methods of `projects.locations.queues.tasks`.
  mutating func serveTasks(_ service: inout CloudTasksService) throws(ServiceFault) -> JSONValue {
    guard resource[6] == "tasks" else { throw unknownRoute }
    let queue = try queueName()
    switch route {
    case ("POST", 7, nil):
      try query.finish()
      var reader = try message()
      reader.ignore("parent")
      let (task, view) = try reader.newTask()
      return write(try service.createTask(task, in: queue, view: view, at: now), view)
    case ("GET", 7, nil):
      let (page, view) = (try query.page(), try query.view())
      try finishEmpty()
      let tasks = try service.listTasks(in: queue, page: page, view: view)
      return answer(tasks, as: "tasks") { $0.write($1, view: view) }
    case ("GET", 8, nil):
      let view = try query.view()
      try finishEmpty()
      return write(try service.getTask(try taskName(), view: view, at: now), view)
    case ("DELETE", 8, nil):
      try finishEmpty()
      try service.deleteTask(try taskName(), at: now)
      return .object([:])
    case ("POST", 8, "run"):
      try query.finish()
      var reader = try message()
      let view = try reader.view()
      reader.ignore("name")
      try reader.finish()
      return write(try service.runTask(try taskName(), view: view, at: now), view)
    case ("POST", 7, "buffer"), ("POST", 8, "buffer"):
      try query.finish()
      let (body, type) = try bufferedBody()
      let id = resource.count == 8 ? resource[7] : nil
      let task = try service.bufferTask(body: body, contentType: type, id: id, in: queue, at: now)
      return ["task": write(task, .basic)]
    default: throw unknownRoute
    }
  }

  /// What a task is to carry: an `HttpBody` where the request has that form, else the request's own body.
  private func bufferedBody() throws(ServiceFault) -> (body: [UInt8], contentType: String?) {
    guard let json = try? JSONValue(parsing: body, limits: .service), json.object?.keys.elementsEqual(["body"]) == true,
      json["body"]?.object != nil
    else { return (body, nil) }
    var reader = try message()
    guard var content = try reader.message("body") else { return (body, nil) }
    let data = try content.bytes("data") ?? []
    let type = try content.string("contentType")
    content.ignore("extensions")
    try content.finish()
    return (data, type)
  }

  private func taskName() throws(ServiceFault) -> CloudTasks.TaskName { try CloudTasks.TaskName(name(of: 8)) }

  private func write(_ task: CloudTasks.Task, _ view: CloudTasks.View) -> JSONValue {
    answer { $0.write(task, view: view) }
  }
}

extension MessageReader {
  /// Reads a `CreateTaskRequest` to its end; its `parent` must have been taken.
  mutating func newTask() throws(ServiceFault) -> (task: CloudTasks.NewTask, view: CloudTasks.View) {
    let view = try view()
    let given = try message("task")
    try finish()
    guard var task = given else { throw .invalidArgument("CreateTaskRequest.task is required.") }
    var appEngine = try task.message("appEngineHttpRequest")
    var request = try task.message("httpRequest")
    let new = CloudTasks.NewTask(
      name: try task.string("name"),
      httpRequest: try request?.httpTarget(urlName: "url") ?? HTTPTarget(url: ""),
      scheduleTime: try task.timestamp("scheduleTime"), dispatchDeadline: try task.duration("dispatchDeadline"),
      retryConfig: try task.message("retryConfig")?.taskRetryConfig(),
      appEngine: try appEngine?.appEngineTarget())
    guard appEngine == nil || request == nil else {
      throw .invalidArgument("Only one of httpRequest and appEngineHttpRequest may be set.")
    }
    task.ignore("createTime", "dispatchCount", "responseCount", "firstAttempt", "lastAttempt", "view")
    try task.finish()
    return (new, view)
  }

  /// Reads `responseView`.
  mutating func view() throws(ServiceFault) -> CloudTasks.View {
    try choice("responseView", { (view: CloudTasks.View) in view.name }) ?? .basic
  }
}
