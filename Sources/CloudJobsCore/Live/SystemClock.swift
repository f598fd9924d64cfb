#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The machine's clock: the one live implementation of ``JobClock``.
public struct SystemClock: JobClock {
  /// The clock.
  public init() {}

  /// The machine's time, in UTC.
  public func now() -> Timestamp {
    Timestamp(microseconds: Int64((Date().timeIntervalSince1970 * 1_000_000).rounded(.down)))
  }

  /// Suspends by the continuous clock for as long as the machine's clock says is left.
  public func sleep(until deadline: Timestamp) async throws {
    let span = deadline - now()
    try Task.checkCancellation()
    if span > .zero { try await Task.sleep(for: span, clock: .continuous) }
  }
}

extension JobClock where Self == SystemClock {
  /// The machine's clock.
  public static var system: SystemClock { SystemClock() }
}
