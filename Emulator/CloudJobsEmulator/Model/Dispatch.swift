public import CloudJobsCore

/// A delivery that a driver has to make: one HTTP request, as a value.
public struct Dispatch: Hashable, Sendable, Codable {
  /// The identity to report the outcome under.
  public var id: DispatchID
  /// The full name of the task or job, such as `projects/p/locations/l/queues/q/tasks/t`.
  public var subject: String
  /// Which attempt of the subject this is, from 1.
  public var attempt: Int
  /// Where to.
  public var url: String
  /// How.
  public var method: HTTPMethod
  /// All headers except Host, Content-Length and Authorization.
  public var headers: [HeaderField]
  /// The body; empty where there is none.
  @Base64Bytes public var body: [UInt8]
  /// How long the service waits for an answer; it then counts the attempt as timed out by itself.
  public var deadline: Duration
  /// When the attempt was due.
  public var scheduledFor: Timestamp
  /// The token to attach, its audience resolved.
  public var authorization: TargetAuthorization?
  /// Why this attempt is made, for a person.
  public var reason: String

  /// A delivery from all its parts.
  public init(
    id: DispatchID, subject: String, attempt: Int, url: String, method: HTTPMethod, headers: [HeaderField],
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

  /// The last part of the subject: the task's or the job's id.
  public var shortID: Substring {
    subject.lastIndex(of: "/").map { subject[subject.index(after: $0)...] } ?? subject[...]
  }
}
