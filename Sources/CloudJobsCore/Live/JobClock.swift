#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A source of time: the system's clock, or a simulated one.
///
/// Nothing in this package reads a clock in any other way.
public protocol JobClock: Sendable {
  /// The current time.
  func now() -> Timestamp

  /// Suspends until a time; returns immediately if it has passed.
  ///
  /// - Parameter deadline: the time at which to resume.
  /// - Throws: `CancellationError` if the task is cancelled first.
  func sleep(until deadline: Timestamp) async throws
}

extension JobClock {
  /// Suspends for a duration.
  ///
  /// - Parameter span: the duration; zero or less returns immediately.
  /// - Throws: `CancellationError` if the task is cancelled first.
  public func sleep(for span: Duration) async throws {
    try await sleep(until: now() + span)
  }
}

/// The system's clock, the only live implementation of ``JobClock``.
public struct SystemClock: JobClock {
  /// Creates the system's clock.
  public init() {}

  /// Returns the system's time, in UTC.
  public func now() -> Timestamp {
    Timestamp(microseconds: Int64((Date().timeIntervalSince1970 * 1_000_000).rounded(.down)))
  }

  /// Suspends until a time, measuring the remaining duration with the continuous clock.
  public func sleep(until deadline: Timestamp) async throws {
    let span = deadline - now()
    try Task.checkCancellation()
    if span > .zero { try await Task.sleep(for: span, clock: .continuous) }
  }
}

extension JobClock where Self == SystemClock {
  /// The system's clock.
  public static var system: SystemClock { SystemClock() }
}
