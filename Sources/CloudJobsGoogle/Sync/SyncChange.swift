#if HTTP
public import CloudJobsCore

/// What sync does about one resource.
public struct SyncChange: Hashable, Sendable {
  /// What is done.
  public enum Action: Hashable, Sendable {
    /// It is made.
    case create
    /// The fields named are set; `state` stands for pausing and resuming.
    case update(fields: [String])
    /// It is deleted.
    case delete
    /// It is as it should be.
    case unchanged
  }

  /// What kind of resource it is.
  public enum Kind: String, Hashable, Sendable {
    /// A queue of Cloud Tasks.
    case queue
    /// A job of Cloud Scheduler.
    case schedulerJob
  }

  /// What is done.
  public var action: Action
  /// What kind of resource it is.
  public var kind: Kind
  /// The resource name.
  public var name: String
  /// The fields as they should be; empty for a deletion.
  public var fields: JSONValue
  /// Whether it should be paused.
  public var isPaused: Bool

  /// The fields as they are sent: what should be absent is left out.
  var body: JSONValue { Self.withoutNulls(fields) }

  private static func withoutNulls(_ value: JSONValue) -> JSONValue {
    guard let members = value.object else { return value }
    return .object(members.filter { !$0.value.isNull }.mapValues { withoutNulls($0) })
  }
}

extension SyncChange: CustomStringConvertible {
  /// A line: the action, the kind, the name and the fields concerned.
  public var description: String {
    let thing = "\(kind == .queue ? "queue" : "scheduler job") \(name.split(separator: "/").last ?? "")"
    switch action {
    case .create: return "create \(thing)" + (isPaused ? " (paused)" : "")
    case .update(let fields): return "update \(thing): \(fields.joined(separator: ", "))"
    case .delete: return "delete \(thing)"
    case .unchanged: return "unchanged \(thing)"
    }
  }
}
#endif
