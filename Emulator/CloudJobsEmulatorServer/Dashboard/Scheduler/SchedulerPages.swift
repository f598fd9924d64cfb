#if Server
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsPages
import HTTPTypes

/// The pages of scheduler jobs: `jobs` and `jobs/P/L/J`.
struct SchedulerPages: EmulatorPages {
  private let context: EmulatorPageContext

  init(_ context: EmulatorPageContext) { self.context = context }

  func respond(to request: DashboardRequest) async throws(PageFault) -> PageResponse? {
    let path = request.path
    if path.count == 1 { return request.isReading ? list() : nil }
    if path.count == 2, path[1] == "new" { return try await create() }
    guard path.count == 4 || path.count == 5 else { return nil }
    let name = try QueuePages.named { () throws(ServiceFault) in
      try CloudScheduler.JobName("projects/\(path[1])/locations/\(path[2])/jobs/\(path[3])")
    }
    if path.count == 4 { return request.isReading ? try show(name) : nil }
    return path[4] == "edit" ? try await edit(name) : try await change(name, path[4])
  }

  /// Returns the segments of the page of a job.
  static func segments(_ name: CloudScheduler.JobName) -> [String] {
    ["jobs", String(name.location.project), String(name.location.id), name.id]
  }

  private func list() -> PageResponse {
    let limit = EmulatorPageContext.rowLimit
    let reports = context.api.emulator.withServices { state, _ in
      state.scheduler.jobReports(after: context.request.query["after"] ?? "", limit: limit + 1)
    }
    let rows = reports.prefix(limit).map { JobRow($0, context) }
    let next = reports.count > limit ? rows.last?.jobFullName : nil
    let pager = PagePager(
      shown: PageNumber.text(rows.count, "job"), next: next.map { context.link("jobs").with("after", $0).href },
      first: context.request.query["after"] == nil ? nil : context.link("jobs").href)
    return context.page(
      JobsView(jobs: rows, pager: pager, newJobPath: context.link("jobs", "new").href), "jobs",
      title: "Scheduler jobs")
  }

  private func show(_ name: CloudScheduler.JobName) throws(PageFault) -> PageResponse {
    let report = context.api.emulator.withServices { state, now in
      state.scheduler.jobReport(name, nextCount: 5, at: now)
    }
    guard let report else { throw missing(name) }
    let subject = name.text
    let rows = DeliveryRow.rows(context.api.emulator.trace.newestFirst, limit: 25, now: context.now) { other, _ in
      other == subject
    }
    return context.page(JobView(report, rows, context), "job", title: BoundedText.cut(name.id, to: 80))
  }

  private func missing(_ name: CloudScheduler.JobName) -> PageFault {
    PageFault(.notFound, "There is no job \(BoundedText.cut(name.id, to: 60)). It may have been deleted.")
  }

  private func change(_ name: CloudScheduler.JobName, _ verb: String) async throws(PageFault) -> PageResponse? {
    let link = context.link(Self.segments(name))
    switch (context.request.isReading, verb) {
    case (true, "copy"): return try await CopyPages(context).job(name)
    case (true, "delete"):
      return context.confirmation(
        "Delete the job?", "The job \(name.id) is deleted with its schedule.", verb: "Delete the job",
        action: link.appending("delete").href, back: link.href)
    case (false, "delete"):
      try await context.call("DELETE", QueuePages.parts(name, version: "v1"))
      return context.redirect(to: context.link("jobs"), .deleted)
    case (false, "run"), (false, "pause"), (false, "resume"):
      try await context.call("POST", QueuePages.parts(name, verb: verb, version: "v1"), .object([:]))
      let message: EmulatorMessage = verb == "run" ? .requested : verb == "pause" ? .paused : .resumed
      return context.redirect(to: link, message)
    default: return nil
    }
  }

  private func create() async throws(PageFault) -> PageResponse? {
    var form = JobForm(action: context.link("jobs", "new").href, backPath: context.link("jobs").href)
    if context.request.isReading { return context.page(form, "jobform", title: "New scheduler job") }
    form.read(context.request.form)
    do throws(PageFault) {
      let location = ["projects", form.project, "locations", form.location]
      let name = (location + ["jobs", form.jobID]).joined(separator: "/")
      try await context.call("POST", ["v1"] + location + ["jobs"], try form.json(name: name))
      return context.redirect(to: context.link("jobs", form.project, form.location, form.jobID), .created)
    } catch {
      form.problem = error.message
      return context.page(form, "jobform", title: "New scheduler job", status: error.status)
    }
  }

  private func edit(_ name: CloudScheduler.JobName) async throws(PageFault) -> PageResponse? {
    let link = context.link(Self.segments(name))
    let job = context.api.emulator.withServices { state, _ in try? state.scheduler.getJob(name) }
    guard let job else { throw missing(name) }
    var form = JobForm(job, action: link.appending("edit").href, backPath: link.href)
    let title = "Edit \(BoundedText.cut(name.id, to: 80))"
    if context.request.isReading { return context.page(form, "jobform", title: title) }
    form.read(context.request.form)
    do throws(PageFault) {
      try await context.call(
        "PATCH", QueuePages.parts(name, version: "v1"), query: "updateMask=\(form.updateMask)",
        try form.json(name: name.text))
      return context.redirect(to: link, .changed)
    } catch {
      form.problem = error.message
      return context.page(form, "jobform", title: title, status: error.status)
    }
  }
}
#endif
