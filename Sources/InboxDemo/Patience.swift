import CloudJobs
import CloudJobsCore

/// Patience with a store or a service in another process that fails for a moment.
enum Patience {
  private static let tries = 10
  private static let delay = Duration.milliseconds(200)

  /// Makes a call that changes nothing twice, again while what it needs is not available.
  ///
  /// - Parameter call: the call.
  /// - Returns: what it returns.
  /// - Throws: what it throws at last.
  static func insist<Result>(_ call: () async throws -> Result) async throws -> Result {
    let clock = SystemClock()
    for _ in 1..<tries {
      do {
        return try await call()
      } catch let error where isPassing(error) {
        try await clock.sleep(until: clock.now() + delay)
      }
    }
    return try await call()
  }

  private static func isPassing(_ error: any Error) -> Bool {
    if let error = error as? StoreError { return error.code == .unavailable }
    guard let error = error as? JobError else { return false }
    return error.code == .storeUnavailable || error.code == .queueUnavailable
  }
}
