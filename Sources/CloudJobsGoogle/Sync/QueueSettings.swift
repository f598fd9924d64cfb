#if HTTP
import CloudJobsCore

/// How sync sets a queue of Cloud Tasks.
///
/// The runtime owns the retries of jobs: a failed attempt is answered 200, and the next one is a task of its own. So
/// what Cloud Tasks retries is only what could not be served at all: 409, 429, 5xx, or no answer. The standard values
/// come back soon after a hiccup, go easy on an ailing service (1, 2, 4 … 256, 300 s), and give up when both a day and
/// 100 attempts have passed: runs in the store outlive that by the sweep, and a request that is refused for good, such
/// as a malformed one, does not come back for a month.
///
/// Source: <https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues#RetryConfig>.
public struct QueueSettings: Hashable, Sendable {
  /// The most dispatches a second, at most 500; nil leaves it as it is.
  public var maxDispatchesPerSecond: Int?
  /// The most dispatches under way at once, at most 5,000; nil leaves it as it is.
  public var maxConcurrentDispatches: Int?
  /// The attempts after which a task may be given up; -1 for no bound.
  public var maxAttempts = 100
  /// The time after which a task may be given up; zero for no bound.
  public var maxRetryDuration = Duration.days(1)
  /// The delay before the first retry.
  public var minBackoff = Duration.seconds(1)
  /// The longest delay.
  public var maxBackoff = Duration.minutes(5)
  /// How often the delay doubles before it grows evenly.
  public var maxDoublings = 8

  /// The standard settings.
  public init() {}

  /// The queue's fields as sync sets them.
  func fields(name: String) -> JSONValue {
    var limits: [String: JSONValue] = [:]
    limits["maxDispatchesPerSecond"] = maxDispatchesPerSecond.map { .integer(Int64($0)) }
    limits["maxConcurrentDispatches"] = maxConcurrentDispatches.map { .integer(Int64($0)) }
    var fields: [String: JSONValue] = [
      "name": .string(name),
      "retryConfig": [
        "maxAttempts": .integer(Int64(maxAttempts)), "maxRetryDuration": .string(WireDuration.text(maxRetryDuration)),
        "minBackoff": .string(WireDuration.text(minBackoff)),
        "maxBackoff": .string(WireDuration.text(maxBackoff)), "maxDoublings": .integer(Int64(maxDoublings)),
      ],
    ]
    if !limits.isEmpty { fields["rateLimits"] = .object(limits) }
    return .object(fields)
  }
}
#endif
