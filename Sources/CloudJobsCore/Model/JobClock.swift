/// Where time comes from: the system, or a simulation that moves by hand.
///
/// Nothing in this package reads a clock in any other way.
public protocol JobClock: Sendable {
  /// The current time.
  func now() -> Timestamp

  /// Suspends until a time has come; returns at once where it already has.
  ///
  /// - Parameter deadline: when to resume.
  /// - Throws: `CancellationError` when the task is cancelled first.
  func sleep(until deadline: Timestamp) async throws
}

extension JobClock {
  /// Suspends for a span of time.
  ///
  /// - Parameter span: how long; zero or less returns at once.
  /// - Throws: `CancellationError` when the task is cancelled first.
  public func sleep(for span: Duration) async throws {
    try await sleep(until: now() + span)
  }
}
