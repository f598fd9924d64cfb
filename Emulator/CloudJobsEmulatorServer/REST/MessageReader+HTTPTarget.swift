import CloudJobsEmulator

extension MessageReader {
  /// Reads an `HttpRequest` of Cloud Tasks or an `HttpTarget` of Cloud Scheduler.
  ///
  /// - Parameter urlName: what the message calls its URL, `url` or `uri`.
  /// - Returns: the request.
  /// - Throws: ``ServiceFault`` for a value of the wrong kind or an unknown name.
  mutating func httpTarget(urlName: String) throws(ServiceFault) -> HTTPTarget {
    let target = HTTPTarget(
      url: try string(urlName) ?? "",
      method: try choice("httpMethod", { (method: HTTPTarget.Method) in method.name }) ?? .post,
      headers: try headers(),
      body: try bytes("body") ?? [],
      authorization: try authorization())
    try finish()
    return target
  }

  /// Reads the map `headers`, sorted by name.
  mutating func headers() throws(ServiceFault) -> [HeaderField] {
    try (strings("headers") ?? [:]).map { HeaderField($0.key, $0.value) }.sorted { $0.name < $1.name }
  }

  /// Reads `oidcToken` or `oauthToken`.
  mutating func authorization() throws(ServiceFault) -> TargetAuthorization? {
    if var token = try message("oidcToken") {
      let email = try token.string("serviceAccountEmail") ?? ""
      let audience = try token.string("audience")
      try token.finish()
      return .oidc(serviceAccountEmail: email, audience: audience?.isEmpty == true ? nil : audience)
    }
    guard var token = try message("oauthToken") else { return nil }
    let email = try token.string("serviceAccountEmail") ?? ""
    let scope = try token.string("scope")
    try token.finish()
    return .oauth(serviceAccountEmail: email, scope: scope?.isEmpty == true ? nil : scope)
  }
}
