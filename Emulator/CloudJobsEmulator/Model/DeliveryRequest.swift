package import CloudJobsCore

/// A delivery that a driver has to make: one HTTP request for an attempt of a task or job.
package struct DeliveryRequest: Hashable, Sendable, Codable {
  /// The ID under which to report the outcome.
  package var id: DeliveryID
  /// The full name of the task or job, such as `projects/p/locations/l/queues/q/tasks/t`.
  package var subject: String
  /// The number of the attempt, from 1.
  package var attempt: Int
  /// The URL.
  package var url: String
  /// The method.
  package var method: HTTPTarget.Method
  /// All headers except Host, Content-Length and Authorization.
  package var headers: [HeaderField]
  /// The body; empty if there is none.
  @Base64Bytes package var body: [UInt8]
  /// The time after which the service counts the attempt as timed out.
  package var deadline: Duration
  /// The time for which the attempt was scheduled.
  package var scheduledFor: Timestamp
  /// The token to attach, with its audience resolved.
  package var authorization: TargetAuthorization?
  /// A human-readable reason for the attempt.
  package var reason: String

  /// Creates a delivery.
  package init(
    id: DeliveryID, subject: String, attempt: Int, url: String, method: HTTPTarget.Method, headers: [HeaderField],
    body: [UInt8], deadline: Duration, scheduledFor: Timestamp, authorization: TargetAuthorization? = nil,
    reason: String
  ) {
    self.id = id
    self.subject = subject
    self.attempt = attempt
    self.url = url
    self.method = method
    self.headers = headers
    self.body = body
    self.deadline = deadline
    self.scheduledFor = scheduledFor
    self.authorization = authorization
    self.reason = reason
  }

  /// The task's or job's ID: the last part of the subject.
  package var shortID: Substring {
    subject.lastIndex(of: "/").map { subject[subject.index(after: $0)...] } ?? subject[...]
  }
}

/// The ID of a delivery, unique in an ``EmulatorState``.
package struct DeliveryID: Hashable, Comparable, Sendable, Codable {
  /// The service that requested the delivery.
  package enum Service: String, Hashable, Comparable, Sendable, Codable {
    /// Cloud Scheduler.
    case scheduler
    /// Cloud Tasks.
    case tasks

    /// Orders services by name.
    package static func < (left: Service, right: Service) -> Bool { left.rawValue < right.rawValue }
  }

  /// The service that requested the delivery and receives its outcome.
  package let service: Service
  /// The number within the service, from 1.
  package let number: UInt64

  /// Creates the ID of a service's delivery.
  package init(_ service: Service, _ number: UInt64) {
    self.service = service
    self.number = number
  }

  /// Orders IDs by number, then service.
  package static func < (left: DeliveryID, right: DeliveryID) -> Bool {
    (left.number, left.service) < (right.number, right.service)
  }
}

extension DeliveryID: CustomStringConvertible {
  /// The service and the number, such as `tasks/17`.
  package var description: String { "\(service.rawValue)/\(number)" }
}

/// The outcome of a delivery.
package enum DeliveryOutcome: Hashable, Sendable {
  /// The target responded.
  case response(status: Int, headers: [HeaderField] = [])
  /// The deadline passed without a response.
  case timedOut
  /// The connection failed or was closed, with the reason.
  case connectionFailed(String)

  /// Whether the response has a 2xx status.
  package var isSuccess: Bool {
    if case .response(let status, _) = self { (200..<300).contains(status) } else { false }
  }

  /// The HTTP status that the services report: 504 for a timeout, 503 for a failed connection.
  package var reportedStatus: Int {
    switch self {
    case .response(let status, _): status
    case .timedOut: 504
    case .connectionFailed: 503
    }
  }
}

extension DeliveryOutcome: CustomStringConvertible {
  /// A short description of the outcome.
  package var description: String {
    switch self {
    case .response(let status, _): "HTTP \(status)"
    case .timedOut: "timeout"
    case .connectionFailed(let reason): "no connection (\(reason))"
    }
  }
}

/// The deadline of an attempt; stale once the attempt has ended.
struct AttemptDeadline: Comparable, Sendable {
  var time: Timestamp
  var number: UInt64

  static func < (left: AttemptDeadline, right: AttemptDeadline) -> Bool {
    (left.time, left.number) < (right.time, right.number)
  }
}
