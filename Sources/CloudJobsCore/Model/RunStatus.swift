/// Where a run stands.
///
/// ```
/// scheduled ─▶ pending ─▶ running ─▶ succeeded
///     ▲           ▲          ├─────▶ failed      (a dead letter: attempts are used up, or the failure is permanent)
///     └───────────┴──────────┤
///        retry or snooze     └─────▶ cancelled
/// ```
public enum RunStatus: String, Hashable, Sendable, CaseIterable {
  /// Waits for its time.
  case scheduled
  /// Its time has come; it waits to be delivered.
  case pending
  /// An attempt executes under a lease.
  case running
  /// Ended well.
  case succeeded
  /// Ended as a dead letter.
  case failed
  /// Ended without a result, on purpose.
  case cancelled

  /// Whether nothing more happens to such a run.
  public var isTerminal: Bool {
    switch self {
    case .scheduled, .pending, .running: false
    case .succeeded, .failed, .cancelled: true
    }
  }
}
