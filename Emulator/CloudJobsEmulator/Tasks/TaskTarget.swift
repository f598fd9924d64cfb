import CloudJobsCore

extension CloudTasks {
  /// The request that a task makes: the oneof `payload_type`.
  ///
  /// Source: <https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks>.
  package enum Target: Hashable, Sendable, Codable {
    /// An HTTP request.
    case http(HTTPTarget)
    /// A request to an App Engine application.
    case appEngine(AppEngineTarget)

    /// The body; empty if there is none.
    package var body: [UInt8] {
      get {
        switch self {
        case .http(let target): target.body
        case .appEngine(let target): target.body
        }
      }
      set {
        switch self {
        case .http(var target):
          target.body = newValue
          self = .http(target)
        case .appEngine(var target):
          target.body = newValue
          self = .appEngine(target)
        }
      }
    }

    /// Whether it is for an App Engine application.
    var isAppEngine: Bool {
      if case .appEngine = self { true } else { false }
    }

    /// The agent that an attempt names, which no override of a queue changes.
    var agent: String {
      switch self {
      case .http: HTTPTarget.tasksAgent
      case .appEngine(let target): target.headers["User-Agent"] ?? AppEngineTarget.agent
      }
    }

    /// The time limit of an attempt that a task shows where none is given; App Engine tasks show none.
    var defaultDeadline: Duration? { isAppEngine ? nil : .minutes(10) }

    /// The longest time limit of an attempt.
    var longestDeadline: Duration {
      switch self {
      case .http: .minutes(30)
      case .appEngine: .hours(24) + .seconds(15)
      }
    }

    /// Returns the request as a queue stores it.
    ///
    /// - Throws: ``ServiceFault`` `invalidArgument` if it is invalid.
    func stored(in queue: Queue) throws(ServiceFault) -> Target {
      switch self {
      case .http(let target):
        return .http(try target.stored(field: "HttpRequest.url", agent: HTTPTarget.tasksAgent))
      case .appEngine(var target):
        try target.validate("AppEngineHttpRequest")
        if let routing = queue.appEngineRouting { target.routing = routing }
        return .appEngine(target.stored(in: queue.name.location))
      }
    }
  }
}
