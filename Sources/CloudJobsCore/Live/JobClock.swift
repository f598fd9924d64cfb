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

/// The system's clock, the only live implementation of ``JobClock`` that tells the time.
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

/// A clock that measures spans of time: it shows the system's time at the start of the process plus the time since.
///
/// It goes on evenly if the system's clock is set, and while the machine sleeps.
package struct SteadyClock: JobClock {
  private static let start = (time: SystemClock().now(), instant: ContinuousClock.now)

  /// Creates the clock.
  package init() {}

  /// Returns the time.
  package func now() -> Timestamp { Self.start.time + (ContinuousClock.now - Self.start.instant) }

  /// Suspends until a time of this clock.
  package func sleep(until deadline: Timestamp) async throws {
    let span = deadline - now()
    try Task.checkCancellation()
    if span > .zero { try await Task.sleep(for: span, clock: .continuous) }
  }
}

extension JobClock where Self == SystemClock {
  /// The system's clock.
  public static var system: SystemClock { SystemClock() }
}
