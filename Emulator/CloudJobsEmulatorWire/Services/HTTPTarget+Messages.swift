import CloudJobsEmulator

extension HTTPTarget {
  /// An `HttpRequest` of Cloud Tasks or an `HttpTarget` of Cloud Scheduler.
  ///
  /// - Parameters:
  ///   - message: the message.
  ///   - urlName: what the message calls its URL, `url` or `uri`.
  /// - Throws: ``ServiceFault`` `invalidArgument` for an unknown method.
  init(_ message: Message, urlName: String) throws(ServiceFault) {
    self.init(
      url: message.string(urlName), method: try message.known("http_method") ?? .post, headers: message.headers,
      body: message.bytes("body"), authorization: TargetAuthorization(message))
  }
}

extension TargetAuthorization {
  /// The token that a target asks for; nil for none.
  init?(_ message: Message) {
    if let token = message.message("oidc_token") {
      self = .oidc(serviceAccountEmail: token.string("service_account_email"), audience: token.text("audience"))
    } else if let token = message.message("oauth_token") {
      self = .oauth(serviceAccountEmail: token.string("service_account_email"), scope: token.text("scope"))
    } else {
      return nil
    }
  }
}

extension AppEngineTarget {
  /// An `AppEngineHttpRequest` of Cloud Tasks or an `AppEngineHttpTarget` of Cloud Scheduler.
  init(_ message: Message) throws(ServiceFault) {
    self.init(
      relativeURI: message.string("relative_uri"), method: try message.known("http_method") ?? .post,
      headers: message.headers, body: message.bytes("body"),
      routing: message.message("app_engine_routing").map { AppEngineRouting($0) } ?? .init())
  }
}

extension AppEngineRouting {
  /// The routing that clients send; its host is output only.
  init(_ message: Message) {
    self.init(
      service: message.string("service"), version: message.string("version"), instance: message.string("instance"))
  }
}

extension Message {
  /// The map `headers`, by name.
  var headers: [HeaderField] {
    strings("headers").map { HeaderField($0.key, $0.value) }.sorted { $0.name < $1.name }
  }

  /// Fills an `AppEngineRouting`.
  mutating func fill(_ routing: AppEngineRouting) {
    set("service", routing.service)
    set("version", routing.version)
    set("instance", routing.instance)
    set("host", routing.host)
  }

  /// Sets the map `headers`.
  mutating func set(headers: [HeaderField]) {
    set("headers", Dictionary(headers.map { ($0.name, $0.value) }) { _, later in later })
  }

  /// Fills an `HttpRequest` of Cloud Tasks or an `HttpTarget` of Cloud Scheduler.
  mutating func fill(_ target: HTTPTarget, urlName: String) {
    set(urlName, target.url)
    set("http_method", target.method)
    set(headers: target.headers)
    set("body", target.body)
    fill(target.authorization, url: target.url)
  }

  /// Fills the token that a target asks for, with its defaults where the target's URL is known.
  mutating func fill(_ authorization: TargetAuthorization?, url: String?) {
    switch authorization {
    case .oidc(let email, let audience):
      set("oidc_token") {
        $0.set("service_account_email", email)
        $0.set("audience", audience ?? url)
      }
    case .oauth(let email, let scope):
      set("oauth_token") {
        $0.set("service_account_email", email)
        $0.set("scope", scope ?? "https://www.googleapis.com/auth/cloud-platform")
      }
    case nil: break
    }
  }

  /// Fills an `AppEngineHttpRequest` of Cloud Tasks or an `AppEngineHttpTarget` of Cloud Scheduler.
  mutating func fill(_ target: AppEngineTarget) {
    set("relative_uri", target.relativeURI)
    set("http_method", target.method)
    set(headers: target.headers)
    set("body", target.body)
    set("app_engine_routing") { $0.fill(target.routing) }
  }
}
