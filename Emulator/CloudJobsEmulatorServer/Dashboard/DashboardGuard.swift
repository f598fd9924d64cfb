#if Server
import CloudJobsCore
import CloudJobsPages
import HTTPTypes

/// The rule for requests to the emulator's dashboard, in addition to that for all requests to the emulator.
///
/// A change must come from a page of the dashboard itself. Browsers say so with `Sec-Fetch-Site` where they trust the
/// address (`https` and this machine); elsewhere an `Origin` that is the dashboard's own takes its place, which is as
/// good only because the dashboard is then served under addresses, and a name that leads to one is refused.
struct DashboardGuard: Sendable {
  private let ownName: String

  /// Creates a rule.
  ///
  /// - Parameter host: the address that the emulator listens on, whose name the dashboard is served under.
  init(host: String) { ownName = host.lowercased() }

  /// Returns the reason to refuse a request; nil if it may be served.
  ///
  /// - Parameter request: the head of the request.
  /// - Returns: the reason and the remedy.
  func refusal(of request: HTTPRequest) -> String? {
    let authority = (request.authority ?? "").lowercased()
    guard let host = HostName.split(authority)?.host else {
      return "The header Host is missing or invalid. Send the address of the emulator."
    }
    guard HostName.isLoopback(authority: authority) || IPAddress(host) != nil || host == ownName else {
      return "The dashboard is not served under the name in the header Host. Open it by the emulator's address."
    }
    if let site = Self.site(of: request), site != "same-origin", site != "none" {
      return "The request was made for a page of another origin. Open the dashboard, and repeat it there."
    }
    if request.method == .get || request.method == .head { return nil }
    var copy = request
    if Self.site(of: request) == nil, Self.isFromOwnPage(request, authority), let name = Self.siteName {
      copy.headerFields[name] = "same-origin"
    }
    return PageGuard.writeRefusal(of: copy, authority: authority)
  }

  private static let siteName = HTTPField.Name("Sec-Fetch-Site")

  private static func site(of request: HTTPRequest) -> String? { siteName.flatMap { request.headerFields[$0] } }

  /// Whether a browser that sends no `Sec-Fetch-Site` names the dashboard as the origin.
  private static func isFromOwnPage(_ request: HTTPRequest, _ authority: String) -> Bool {
    let origins = request.headerFields[values: .origin].map { $0.lowercased() }
    return !HostName.isLoopback(authority: authority) && origins == ["http://\(authority)"]
  }
}
#endif
