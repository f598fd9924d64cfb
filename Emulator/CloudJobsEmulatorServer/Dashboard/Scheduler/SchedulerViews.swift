#if Server
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsPages

/// The values of the list of scheduler jobs.
struct JobsView: Sendable {
  /// The rows.
  var jobs: [JobRow]
  /// The links to more of them.
  var pager: PagePager
  /// The path of the form for a job.
  var newJobPath: String
}

/// A scheduler job as a row of a table.
struct JobRow: Sendable {
  /// The full name.
  var jobFullName: String
  /// The ID.
  var jobID: String
  /// The location.
  var jobLocation: String
  /// The path of its page.
  var jobHref: String
  /// The schedule in words.
  var schedule: String
  /// The reason why it waits.
  var reason: ReasonView
  /// The time of the next attempt; nil if it takes more than time.
  var jobNext: PageTime?
  /// The kind of the latest result, a class of the style sheet; nil before it.
  var lastKind: String?
  /// The latest result in words.
  var lastText: String
  /// The time of the latest attempt; nil before it.
  var lastAt: PageTime?

  /// Creates the row of a job.
  init(_ report: CloudScheduler.JobReport, _ context: EmulatorPageContext) {
    let job = report.job
    (jobFullName, jobID) = (job.name.text, BoundedText.cut(job.name.id, to: 60))
    jobLocation = "\(job.name.location.project) · \(job.name.location.id)"
    jobHref = context.link(SchedulerPages.segments(job.name)).href
    schedule = report.scheduleSummary
    reason = ReasonView(report.reason, context.clock)
    jobNext = context.time(report.reason.end)
    lastKind = job.status.map { $0.code == .ok ? "succeeded" : "failed" }
    lastText = job.status.map { $0.code == .ok ? "OK" : $0.code.name } ?? ""
    lastAt = context.time(job.lastAttemptTime)
  }
}

/// The values of the page of a scheduler job.
struct JobView: Sendable {
  /// A next time of the schedule.
  struct Next: Sendable {
    /// The time in the schedule's zone.
    var local: String
    /// The time.
    var at: PageTime
    /// A remark about a change of the clocks; nil for none.
    var note: String?
  }

  /// The full name.
  var fullName: String
  /// The description; nil for none.
  var about: String?
  /// The reason why it waits.
  var reason: ReasonView
  /// The time of the next attempt; nil if it takes more than time.
  var nextAt: PageTime?
  /// Whether it is paused.
  var isPaused: Bool
  /// The schedule as it was given.
  var scheduleText: String
  /// The schedule in words.
  var schedule: String
  /// The time zone.
  var zone: String
  /// The next times.
  var next: [Next]
  /// The time of the latest attempt; nil before it.
  var lastAt: PageTime?
  /// The kind of the latest result, a class of the style sheet; nil before it.
  var lastKind: String?
  /// The latest result in words.
  var lastText: String
  /// The execution in progress in words; nil for none.
  var execution: String?
  /// The limits of retries in words.
  var retries: String
  /// The time limit of an attempt in words.
  var deadline: String
  /// The request.
  var target: TargetView
  /// Its deliveries.
  var rows: [DeliveryRow]
  /// The path of the page.
  var path: String

  /// Creates the values.
  init(_ report: CloudScheduler.JobReport, _ rows: [DeliveryRow], _ context: EmulatorPageContext) {
    let job = report.job
    fullName = job.name.text
    about = job.description.isEmpty ? nil : job.description
    reason = ReasonView(report.reason, context.clock)
    nextAt = context.time(report.reason.end)
    isPaused = job.state == .paused
    (scheduleText, schedule, zone) = (job.schedule, report.scheduleSummary, job.timeZone)
    next = report.next.map { next in
      Next(local: PageTime.exact(next.time, in: report.zone), at: context.time(next.time), note: next.note)
    }
    lastAt = context.time(job.lastAttemptTime)
    lastKind = job.status.map { $0.code == .ok ? "succeeded" : "failed" }
    lastText =
      job.status.map { status in
        status.code == .ok ? "OK" : BoundedText.cut("\(status.code.name): \(status.message)", to: 300)
      } ?? ""
    execution = report.executionTime.map { time in
      "for \(PageTime.exact(time)), \(PageNumber.text(report.attempts, "attempt")) so far"
    }
    let retry = job.retryConfig ?? .init()
    let duration =
      retry.maxRetryDuration > .zero ? ", for at least \(PageNumber.text(retry.maxRetryDuration))" : ""
    retries =
      retry.retryCount == 0 && retry.maxRetryDuration == .zero
      ? "none" : "\(PageNumber.text(retry.retryCount))\(duration); \(QueueView.backoff(retry.backoff))"
    deadline = job.attemptDeadline.map { "\(PageNumber.text($0)) for each attempt" } ?? "the service's"
    target = TargetView(job.target)
    self.rows = rows
    path = context.link(SchedulerPages.segments(job.name)).href
  }
}

/// The form of a scheduler job.
struct JobForm: Sendable {
  /// The path that the form is sent to.
  var action: String
  /// The path of the page to return to.
  var backPath: String
  /// Whether the job is to be created.
  var isNew = true
  /// Whether its target is an HTTP request, which the form can change.
  var isHTTP = true
  /// Why the form was refused; nil if it was not.
  var problem: String?
  /// The project ID.
  var project = "local"
  /// The location ID.
  var location = "local"
  /// The ID.
  var jobID = ""
  /// The description.
  var about = ""
  /// The schedule.
  var schedule = "*/5 * * * *"
  /// The time zone.
  var zone = "Etc/UTC"
  /// The URL.
  var url = "http://127.0.0.1:8080/"
  /// The method.
  var method = "POST" {
    didSet { methods = FormChoice.methods(method) }
  }
  /// The header fields, one a line.
  var headers = ""
  /// The body.
  var body = ""
  /// Whether the body is text, which the form can change.
  var hasTextBody = true
  /// The maximum number of retries.
  var retryCount = "0"

  /// The methods, with the one that is chosen; stored, as templates see no computed properties.
  private(set) var methods = FormChoice.methods("POST")

  /// Creates the form of a new job.
  init(action: String, backPath: String) { (self.action, self.backPath) = (action, backPath) }

  /// Creates the form of a job's values.
  init(_ job: CloudScheduler.Job, action: String, backPath: String) {
    self.init(action: action, backPath: backPath)
    isNew = false
    (about, schedule, zone) = (job.description, job.schedule, job.timeZone)
    retryCount = "\(job.retryConfig?.retryCount ?? 0)"
    guard case .http(let target) = job.target else {
      isHTTP = false
      return
    }
    (url, method, headers) = (target.url, target.method.name, FormHeaders.text(target.headers))
    let text = target.body.count <= 64 << 10 ? String(validating: target.body, as: UTF8.self) : nil
    (body, hasTextBody) = (text ?? "", text != nil)
  }

  /// Takes the values that were sent.
  mutating func read(_ fields: PageFields) {
    func value(_ name: String) -> String { (fields[name] ?? "").trimmingSpaces }
    if isNew { (project, location, jobID) = (value("project"), value("location"), value("id")) }
    (about, schedule, zone) = (value("about"), value("schedule"), value("zone"))
    retryCount = value("retries")
    guard isHTTP else { return }
    (url, method, headers) = (value("url"), fields["method"] ?? "POST", fields.text("headers") ?? "")
    if hasTextBody { body = fields.text("body") ?? "" }
  }

  /// The fields that the form changes.
  var updateMask: String {
    let target =
      isHTTP
      ? ["httpTarget.uri", "httpTarget.httpMethod", "httpTarget.headers"] + (hasTextBody ? ["httpTarget.body"] : [])
      : []
    return (["description", "schedule", "timeZone", "retryConfig.retryCount"] + target).joined(separator: ",")
  }

  /// Returns the job as the API takes it.
  ///
  /// - Throws: ``PageFault`` for a number or a header field that is none.
  func json(name: String) throws(PageFault) -> JSONValue {
    var job: [String: JSONValue] = [
      "name": .string(name), "description": .string(about), "schedule": .string(schedule), "timeZone": .string(zone),
      "retryConfig": ["retryCount": .integer(try FormNumber.whole(retryCount, "The number of retries"))],
    ]
    if isHTTP {
      var target: [String: JSONValue] = [
        "uri": .string(url), "httpMethod": .string(method), "headers": try FormHeaders.json(headers),
      ]
      if !body.isEmpty { target["body"] = .string(Base64.encode(Array(body.utf8))) }
      job["httpTarget"] = .object(target)
    }
    return .object(job)
  }
}
#endif
