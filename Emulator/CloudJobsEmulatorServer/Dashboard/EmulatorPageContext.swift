#if Server
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsEmulatorWire
import CloudJobsPages
import HTTPTypes

/// What the pages of one request share.
struct EmulatorPageContext: Sendable {
  /// The number of rows of a list.
  static let rowLimit = 50

  /// The emulator's API.
  let api: EmulatorAPI
  /// The emulator's identity; nil without one.
  let tokens: DashboardTokens?
  /// Scheme, host and port of the emulator.
  let origin: String
  /// The emulator's clock at the time of the request.
  let clock: ClockStatus
  /// The request.
  let request: DashboardRequest

  /// The emulator's time of the request.
  var now: Timestamp { clock.now }

  /// Returns a link within the dashboard.
  ///
  /// - Parameter segments: the segments of the path, not encoded.
  /// - Returns: the link.
  func link(_ segments: String...) -> PageLink { link(segments) }

  /// Returns a link within the dashboard.
  func link(_ segments: [String]) -> PageLink {
    segments.reduce(PageLink(EmulatorDashboard.path)) { $0.appending($1) }
  }

  /// Returns a time as pages show it.
  func time(_ time: Timestamp) -> PageTime { PageTime(time, now: now) }

  /// Returns a time as pages show it; nil for none.
  func time(_ time: Timestamp?) -> PageTime? { time.map { PageTime($0, now: now) } }

  // MARK: Calls

  /// Calls a method of the emulator's services.
  ///
  /// - Parameters:
  ///   - method: the HTTP method.
  ///   - path: the parts of the path, not encoded.
  ///   - query: the query, encoded; empty for none.
  ///   - body: the body; nil for none.
  /// - Returns: the body of the answer.
  /// - Throws: ``PageFault`` with the message and status of a refusal.
  @discardableResult
  func call(
    _ method: String, _ path: [String], query: String = "", _ body: JSONValue? = nil
  ) async throws(PageFault) -> JSONValue {
    let target =
      "/" + path.map { PercentEncoding.encode($0) }.joined(separator: "/") + (query.isEmpty ? "" : "?\(query)")
    let answer = await api.respond(to: RESTRequest(method: method, target: target, body: body?.encoded ?? []))
    guard answer.status != 200 else { return answer.body }
    throw PageFault(
      .init(code: answer.status), answer.body["error"]?["message"]?.string ?? "The emulator refused the request.")
  }

  // MARK: Pages

  /// Returns a page.
  ///
  /// - Parameters:
  ///   - view: the values that the template knows as `page.view`.
  ///   - template: the name of the template.
  ///   - title: the title.
  ///   - status: the status.
  /// - Returns: the response.
  func page(
    _ view: some Sendable, _ template: String, title: String, status: PageResponse.Status = .ok
  ) -> PageResponse {
    let segment = request.path.first ?? ""
    let links = EmulatorSections.all.compactMap { section in
      section.label.map { label in
        PageShell.Link(
          label, href: section.segment.isEmpty ? EmulatorDashboard.path : link(section.segment).href, key: section.key,
          isCurrent: section.segment == segment)
      }
    }
    var shell = PageShell(
      product: "Emulator", title: BoundedText.cut(title, to: 120), base: EmulatorDashboard.path, links: links, now: now)
    shell.mayChange = true
    shell.refresh = request.isReading ? 2 : nil
    shell.message = EmulatorMessage.message(of: request)
    shell.footer = "cloud-jobs emulator at \(origin)"
    return PageResponse(
      page: EmulatorTemplates.all.render(
        EmulatorPage(clock: ClockBar(clock, request), view: view), as: template, in: shell), status: status)
  }

  /// Returns a response that leads to another page after a change, with a message there.
  func redirect(to link: PageLink, _ message: EmulatorMessage) -> PageResponse {
    PageResponse(redirectTo: link.with("done", message.rawValue).href)
  }

  /// Returns the page that asks whether to make a change that can't be undone.
  ///
  /// - Parameters:
  ///   - title: the question.
  ///   - text: what is changed.
  ///   - verb: the text of the button.
  ///   - action: the path that a POST makes the change under.
  ///   - back: the path of the page to return to.
  /// - Returns: the response.
  func confirmation(_ title: String, _ text: String, verb: String, action: String, back: String) -> PageResponse {
    page(ConfirmView(text: text, verb: verb, action: action, back: back), "confirm", title: title)
  }

  /// Returns the page of a fault.
  func page(for fault: PageFault) -> PageResponse {
    page(
      FaultView(text: BoundedText.cut(fault.message, to: 2_000)), "fault", title: fault.status.reasonPhrase,
      status: fault.status)
  }
}

/// What a template knows as `page`.
struct EmulatorPage<View: Sendable>: Sendable {
  /// The bar with the clock.
  var clock: ClockBar
  /// The values of the page.
  var view: View
}

/// The values of the page of a fault.
struct FaultView: Sendable {
  /// The reason.
  var text: String
}

/// The values of a page that asks before a change.
struct ConfirmView: Sendable {
  /// What is changed.
  var text: String
  /// The text of the button.
  var verb: String
  /// The path that a POST makes the change under.
  var action: String
  /// The path of the page to return to.
  var back: String
}

/// The changes that a page reports after they were made.
///
/// A page shows only these texts and numbers, so that a link can't make it say anything else.
enum EmulatorMessage: String, CaseIterable {
  case advanced, idle, nothing, limit, later, slow, frozen, unfrozen, reset
  case paused, resumed, purged, deleted, created, changed, requested

  /// The message.
  var text: String {
    switch self {
    case .advanced: "The time was advanced."
    case .idle: "Nothing waits for time any more."
    case .nothing: "No attempt follows by time alone. Create a task, or resume a queue that is paused."
    case .limit: "There is more to come: the number of events for one click was reached."
    case .later: "What follows is more than 31 days away."
    case .slow: "Deliveries are still under way. The time goes on once they have ended."
    case .frozen: "The clock stands. What is due starts when you advance it."
    case .unfrozen: "The clock runs again, from the time at which it stood."
    case .reset: "All services are as at the start, and the time is the machine's."
    case .paused: "It is paused."
    case .resumed: "It was resumed."
    case .purged: "All tasks of the queue were deleted."
    case .deleted: "It was deleted."
    case .created: "It was created."
    case .changed: "It was changed."
    case .requested: "An attempt was requested, regardless of limits."
    }
  }

  /// Returns the message about the change that led to a page; nil for none.
  static func message(of request: DashboardRequest) -> PageShell.Message? {
    guard let message = request.query["done"].flatMap({ EmulatorMessage(rawValue: $0) }) else { return nil }
    var text = message.text
    if let made = request.query["made"].flatMap({ Int($0) }), made >= 0 {
      let failed = request.query["failed"].flatMap { Int($0) } ?? 0
      let deliveries = PageNumber.text(made, "delivery", "deliveries")
      switch (made, failed) {
      case (0, _): text += " No delivery was made."
      case (1, 0): text += " \(deliveries) was made."
      case (_, 0): text += " \(deliveries) were made."
      default: text += " \(deliveries), of which \(PageNumber.text(failed)) failed."
      }
    }
    return PageShell.Message(text, isError: message == .slow)
  }
}

/// The templates of the emulator's pages.
enum EmulatorTemplates {
  /// All templates, by the names of their files.
  static let all = PageTemplates([
    "clockbar": PackageResources.clockbar_mustache, "when": PackageResources.when_mustache,
    "fault": PackageResources.fault_mustache, "confirm": PackageResources.confirm_mustache,
    "emulator": PackageResources.emulator_mustache, "deliveryrows": PackageResources.deliveryrows_mustache,
    "deliveries": PackageResources.deliveries_mustache, "queues": PackageResources.queues_mustache,
    "queue": PackageResources.queue_mustache, "queueform": PackageResources.queueform_mustache,
    "task": PackageResources.task_mustache,
    "taskform": PackageResources.taskform_mustache, "target": PackageResources.target_mustache,
    "copy": PackageResources.copy_mustache, "jobs": PackageResources.jobs_mustache,
    "job": PackageResources.job_mustache, "jobform": PackageResources.jobform_mustache,
    "documents": PackageResources.documents_mustache, "collection": PackageResources.collection_mustache,
    "document": PackageResources.document_mustache, "tokens": PackageResources.tokens_mustache,
  ])
}
#endif
