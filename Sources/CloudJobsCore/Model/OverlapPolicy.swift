/// What becomes of a run whose job still has an earlier one under way.
public enum OverlapPolicy: String, Hashable, Sendable, CaseIterable {
  /// The new run does not take place.
  case skip
  /// The new run waits until the earlier one has ended.
  case queue
  /// Both run.
  case allow
}
