import CloudJobs
import CloudJobsCore

/// Retries of calls to a store or service that is briefly unavailable.
enum Retry {
  private static let tries = 10
  private static let delay = Duration.milliseconds(200)

  /// Makes an idempotent call, and retries it while its dependency is unavailable.
  ///
  /// - Parameter call: the call.
  /// - Returns: the call's result.
  /// - Throws: the error of the last attempt.
  static func whileUnavailable<Result>(_ call: () async throws -> Result) async throws -> Result {
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
    return [.storeUnavailable, .storeConflict, .queueUnavailable].contains(error.code)
  }
}
