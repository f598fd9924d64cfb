extension CloudScheduler {
  /// What a job does when it is due.
  public enum Target: Hashable, Sendable, Codable {
    /// It makes an HTTP request.
    case http(HTTPTarget)
    /// It publishes a message.
    case pubsub(PubsubTarget)
    /// It makes a request to an App Engine application.
    case appEngine(AppEngineTarget)

    func validate() throws(ServiceFault) {
      switch self {
      case .http(let target): try target.validate(field: "HttpTarget.uri")
      case .pubsub(let target): try target.validate()
      case .appEngine(let target): try target.validate()
      }
    }
  }
}
