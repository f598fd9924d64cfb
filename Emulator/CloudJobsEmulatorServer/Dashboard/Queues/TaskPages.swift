#if Server
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsPages
import HTTPTypes

/// The pages of the tasks of a queue.
struct TaskPages: Sendable {
  private let context: EmulatorPageContext
  private let queue: CloudTasks.QueueName

  /// Creates the pages.
  init(_ context: EmulatorPageContext, _ queue: CloudTasks.QueueName) { (self.context, self.queue) = (context, queue) }

  /// Returns the segments of the page of a task.
  static func segments(_ name: CloudTasks.TaskName) -> [String] {
    QueuePages.segments(name.queue) + ["tasks", name.id]
  }

  /// Answers a request for a page under `tasks`; nil if there is no such page.
  func respond(to request: DashboardRequest) async throws(PageFault) -> PageResponse? {
    let path = request.path
    guard path.count == 6 || path.count == 7 else { return nil }
    let name = try QueuePages.named { () throws(ServiceFault) in try CloudTasks.TaskName("\(queue)/tasks/\(path[5])") }
    if path.count == 6 { return request.isReading ? try show(name) : nil }
    return try await change(name, path[6])
  }

  private func show(_ name: CloudTasks.TaskName) throws(PageFault) -> PageResponse {
    let (report, queue) = context.api.emulator.withServices { state, now in
      (state.tasks.taskReport(name, at: now), try? state.tasks.getQueue(self.queue))
    }
    let subject = name.description
    let rows = DeliveryRow.rows(context.api.emulator.trace.newestFirst, limit: 25, now: context.now) { other, _ in
      other == subject
    }
    guard report != nil || !rows.isEmpty else {
      throw PageFault(
        .notFound, "There is no task \(BoundedText.cut(name.id, to: 60)). It may have been deleted.")
    }
    let view = TaskView(name, report, queue, rows, context)
    return context.page(view, "task", title: name.id)
  }

  private func change(_ name: CloudTasks.TaskName, _ verb: String) async throws(PageFault) -> PageResponse? {
    let link = context.link(Self.segments(name))
    switch (context.request.isReading, verb) {
    case (true, "copy"): return try await CopyPages(context).task(name)
    case (true, "delete"):
      return context.confirmation(
        "Delete the task?", "The task \(name.id) is deleted. An attempt in flight is not cancelled.",
        verb: "Delete the task", action: link.appending("delete").href, back: link.href)
    case (false, "delete"):
      try await context.call("DELETE", QueuePages.parts(name))
      return context.redirect(to: context.link(QueuePages.segments(queue)), .deleted)
    case (false, "run"):
      try await context.call("POST", QueuePages.parts(name, verb: "run"), .object([:]))
      return context.redirect(to: link, .requested)
    default: return nil
    }
  }

  /// Answers a request for the form of a task.
  func create() async throws(PageFault) -> PageResponse? {
    let link = context.link(QueuePages.segments(queue))
    var form = TaskForm(action: link.appending("new-task").href, backPath: link.href)
    let title = "New task in \(queue.id)"
    if context.request.isReading { return context.page(form, "taskform", title: title) }
    form.read(context.request.form)
    do throws(PageFault) {
      let answer = try await context.call(
        "POST", QueuePages.parts(queue) + ["tasks"], try form.json(in: queue, at: context.now))
      let id = answer["name"]?.string?.split(separator: "/").last.map(String.init) ?? ""
      return context.redirect(to: link.appending("tasks").appending(id), .created)
    } catch {
      form.problem = error.message
      return context.page(form, "taskform", title: title, status: error.status)
    }
  }
}

/// The values of the page of a task.
struct TaskView: Sendable {
  /// The full name.
  var fullName: String
  /// The ID of the queue.
  var queueID: String
  /// The path of the page of the queue.
  var queueHref: String
  /// Whether it waits or is in flight; false once it has ended.
  var exists: Bool
  /// The reason why it waits.
  var reason: ReasonView?
  /// The time of the next attempt; nil while one is in flight.
  var nextAt: PageTime?
  /// The time of creation.
  var createdAt: PageTime?
  /// The number of attempts, and of those with a response.
  var counts: String?
  /// The time limit of an attempt.
  var deadline: String?
  /// The first attempt, in words; nil before it.
  var firstAttempt: PageTime?
  /// The result of the latest attempt; nil before it has one.
  var lastResult: String?
  /// The request.
  var target: TargetView?
  /// Its deliveries.
  var rows: [DeliveryRow]
  /// The path of the page.
  var path: String

  /// Creates the values.
  ///
  /// - Parameters:
  ///   - name: the name.
  ///   - report: the task; nil if it has ended.
  ///   - queue: its queue; nil if it was deleted.
  ///   - rows: its deliveries.
  ///   - context: what the pages of a request share.
  init(
    _ name: CloudTasks.TaskName, _ report: CloudTasks.TaskReport?, _ queue: CloudTasks.Queue?, _ rows: [DeliveryRow],
    _ context: EmulatorPageContext
  ) {
    (fullName, queueID) = (name.description, name.queue.id)
    queueHref = context.link(QueuePages.segments(name.queue)).href
    path = context.link(TaskPages.segments(name)).href
    self.rows = rows
    exists = report != nil
    guard let report else { return }
    let task = report.task
    reason = ReasonView(report, queue, context.clock)
    if case .inFlight = report.reason {
      nextAt = nil
    } else {
      nextAt = PageTime(report.reason.end ?? task.scheduleTime, now: context.now)
    }
    createdAt = PageTime(task.createTime, now: context.now)
    counts = "\(PageNumber.text(task.dispatchCount, "attempt")), \(PageNumber.text(task.responseCount, "response"))"
    deadline = "\(PageNumber.text(task.dispatchDeadline ?? .minutes(10))) for each attempt"
    firstAttempt = task.firstAttempt.map { PageTime($0.dispatchTime, now: context.now) }
    lastResult = task.lastAttempt?.responseStatus.map { status in
      BoundedText.cut(status.message.isEmpty ? status.code.name : status.message, to: 300)
    }
    target = TargetView(task.target)
  }
}

/// The form of a task.
struct TaskForm: Sendable {
  /// The path that the form is sent to.
  var action: String
  /// The path of the page to return to.
  var backPath: String
  /// Why the form was refused; nil if it was not.
  var problem: String?
  /// The ID; empty for a generated one.
  var taskID = ""
  /// The URL.
  var url = "http://127.0.0.1:8080/"
  /// The method.
  var method = "POST" {
    didSet { methods = FormChoice.methods(method) }
  }
  /// The header fields, one a line.
  var headers = "Content-Type: application/json"
  /// The body.
  var body = ""
  /// The time until the first attempt.
  var delay = ""

  /// The methods, with the one that is chosen; stored, as templates see no computed properties.
  private(set) var methods = FormChoice.methods("POST")

  /// Creates an empty form.
  init(action: String, backPath: String) { (self.action, self.backPath) = (action, backPath) }

  /// Takes the values that were sent.
  mutating func read(_ fields: PageFields) {
    taskID = (fields["id"] ?? "").trimmingSpaces
    url = (fields["url"] ?? "").trimmingSpaces
    method = fields["method"] ?? "POST"
    headers = fields.text("headers") ?? ""
    body = fields.text("body") ?? ""
    delay = (fields["delay"] ?? "").trimmingSpaces
  }

  /// Returns the request that creates the task.
  ///
  /// - Throws: ``PageFault`` for a delay or a header field that is none.
  func json(in queue: CloudTasks.QueueName, at now: Timestamp) throws(PageFault) -> JSONValue {
    var request: [String: JSONValue] = [
      "url": .string(url), "httpMethod": .string(method), "headers": try FormHeaders.json(headers),
    ]
    if !body.isEmpty { request["body"] = .string(Base64.encode(Array(body.utf8))) }
    var task: [String: JSONValue] = ["httpRequest": .object(request)]
    if !taskID.isEmpty { task["name"] = .string("\(queue)/tasks/\(taskID)") }
    if !delay.isEmpty {
      guard let span = DurationText.parse(delay) else { throw FormNumber.fault("The delay", delay, "30s, 5min or 1h") }
      task["scheduleTime"] = .string("\(now + span)")
    }
    return ["task": .object(task)]
  }
}

/// A choice of a form.
struct FormChoice: Sendable {
  /// The value.
  var choice: String
  /// Whether it is chosen.
  var isChosen: Bool

  /// Returns the methods of requests.
  static func methods(_ chosen: String) -> [FormChoice] {
    HTTPTarget.Method.allCases.map { FormChoice(choice: $0.name, isChosen: $0.name == chosen) }
  }
}

/// Header fields of forms, one a line.
enum FormHeaders {
  /// Returns header fields in the form of the API.
  ///
  /// - Throws: ``PageFault`` for a line without a colon.
  static func json(_ text: String) throws(PageFault) -> JSONValue {
    var fields: [String: JSONValue] = [:]
    for line in text.split(whereSeparator: \.isNewline) where !line.allSatisfy({ $0 == " " }) {
      let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else {
        throw FormNumber.fault("A header field", String(line), "Content-Type: application/json, one a line")
      }
      fields[String(parts[0]).trimmingSpaces] = .string(String(parts[1]).trimmingSpaces)
    }
    return .object(fields)
  }

  /// Returns the lines of header fields, without those that a service sets itself.
  static func text(_ fields: [HeaderField]) -> String {
    fields.filter { $0.name.lowercased() != "user-agent" }.map { "\($0.name): \($0.value)" }.joined(separator: "\n")
  }
}
#endif
