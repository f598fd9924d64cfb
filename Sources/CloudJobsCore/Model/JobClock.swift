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
