#if Server
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsPages
import HTTPTypes

/// A request for a page, as distinct from one for a page of a list.
typealias DashboardRequest = CloudJobsPages.PageRequest

/// The emulator's dashboard: takes requests under its path, and answers them with pages.
struct EmulatorDashboard: Sendable {
  /// The path of the first page.
  static let path = "/_emulator/dashboard"

  private let api: EmulatorAPI
  private let tokens: DashboardTokens?
  private let origin: EmulatorOrigin
  private let guardRule: DashboardGuard

  /// Creates the dashboard of an emulator.
  ///
  /// - Parameters:
  ///   - api: the emulator's API, by which it changes everything.
  ///   - tokens: the emulator's identity; nil without one.
  ///   - origin: the emulator's origin.
  ///   - host: the address that the emulator listens on.
  init(_ api: EmulatorAPI, tokens: DashboardTokens?, origin: EmulatorOrigin, host: String) {
    (self.api, self.tokens, self.origin) = (api, tokens, origin)
    guardRule = DashboardGuard(host: host)
  }

  /// Returns whether a request is for the dashboard.
  ///
  /// - Parameter target: the path and query of the request.
  /// - Returns: whether its path is the dashboard's or under it.
  static func isTarget(_ target: String) -> Bool {
    DashboardRequest(.get, target: target, under: path) != nil
  }

  /// Returns the response that leads a browser from the emulator's address to the dashboard; nil for a program.
  ///
  /// - Parameter request: the head of the request.
  /// - Returns: the response.
  static func redirect(of request: HTTPRequest) -> PageResponse? {
    guard request.method == .get, request.path ?? "/" == "/",
      request.headerFields[.accept]?.lowercased().contains("text/html") == true
    else { return nil }
    return PageResponse(redirectTo: path)
  }

  /// Answers a request under the dashboard's path.
  ///
  /// - Parameters:
  ///   - head: the head of the request.
  ///   - collectBody: returns the body, up to a number of bytes; called at most once, after the request is admitted.
  /// - Returns: the response.
  func respond(to head: HTTPRequest, _ collectBody: (Int) async throws -> [UInt8]) async -> PageResponse {
    guard var request = DashboardRequest(head.method, target: head.path ?? "", under: Self.path) else {
      return refusal(PageFault(.notFound, "There is no such page."), isAdmitted: true)
    }
    // Files without anyone's data, which the page of a refusal needs too.
    if request.isReading, let file = PageAssets.response(to: request.path) { return file }
    if let reason = guardRule.refusal(of: head) {
      return refusal(PageFault(.forbidden, reason), isAdmitted: false)
    }
    do {
      guard request.isReading || request.method == .post else {
        throw PageFault(.methodNotAllowed, "Pages are read with GET and changed with POST.")
      }
      if request.method == .post {
        request.form = PageFields(
          String(decoding: try await collectBody(DashboardRequest.maximumFormBytes), as: UTF8.self))
      }
      return try await answer(request)
    } catch {
      return refusal(
        error as? PageFault ?? PageFault(.badRequest, "The form is incomplete or too long. Send it again."),
        isAdmitted: true)
    }
  }

  private func answer(_ request: DashboardRequest) async throws(PageFault) -> PageResponse {
    let context = context(of: request)
    let name = request.path.first ?? ""
    guard let section = EmulatorSections.all.first(where: { $0.segment == name }),
      let response = try await section.pages.init(context).respond(to: request)
    else { throw PageFault(.notFound, "There is no such page.") }
    return response
  }

  private func context(of request: DashboardRequest) -> EmulatorPageContext {
    EmulatorPageContext(
      api: api, tokens: tokens, origin: origin.value, clock: api.emulator.clockStatus, request: request)
  }

  private func refusal(_ fault: PageFault, isAdmitted: Bool) -> PageResponse {
    // A refused caller learns nothing but the reason, not even the time.
    guard isAdmitted, let request = DashboardRequest(.get, target: Self.path, under: Self.path) else {
      return PageResponse(fault.status, type: "text/plain; charset=utf-8", Array((fault.message + "\n").utf8))
    }
    return context(of: request).page(for: fault)
  }
}

/// A reason why a page can't be shown, or a change was not made.
struct PageFault: Error, Hashable {
  /// The status of the response.
  var status: PageResponse.Status
  /// The reason and the remedy.
  var message: String

  /// Creates a fault.
  init(_ status: PageResponse.Status, _ message: String) { (self.status, self.message) = (status, message) }
}

/// A group of pages under one segment of the dashboard's path.
protocol EmulatorPages: Sendable {
  init(_ context: EmulatorPageContext)

  /// Answers a request; nil if there is no such page.
  ///
  /// - Parameter request: the request, whose first segment is that of the group; one that changes something is a POST.
  /// - Returns: the response.
  /// - Throws: ``PageFault``, shown as a page with its status.
  func respond(to request: DashboardRequest) async throws(PageFault) -> PageResponse?
}

/// The groups of pages.
enum EmulatorSections {
  /// A group of pages.
  struct Section: Sendable {
    /// The first segment of their paths; empty for the first page.
    var segment: String
    /// The text of the link; nil for a group without a place in the navigation.
    var label: String?
    /// The letter that, after `g`, leads there.
    var key: String
    /// The pages.
    var pages: any EmulatorPages.Type
  }

  /// All groups, in the order of the navigation.
  static let all: [Section] = [
    Section(segment: "", label: "Overview", key: "o", pages: EmulatorOverviewPages.self),
    Section(segment: "queues", label: "Queues", key: "q", pages: QueuePages.self),
    Section(segment: "jobs", label: "Scheduler", key: "s", pages: SchedulerPages.self),
    Section(segment: "deliveries", label: "Deliveries", key: "l", pages: DeliveryPages.self),
    Section(segment: "documents", label: "Documents", key: "d", pages: DocumentPages.self),
    Section(segment: "tokens", label: "Tokens", key: "k", pages: TokenPages.self),
    Section(segment: "clock", label: nil, key: "", pages: ClockPages.self),
  ]
}
#endif
