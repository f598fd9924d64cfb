/// The rule for a handler that trusts its own machine: a request must come from a program on this machine, and neither
/// from a web page in a browser nor through a proxy.
///
/// A web page can send simple requests to any address without permission, and can read the responses under its own name
/// if that name resolves to a loopback address (DNS rebinding). Browsers reveal pages by `Origin` and `Sec-Fetch-Site`
/// (<https://fetch.spec.whatwg.org/#origin-header>, <https://www.w3.org/TR/fetch-metadata/>), a rebound name appears in
/// `Host`, and proxies add headers of their own. Programs send none of these.
package struct LocalCallerRule: Hashable, Sendable {
  /// The origin of a connection.
  package enum Peer: Hashable, Sendable {
    /// An IP address in text form.
    case address(String)
    /// This process or a Unix domain socket, which browsers can't reach.
    case withoutAddress
    /// An unknown origin.
    case unknown
  }

  /// The parts of a request that the rule checks.
  package struct Request: Sendable {
    /// The method, such as `POST`.
    package var method: String
    /// `http` or `https`, if the server knows it.
    package var scheme: String?
    /// The target's authority; nil if the server passes it as the header field `Host`.
    package var authority: String?
    /// The header fields.
    package var fields: [(name: String, value: String)]
    /// The other end of the connection.
    package var peer: Peer

    /// Creates a request.
    package init(
      method: String, scheme: String? = nil, authority: String? = nil, fields: [(name: String, value: String)] = [],
      peer: Peer
    ) {
      (self.method, self.scheme, self.authority, self.fields, self.peer) = (method, scheme, authority, fields, peer)
    }
  }

  /// Whether programs on other machines are allowed.
  ///
  /// `Host`, the peer and proxies are then not checked, and web pages are always rejected because a page under a
  /// rebound name looks like a page of the server.
  private let servesOthers: Bool
  /// The alternative to calling from this machine, such as "configure another authentication".
  private let alternative: String

  /// Creates a rule.
  ///
  /// - Parameters:
  ///   - servesOthers: whether programs on other machines are allowed.
  ///   - alternative: the alternative to calling from this machine, for messages: "configure …".
  package init(servesOthers: Bool = false, alternative: String) {
    self.servesOthers = servesOthers
    self.alternative = alternative
  }

  /// Returns the reason to reject a request, or nil if it is allowed.
  ///
  /// - Parameter request: the request.
  /// - Returns: the reason, which names the header, and the remedy.
  package func refusal(of request: Request) -> String? {
    if servesOthers { return pageRefusal(request, ownOrigins: []) }
    if let refusal = peerRefusal(request.peer) ?? proxyRefusal(request.fields) { return refusal }
    let hosts = Self.hosts(of: request)
    if let refusal = hostRefusal(hosts, peer: request.peer) { return refusal }
    let schemes = request.scheme.map { [$0.lowercased()] } ?? ["http", "https"]
    let ownHosts = hosts.filter { HostName.isLoopback(authority: $0) }
    return pageRefusal(request, ownOrigins: ownHosts.flatMap { host in schemes.map { "\($0)://\(host)" } })
  }

  private func peerRefusal(_ peer: Peer) -> String? {
    switch peer {
    case .withoutAddress: nil
    case .address(let text):
      IPAddress(text)?.isLoopback == true
        ? nil
        : "The caller's address \(Self.shown(text)) is not on this machine, and no other is trusted. "
          + "Call from this machine, or \(alternative)."
    case .unknown:
      "The server does not provide the caller's address, so the caller can't be trusted as local. "
        + "Pass the peer's address, or \(alternative)."
    }
  }

  private func hostRefusal(_ hosts: [String], peer: Peer) -> String? {
    // Browsers can't reach a peer without an address, and clients of Unix domain sockets send any host name.
    guard case .address = peer else { return nil }
    guard let host = hosts.first else {
      return "The header Host is missing. Send the address that you call, such as Host: 127.0.0.1."
    }
    if hosts.count > 1 {
      return "The request has several different Host headers. Send one, with the address that you call."
    }
    guard !HostName.isLoopback(authority: host) else { return nil }
    return "The header Host is \(Self.shown(host)), which is not a name of this machine. "
      + "Call it as 127.0.0.1, or \(alternative)."
  }

  private func proxyRefusal(_ fields: [(name: String, value: String)]) -> String? {
    guard let field = fields.first(where: { ProxyFields.contains($0.name) }) else { return nil }
    return "The header \(Self.shown(field.name)) shows that a proxy forwarded the request, so its caller is unknown. "
      + "Call directly, or \(alternative)."
  }

  private func pageRefusal(_ request: Request, ownOrigins: [String]) -> String? {
    let remedy = "Call from a program instead" + (servesOthers ? "." : ", or \(alternative).")
    let isReading = request.method == "GET" || request.method == "HEAD"
    for field in request.fields {
      switch field.name.lowercased() {
      case "origin" where !ownOrigins.contains(field.value.lowercased()):
        return "The header Origin shows that a web page at \(Self.shown(field.value)) made the request. \(remedy)"
      case "referer" where !ownOrigins.contains(Self.origin(of: field.value)):
        return "The header Referer shows that a web page of another origin made the request. \(remedy)"
      case "sec-fetch-site" where field.value != "same-origin" && !(field.value == "none" && isReading):
        return "The header Sec-Fetch-Site is \(Self.shown(field.value)): a web browser made the request, and not for "
          + "a page of this handler. \(remedy)"
      default: continue
      }
    }
    return nil
  }

  /// Returns the distinct hosts that a request names, in lower case.
  private static func hosts(of request: Request) -> [String] {
    let fields = request.fields.filter { $0.name.lowercased() == "host" }.map(\.value)
    return ((request.authority.map { [$0] } ?? []) + fields).map { $0.lowercased() }.reduce(into: []) { hosts, host in
      if !hosts.contains(host) { hosts.append(host) }
    }
  }

  /// Returns the scheme and authority of a URL.
  private static func origin(of url: String) -> String {
    guard let start = url.firstRange(of: "://")?.upperBound else { return "" }
    return url[..<start].lowercased() + url[start...].prefix { !"/?#".contains($0) }.lowercased()
  }

  /// Returns the caller's text in a form suitable for logs: short, and printable ASCII.
  private static func shown(_ text: String) -> String {
    let limit = 80
    let bytes = text.utf8.prefix(limit).map { (0x21...0x7E).contains($0) ? $0 : UInt8(ascii: "?") }
    return "\"\(String(decoding: bytes, as: UTF8.self))\(text.utf8.count > limit ? "…" : "")\""
  }
}

/// The header fields by which proxies, load balancers and tunnels reveal forwarded requests.
///
/// They don't include the fields of Cloud Tasks and Cloud Scheduler (`X-CloudTasks-…`, `X-CloudScheduler-…`,
/// `X-AppEngine-QueueName` and others) and of traces (`traceparent`, `X-Cloud-Trace-Context`).
private enum ProxyFields {
  /// Returns whether a field with this name comes from a proxy.
  static func contains(_ name: String) -> Bool {
    // Some servers hand fields over in the form of CGI variables.
    let name = String(name.lowercased().map { $0 == "_" ? "-" : $0 })
    return names.contains(name) || prefixes.contains { name.hasPrefix($0) }
  }

  private static let names: Set<String> = [
    // RFC 9110, section 7.6.3; RFC 8586; what a client sends to a proxy and a careless one passes on.
    "via", "cdn-loop", "proxy-connection", "proxy-authorization",
    // nginx, HAProxy, Traefik, Rackspace, AWS, GCP's front ends and the many that imitate them.
    "x-real-ip", "x-client-ip", "client-ip", "true-client-ip", "x-cluster-client-ip", "x-remote-ip", "x-remote-addr",
    "x-host", "x-scheme", "x-url-scheme", "x-rewrite-url", "front-end-https", "incap-client-ip", "x-amz-cf-id",
    "x-appengine-user-ip", "x-appengine-country", "x-appengine-region", "x-appengine-city", "x-appengine-citylatlong",
  ]

  private static let prefixes = [
    // RFC 7239, and the families before and beside it.
    "forwarded", "x-forwarded", "x-forwarder", "x-original-", "x-proxy", "x-envoy-", "cf-", "cloudfront-", "fastly-",
    "fly-", "akamai-", "x-akamai-", "x-azure-", "x-arr-", "x-vercel-", "x-nf-", "x-sucuri-", "x-goog-authenticated-",
    "x-goog-iap-", "tailscale-",
  ]
}
