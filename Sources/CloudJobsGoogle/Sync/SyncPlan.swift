#if HTTP
/// What sync would do: a change for each resource it keeps, in the order in which they are made.
public struct SyncPlan: Hashable, Sendable {
  /// The changes, those without effect among them.
  public var changes: [SyncChange] = []
  /// What a person should know: who runs a job that has no job of Cloud Scheduler, and what is left alone.
  public var notes: [String] = []

  /// Whether all is as it should be.
  public var isEmpty: Bool { changes.allSatisfy { $0.action == .unchanged } }
}

extension SyncPlan: CustomStringConvertible {
  /// A line for each change, then one for each note.
  public var description: String {
    (changes.map(\.description) + notes.map { "note: \($0)" }).joined(separator: "\n")
  }
}
#endif
