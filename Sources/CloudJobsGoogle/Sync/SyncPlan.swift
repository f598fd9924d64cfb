#if HTTP
public import CloudJobsCore

/// The changes of a sync, one for each managed resource, in the order of execution.
public struct SyncPlan: Hashable, Sendable {
  /// The changes, including those without effect.
  public var changes: [SyncChange] = []
  /// Notes for the operator: jobs that the master pass runs, and resources that are left unchanged.
  public var notes: [String] = []

  /// Whether no change is needed.
  public var isEmpty: Bool { changes.allSatisfy { $0.action == .unchanged } }
}

extension SyncPlan: CustomStringConvertible {
  /// One line for each change, then one for each note.
  public var description: String {
    (changes.map(\.description) + notes.map { "note: \($0)" }).joined(separator: "\n")
  }
}

/// The change of one resource.
public struct SyncChange: Hashable, Sendable {
  /// The action on a resource.
  public enum Action: Hashable, Sendable {
    /// The resource is created.
    case create
    /// The named fields are updated; `state` stands for pausing and resuming.
    case update(fields: [String])
    /// The resource is deleted.
    case delete
    /// The resource needs no change.
    case unchanged
  }

  /// The kind of a resource.
  public enum Kind: String, Hashable, Sendable {
    /// A Cloud Tasks queue.
    case queue
    /// A Cloud Scheduler job.
    case schedulerJob
  }

  /// The action.
  public var action: Action
  /// The kind of the resource.
  public var kind: Kind
  /// The resource name.
  public var name: String
  /// The desired fields; empty for a deletion.
  public var fields: JSONValue
  /// Whether the resource should be paused.
  public var isPaused: Bool

  /// The fields of the request, without those that should be absent.
  var body: JSONValue { Self.withoutNulls(fields) }

  private static func withoutNulls(_ value: JSONValue) -> JSONValue {
    guard let members = value.object else { return value }
    return .object(members.filter { !$0.value.isNull }.mapValues { withoutNulls($0) })
  }
}

extension SyncChange: CustomStringConvertible {
  /// One line with the action, the kind, the name and the affected fields.
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

/// The existing queues and Cloud Scheduler jobs of a location.
struct CloudInventory: Sendable {
  /// The queues by resource name.
  var queues: [String: JSONValue] = [:]
  /// The Cloud Scheduler jobs by resource name.
  var jobs: [String: JSONValue] = [:]
}
#endif
