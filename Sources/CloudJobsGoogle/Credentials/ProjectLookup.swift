#if Google
import CloudJobsCore
import CloudJobsHTTP
import Synchronization

/// Finds out the project's id, and asks the metadata server at most until it has answered once.
final class ProjectLookup: Sendable {
  private let environment: CredentialEnvironment
  private let source: CredentialSource
  private let endpoint: TokenEndpoint
  private let flight = SingleFlight<String>()
  private let answer = Mutex<String?>(nil)

  /// A look-up that has not been made yet.
  init(environment: CredentialEnvironment, source: CredentialSource, endpoint: TokenEndpoint) {
    self.environment = environment
    self.source = source
    self.endpoint = endpoint
  }

  /// The id.
  ///
  /// - Throws: ``JobError`` `credentialsUnavailable`.
  func id() async throws(JobError) -> String {
    if let id = environment.projectID { return id }
    switch source {
    case .serviceAccount(let key, _, _):
      if let id = key.projectID { return id }
    case .authorizedUser: break
    case .metadata(let server):
      if let id = answer.withLock({ $0 }) { return id }
      return try await flight.run { () async throws(JobError) in
        if let id = answer.withLock({ $0 }) { return id }
        let id = try await ask(server)
        answer.withLock { $0 = id }
        return id
      }
    }
    throw JobError(.credentialsUnavailable, "The project's id is not known: set GOOGLE_CLOUD_PROJECT to it.")
  }

  private func ask(_ server: MetadataServer) async throws(JobError) -> String {
    let response = try await endpoint.answer(
      to: server.projectRequest, from: "The metadata server", remedy: "set GOOGLE_CLOUD_PROJECT to the project's id")
    let text = String(decoding: response.body, as: UTF8.self)
    let isPlain =
      (1...64).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x2F }
    guard MetadataServer.isGenuine(response), isPlain else {
      throw JobError(
        .credentialsUnavailable,
        "The metadata server's answer is no project id: set GOOGLE_CLOUD_PROJECT to the project's id.")
    }
    return text
  }
}
#endif
