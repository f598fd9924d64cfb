#if HTTP
import CloudJobs
import CloudJobsCore
@testable import CloudJobsGoogle
import CloudJobsEmulator
import CloudJobsHTTP
import CloudJobsTesting
import HTTPTypes

extension GoogleCloud {
  /// The time of the clock in tests that don't care.
  static let testStart = Timestamp(seconds: 1_795_000_000)

  /// Returns Google's endpoints without credentials, through a test's own exchange.
  static func at(
    _ client: any HTTPExchange, _ clock: any JobClock = VirtualClock(start: GoogleCloud.testStart, sleep: .moves)
  ) -> GoogleCloud {
    GoogleCloud(project: "test", credentials: FixedHeaders.none, client: client, clock: clock)
  }
}

/// Credentials made by a closure.
struct ClosureCredentials: AccessTokenProvider {
  let make: @Sendable () async throws(JobError) -> HTTPFields

  func headers() async throws(JobError) -> HTTPFields { try await make() }
}
#endif
