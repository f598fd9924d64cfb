#if HTTP
import CloudJobsCore
import CloudJobsHTTP
import HTTPTypes

/// The server inside Google Cloud that tells a machine who it is and gives it tokens.
///
/// Source: <https://cloud.google.com/compute/docs/metadata/querying-metadata>.
struct MetadataServer: Sendable {
  /// Its host, and perhaps its port.
  let host: HostAndPort

  private static let flavor = HTTPField.Name("Metadata-Flavor")

  /// The server that an environment names by `GCE_METADATA_HOST`, or Google's own.
  ///
  /// - Throws: ``JobError`` `invalidCredentials` where the variable is no host and port.
  init(_ environment: CredentialEnvironment) throws(JobError) {
    let name = environment.value("GCE_METADATA_HOST") ?? "metadata.google.internal"
    guard let host = HostAndPort(name) else {
      throw JobError(.invalidCredentials, "GCE_METADATA_HOST is no host and port: correct it, or unset it.")
    }
    self.host = host
  }

  /// The request that finds out whether the server is there.
  var probe: HTTPClientRequest { request("/", timeout: .seconds(1)) }

  /// The request for the project's id.
  var projectRequest: HTTPClientRequest { request("/computeMetadata/v1/project/project-id") }

  /// The request for a token.
  func tokenRequest(scopes: [String]) -> HTTPClientRequest {
    let path = "/computeMetadata/v1/instance/service-accounts/default/token"
    return request(scopes.isEmpty ? path : "\(path)?scopes=\(FormBody.escape(scopes.joined(separator: ",")))")
  }

  /// Whether an answer comes from the metadata server, and not from whatever else has its address.
  static func isGenuine(_ response: HTTPClientResponse) -> Bool {
    flavor.flatMap { response.headers[$0] } == "Google"
  }

  private func request(_ path: String, timeout: Duration = .seconds(5)) -> HTTPClientRequest {
    var headers = HTTPFields()
    if let name = Self.flavor { headers[name] = "Google" }
    return HTTPClientRequest(url: "http://\(host.text)\(path)", headers: headers, timeout: timeout)
  }
}
#endif
