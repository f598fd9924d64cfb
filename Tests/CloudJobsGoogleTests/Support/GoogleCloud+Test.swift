#if HTTP
import CloudJobs
import CloudJobsCore
import CloudJobsHTTP
import HTTPTypes

@testable import CloudJobsGoogle

extension GoogleCloud {
  /// Google's addresses without credentials, through an exchange of the test's own.
  static func at(_ client: any HTTPExchange, _ clock: any JobClock = LeapingClock()) -> GoogleCloud {
    GoogleCloud(project: "test", credentials: FixedHeaders.none, client: client, clock: clock)
  }
}

/// Credentials that a function makes.
struct AskedCredentials: AccessTokenProvider {
  let make: @Sendable () async throws(JobError) -> HTTPFields

  func headers() async throws(JobError) -> HTTPFields { try await make() }
}
#endif
