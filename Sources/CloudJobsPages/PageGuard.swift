#if Server
import CloudJobsCore
package import HTTPTypes

/// The rule for requests to a dashboard that browsers of other machines use.
///
/// A browser sends a visitor's credentials with the requests of any page. So a request that changes something must come
/// from a page of the dashboard itself: `Sec-Fetch-Site` says so and can't be set by a page
/// (<https://www.w3.org/TR/fetch-metadata/>), and an `Origin` must be the dashboard's. Browsers send the field only to
/// `https` and to this machine; without it, a change is refused. A request under a name that is not the dashboard's may
/// come from a page whose name was led to its address (DNS rebinding).
package struct PageGuard: Sendable {
  /// The host names under which the dashboard is served, in lower case, without a port; `*` for any.
  private let hosts: Set<String>

  /// Creates a rule.
  ///
  /// - Parameter hosts: the host names under which the dashboard is served besides those of this machine; `*` for any.
  package init(hosts: [String]) {
    self.hosts = Set(hosts.map { $0.lowercased() })
  }

  /// Returns the reason to refuse a request; nil if it may be served.
  ///
  /// - Parameter request: the head of the request.
  /// - Returns: the reason and the remedy.
  package func refusal(of request: HTTPRequest) -> String? {
    let authority = request.authority ?? ""
    guard let host = HostName.split(authority)?.host else {
      return "The header Host is missing or invalid. Send the name under which the dashboard is served."
    }
    if !HostName.isLoopback(authority: authority), !hosts.contains("*"), !hosts.contains(host.lowercased()) {
      return "The dashboard is not served under the name in the header Host. Add the name to its hosts, or use another."
    }
    if request.method == .get || request.method == .head { return nil }
    return Self.writeRefusal(of: request, authority: authority.lowercased(), hosts: hosts)
  }

  /// Returns the reason to refuse a request that changes something; nil if a page of the dashboard made it.
  ///
  /// - Parameters:
  ///   - request: the head of the request.
  ///   - authority: the name and port under which the dashboard was called.
  ///   - hosts: further names of the dashboard, as a proxy may call it by another name than the browser calls the
  ///     proxy.
  /// - Returns: the reason and the remedy.
  package static func writeRefusal(
    of request: HTTPRequest, authority: String, hosts: Set<String> = []
  ) -> String? {
    guard let site = HTTPField.Name("Sec-Fetch-Site") else { return "The header Sec-Fetch-Site can't be read." }
    let sites = request.headerFields[values: site]
    guard sites == ["same-origin"] else {
      return sites.isEmpty
        ? "The header Sec-Fetch-Site is missing. Open the dashboard with https, or as localhost, in a current browser; "
          + "programs use the routes of the handler."
        : "The request was not made by a page of the dashboard. Open the dashboard, and repeat it there."
    }
    for origin in request.headerFields[values: .origin] {
      guard isOrigin(origin.lowercased(), of: authority, or: hosts) else {
        return "The header Origin is not that of the dashboard. Open the dashboard, and repeat it there; a proxy must "
          + "pass the header Host on, or the dashboard's hosts name it."
      }
    }
    let type = request.headerFields[.contentType]?.prefix { $0 != ";" }.lowercased()
    guard type == "application/x-www-form-urlencoded" else {
      return "The header Content-Type is not that of a form. Open the dashboard, and repeat it there."
    }
    return nil
  }

  private static func isOrigin(_ origin: String, of authority: String, or hosts: Set<String>) -> Bool {
    guard let scheme = ["https://", "http://"].first(where: { origin.hasPrefix($0) }) else { return false }
    let own = origin.dropFirst(scheme.count)
    return own == authority || HostName.split(own).map { hosts.contains(String($0.host)) } ?? false
  }

  /// Returns whether a browser reads a page for a window of its own: by a link, a bookmark or an address typed in, and
  /// not for a frame or a script (<https://www.w3.org/TR/fetch-metadata/>).
  package static func isNavigation(_ request: HTTPRequest) -> Bool {
    guard request.method == .get, let mode = HTTPField.Name("Sec-Fetch-Mode"),
      let destination = HTTPField.Name("Sec-Fetch-Dest")
    else { return false }
    return request.headerFields[values: mode] == ["navigate"]
      && request.headerFields[values: destination] == ["document"]
  }

  /// Returns a request without the fields that tell from which page it came.
  package static func withoutOrigin(_ request: HTTPRequest) -> HTTPRequest {
    var request = request
    request.headerFields[.referer] = nil
    if let site = HTTPField.Name("Sec-Fetch-Site") { request.headerFields[site] = nil }
    return request
  }
}

/// The user name and the password of a request, by the scheme Basic (RFC 7617).
package struct BasicCredentials: Hashable, Sendable {
  /// The name.
  package var user: String
  /// The password.
  package var password: String

  /// Reads the credentials of a request; nil if it has none of this scheme.
  package init?(of request: HTTPRequest) {
    guard let field = request.headerFields[.authorization] else { return nil }
    let parts = field.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].lowercased() == "basic", let bytes = Base64.decode(String(parts[1])) else {
      return nil
    }
    let text = String(decoding: bytes, as: UTF8.self)
    guard let colon = text.firstIndex(of: ":") else { return nil }
    (user, password) = (String(text[..<colon]), String(text[text.index(after: colon)...]))
  }
}
#endif
