#if Server
package import CloudJobs
import CloudJobsCore
package import CloudJobsPages
package import HTTPTypes
import Logging

/// The dashboard of a runtime: takes requests under its path, and answers them with pages.
package struct Dashboard: Sendable {
  /// A response: a page, or a stream of server-sent events.
  package enum Reply: Sendable {
    /// A whole response.
    case page(PageResponse)
    /// Events in the form of <https://html.spec.whatwg.org/#server-sent-events>, until the stream ends.
    case events(AsyncStream<[UInt8]>)
  }

  private let runtime: JobRuntime
  private let options: DashboardOptions
  private let streams = LogStreamBudget()
  private let measurements = SharedMeasurements()

  /// Creates the dashboard of a runtime.
  ///
  /// - Parameters:
  ///   - runtime: the runtime.
  ///   - options: the options; the path is without a slash at its end.
  package init(_ runtime: JobRuntime, _ options: DashboardOptions) {
    (self.runtime, self.options) = (runtime, options)
  }

  /// Answers a request.
  ///
  /// - Parameters:
  ///   - request: the head of the request.
  ///   - peer: the other end of the connection.
  ///   - collectBody: returns the body, up to a number of bytes; called at most once, after the visitor is known.
  /// - Returns: the response.
  package func respond(
    to request: HTTPRequest, peer: Peer, _ collectBody: (Int) async throws(JobError) -> [UInt8]
  ) async -> Reply {
    let now = runtime.clock.now()
    // Files without anyone's data, which the page of a refusal needs too.
    guard var page = PageRequest(request.method, target: request.path ?? "", under: options.path) else {
      return .page(refusal(JobError(.notFound, "There is no such page."), now))
    }
    if page.isReading, let file = PageAssets.response(to: page.path) { return .page(file) }
    do throws(JobError) {
      guard page.isReading || page.method == .post else {
        throw JobError(.methodNotAllowed, "Pages are read with GET and changed with POST.")
      }
      let visitor = try await options.access.visitor(of: request, peer: peer)
      if page.method == .post {
        page.form = PageFields(String(decoding: try await collectBody(PageRequest.maximumFormBytes), as: UTF8.self))
      }
      var context = DashboardContext(runtime: runtime, options: options, visitor: visitor, now: now)
      context.streams = streams
      context.measurements = measurements
      context.lastEventID = HTTPField.Name("Last-Event-ID").flatMap { request.headerFields[$0] }
      return try await answer(page, context)
    } catch {
      return .page(refusal(error, now))
    }
  }

  private func answer(_ request: PageRequest, _ context: DashboardContext) async throws(JobError) -> Reply {
    let name = request.path.first ?? ""
    guard let section = DashboardSections.all.first(where: { $0.segment == name }),
      let reply = try await section.pages.init(context).respond(to: request)
    else { throw JobError(.notFound, "There is no such page.") }
    return reply
  }

  private func refusal(_ error: JobError, _ now: Timestamp) -> PageResponse {
    let context = DashboardContext(
      runtime: runtime, options: options, visitor: DashboardVisitor(name: nil, role: .readOnly), now: now)
    var response = context.page(for: error)
    // RFC 9110, section 15.5.6.
    if error.code == .methodNotAllowed { response.fields[.allow] = "GET, HEAD, POST" }
    if error.code == .unauthenticated, options.access.asksForPassword {
      response.fields[.wwwAuthenticate] = "Basic realm=\"dashboard\", charset=\"UTF-8\""
    }
    if error.code == .unauthenticated || error.code == .permissionDenied {
      runtime.options.logger.notice(
        "A request to the dashboard was refused.", metadata: ["code": "\(error.code)", "reason": "\(error.message)"])
    }
    return response
  }
}

/// A group of pages under one segment of the dashboard's path.
protocol DashboardPages: Sendable {
  init(_ context: DashboardContext)

  /// Answers a request; nil if there is no such page.
  ///
  /// A request that changes something is a POST, and its visitor has the role for it.
  ///
  /// - Parameter request: the request, whose first segment is that of the group.
  /// - Returns: the response; nil for none.
  /// - Throws: ``/CloudJobsCore/JobError``, shown as a page with the status of its code.
  func respond(to request: PageRequest) async throws(JobError) -> Dashboard.Reply?
}

/// The groups of pages.
enum DashboardSections {
  /// A group of pages.
  struct Section: Sendable {
    /// The first segment of their paths; empty for the first page.
    var segment: String
    /// The text of the link.
    var label: String
    /// The letter that, after `g`, leads there.
    var key: String
    /// The pages.
    var pages: any DashboardPages.Type
  }

  /// All groups.
  static let all = navigation + [Section(segment: WordPages.segment, label: "Words", key: "", pages: WordPages.self)]

  /// The groups of the navigation, in their order.
  static let navigation: [Section] = [
    Section(segment: "", label: "Overview", key: "o", pages: OverviewPages.self),
    Section(segment: "jobs", label: "Jobs", key: "j", pages: JobsPages.self),
    Section(segment: "calendar", label: "Calendar", key: "c", pages: CalendarPages.self),
    Section(segment: "forecast", label: "Forecast", key: "f", pages: ForecastPages.self),
    Section(segment: RunPages.segment, label: "Runs", key: "r", pages: RunPages.self),
    Section(segment: DeadLetterPages.segment, label: "Dead letters", key: "d", pages: DeadLetterPages.self),
    Section(segment: WorkerPages.segment, label: "Workers", key: "w", pages: WorkerPages.self),
    Section(segment: ActionPages.segment, label: "Actions", key: "a", pages: ActionPages.self),
  ]
}
#endif
