import CloudJobs

/// What goes wrong with one commit.
enum Fault: String, Sendable, CaseIterable {
  /// The store was not reached; nothing was changed.
  case unavailable
  /// Somebody else was faster; nothing was changed.
  case conflict
  /// The answer was lost, and nothing was changed.
  case lostBefore
  /// The answer was lost after the changes had taken place.
  case lostAfter

  /// Whether the changes take place.
  var isApplied: Bool { self == .lostAfter }

  var error: StoreError {
    switch self {
    case .unavailable: StoreError(.unavailable, "A fault of the test.")
    case .conflict: StoreError(.conflict, "A fault of the test.")
    case .lostBefore, .lostAfter: StoreError(.unknownOutcome, "A fault of the test.")
    }
  }
}
