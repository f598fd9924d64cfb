#if HTTP
public import CloudJobsCore
public import HTTPTypes

/// Something that authenticates calls to Google's services.
public protocol AccessTokenProvider: Sendable {
  /// The header fields that authenticate a call: `Authorization`, and `X-Goog-User-Project` where another project pays.
  ///
  /// Ask for each call: an implementation keeps its token and answers at once while that is good.
  ///
  /// - Throws: ``JobError`` `credentialsUnavailable` where a token is needed and none can be had.
  func headers() async throws(JobError) -> HTTPFields
}
#endif
