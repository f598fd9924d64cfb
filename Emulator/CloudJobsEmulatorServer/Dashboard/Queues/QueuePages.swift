#if Server
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsPages
import HTTPTypes

/// The pages of queues and their tasks: `queues`, `queues/P/L/Q` and `queues/P/L/Q/tasks/T`.
struct QueuePages: EmulatorPages {
  private let context: EmulatorPageContext

  init(_ context: EmulatorPageContext) { self.context = context }

  func respond(to request: DashboardRequest) async throws(PageFault) -> PageResponse? {
    let path = request.path
    if path.count == 1 { return request.isReading ? list() : nil }
    if path.count == 2, path[1] == "new" { return try await create() }
    guard path.count >= 4 else { return nil }
    let name = try Self.named { () throws(ServiceFault) in
      try CloudTasks.QueueName("projects/\(path[1])/locations/\(path[2])/queues/\(path[3])")
    }
    if path.count >= 5, path[4] == "tasks" {
      return try await TaskPages(context, name).respond(to: request)
    }
    switch (path.count, path.last ?? "") {
    case (4, _): return request.isReading ? try queue(name) : nil
    case (5, "copy"): return try await CopyPages(context).queue(name)
    case (5, "edit"): return try await edit(name)
    case (5, "new-task"): return try await TaskPages(context, name).create()
    case (5, let verb): return try await change(name, verb)
    default: return nil
    }
  }

  /// Returns a name; a text that is none is no page.
  static func named<Name>(_ parse: () throws(ServiceFault) -> Name) throws(PageFault) -> Name {
    do throws(ServiceFault) { return try parse() } catch { throw PageFault(.notFound, error.message) }
  }

  /// Returns the segments of the page of a queue.
  static func segments(_ name: CloudTasks.QueueName) -> [String] {
    ["queues", String(name.location.project), String(name.location.id), name.id]
  }

  /// Returns the parts of a path of the REST API.
  static func parts(_ name: some CustomStringConvertible, verb: String = "", version: String = "v2") -> [String] {
    var parts = [version] + name.description.split(separator: "/").map(String.init)
    if !verb.isEmpty { parts[parts.count - 1] += ":" + verb }
    return parts
  }

  // MARK: The list

  private func list() -> PageResponse {
    let limit = EmulatorPageContext.rowLimit
    let reports = context.api.emulator.withServices { state, now in
      state.tasks.queueReports(after: context.request.query["after"] ?? "", limit: limit + 1, at: now)
    }
    let rows = reports.prefix(limit).map { QueueRow($0, context) }
    let next = reports.count > limit ? rows.last?.queueFullName : nil
    let pager = PagePager(
      shown: PageNumber.text(rows.count, "queue"), next: next.map { context.link("queues").with("after", $0).href },
      first: context.request.query["after"] == nil ? nil : context.link("queues").href)
    return context.page(
      QueuesView(queues: rows, pager: pager, newQueuePath: context.link("queues", "new").href), "queues",
      title: "Queues")
  }

  // MARK: A queue

  private func queue(_ name: CloudTasks.QueueName) throws(PageFault) -> PageResponse {
    let (after, search) = (context.request.query["after"], context.request.query["q"])
    let isByName = context.request.query["show"] == "names" || after != nil
    let limit = EmulatorPageContext.rowLimit
    let read = context.api.emulator.withServices { state, now in
      state.tasks.queueReport(name, at: now).map { report in
        var tasks =
          isByName
          ? state.tasks.taskReports(in: name, after: after ?? "", limit: limit + 1, at: now)
          : state.tasks.nextTasks(in: name, limit: limit, at: now)
        if let search {
          let found = try? CloudTasks.TaskName("\(name)/tasks/\(search)")
          tasks = found.flatMap { state.tasks.taskReport($0, at: now) }.map { [$0] } ?? []
        }
        return (report, tasks)
      }
    }
    guard let (report, tasks) = read else {
      throw PageFault(.notFound, "There is no queue \(name.id). It may have been deleted.")
    }
    let link = context.link(Self.segments(name))
    var view = QueueView(report, tasks.prefix(limit).map { TaskRow($0, report.queue, context) }, context)
    view.search = search ?? ""
    view.tabs = [
      PageTab(tabLabel: "Next first", tabHref: link.href, isChosen: !isByName),
      PageTab(tabLabel: "By name", tabHref: link.with("show", "names").href, isChosen: isByName),
    ]
    let last = tasks.prefix(limit).last?.task.name.id
    view.pager = PagePager(
      shown: "\(PageNumber.text(min(tasks.count, limit))) of \(PageNumber.text(report.taskCount, "task"))",
      next: isByName && tasks.count > limit ? last.map { link.with("after", $0).href } : nil,
      first: after == nil ? nil : link.with("show", "names").href)
    return context.page(view, "queue", title: name.id)
  }

  // MARK: Changes

  private func change(_ name: CloudTasks.QueueName, _ verb: String) async throws(PageFault) -> PageResponse? {
    let link = context.link(Self.segments(name))
    if context.request.isReading {
      guard ["delete", "purge"].contains(verb) else { return nil }
      let count = context.api.emulator.withServices { state, now in
        state.tasks.queueReport(name, at: now)?.taskCount ?? 0
      }
      let tasks = PageNumber.text(count, "task")
      return verb == "purge"
        ? context.confirmation(
          "Purge \(name.id)?", "All its tasks are deleted: \(tasks).", verb: "Delete \(tasks)",
          action: link.appending("purge").href, back: link.href)
        : context.confirmation(
          "Delete \(name.id)?",
          "The queue is deleted with \(tasks). Its name can't be used again for some days of the emulator's time.",
          verb: "Delete the queue", action: link.appending("delete").href, back: link.href)
    }
    switch verb {
    case "delete":
      try await context.call("DELETE", Self.parts(name))
      return context.redirect(to: context.link("queues"), .deleted)
    case "pause", "resume", "purge":
      try await context.call("POST", Self.parts(name, verb: verb), .object([:]))
      let message: EmulatorMessage = verb == "pause" ? .paused : verb == "resume" ? .resumed : .purged
      return context.redirect(to: link, message)
    default: return nil
    }
  }

  private func create() async throws(PageFault) -> PageResponse? {
    var form = QueueForm(.init(), .init(), isNew: true, action: context.link("queues", "new").href)
    form.backPath = context.link("queues").href
    if context.request.isReading { return context.page(form, "queueform", title: "New queue") }
    form.read(context.request.form)
    do throws(PageFault) {
      let location = "projects/\(form.project)/locations/\(form.location)"
      let name = "\(location)/queues/\(form.queueID)"
      try await context.call(
        "POST", ["v2", "projects", form.project, "locations", form.location, "queues"],
        try form.json(name: name))
      return context.redirect(to: context.link("queues", form.project, form.location, form.queueID), .created)
    } catch {
      form.problem = error.message
      return context.page(form, "queueform", title: "New queue", status: error.status)
    }
  }

  private func edit(_ name: CloudTasks.QueueName) async throws(PageFault) -> PageResponse? {
    let link = context.link(Self.segments(name))
    let queue = context.api.emulator.withServices { state, _ in try? state.tasks.getQueue(name) }
    guard let queue else { throw PageFault(.notFound, "There is no queue \(name.id). It may have been deleted.") }
    var form = QueueForm(queue.rateLimits, queue.retryConfig, isNew: false, action: link.appending("edit").href)
    form.backPath = link.href
    if context.request.isReading { return context.page(form, "queueform", title: "Edit \(name.id)") }
    form.read(context.request.form)
    do throws(PageFault) {
      try await context.call(
        "PATCH", Self.parts(name), query: "updateMask=rateLimits,retryConfig", try form.json(name: name.text))
      return context.redirect(to: link, .changed)
    } catch {
      form.problem = error.message
      return context.page(form, "queueform", title: "Edit \(name.id)", status: error.status)
    }
  }
}
#endif
