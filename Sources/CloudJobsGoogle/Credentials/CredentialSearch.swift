#if Google
import CloudJobsCore
import CloudJobsHTTP

/// Looks for Application Default Credentials, in the order that users know.
struct CredentialSearch {
  /// What was found.
  struct Finding: Sendable {
    var source: CredentialSource
    var quotaProject: String?
  }

  /// The variable that names a credential file.
  static let fileVariable = "GOOGLE_APPLICATION_CREDENTIALS"
  /// How often the metadata server is looked for.
  static let probes = 3

  let environment: CredentialEnvironment
  let endpoint: TokenEndpoint

  /// Looks.
  ///
  /// - Throws: ``JobError`` `invalidCredentials` or `credentialsUnavailable`.
  func run() async throws(JobError) -> Finding {
    if let path = environment.value(Self.fileVariable) {
      let place = "The file of \(Self.fileVariable) (\(path))"
      guard let bytes = try environment.readFile(path) else {
        throw JobError(.invalidCredentials, "\(place) does not exist: correct the variable, or unset it.")
      }
      return try await finding(bytes, place)
    }
    if let path = environment.wellKnownFile, let bytes = try environment.readFile(path) {
      return try await finding(bytes, "gcloud's file \(path)")
    }
    if environment.value("NO_GCE_CHECK")?.lowercased() != "true" {
      let server = try MetadataServer(environment)
      if await isThere(server) { return Finding(source: .metadata(server)) }
    }
    throw JobError(
      .credentialsUnavailable,
      "No Google credentials: \(Self.fileVariable) is not set, \(environment.wellKnownFile ?? "gcloud's file") is not "
        + "there, and no metadata server answers. Log in with gcloud auth application-default login, set the variable "
        + "to a key file, or run on Google Cloud.")
  }

  private func finding(_ bytes: [UInt8], _ place: String) async throws(JobError) -> Finding {
    let file = try CredentialFile(parsing: bytes, from: place)
    switch file.identity {
    case .serviceAccount(let key):
      guard let signer = await RS256(privateKey: key.privateKey) else {
        throw CredentialFile.fault(place, "has a private_key that is no RSA key of 2048 bits; download the key again")
      }
      return Finding(source: .serviceAccount(key, signer, place: place), quotaProject: file.quotaProject)
    case .authorizedUser(let user):
      return Finding(source: .authorizedUser(user, place: place), quotaProject: file.quotaProject)
    }
  }

  /// Whether the metadata server answers, and proves to be one.
  private func isThere(_ server: MetadataServer) async -> Bool {
    for _ in 1...Self.probes {
      do throws(HTTPClientError) {
        return MetadataServer.isGenuine(try await endpoint.client.send(server.probe))
      } catch {
        // A name that does not resolve says that this is not Google Cloud; a slow answer says nothing.
        if error.code != .timedOut { return false }
      }
    }
    return false
  }
}
#endif
