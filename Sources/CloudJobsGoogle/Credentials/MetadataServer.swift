#if HTTP
import CloudJobsCore
import CloudJobsHTTP
import HTTPTypes

/// The metadata server of Google Cloud, which issues tokens to the machines that run there.
///
/// Source: <https://cloud.google.com/compute/docs/metadata/querying-metadata>.
struct MetadataServer: Sendable {
  /// The host, with an optional port.
  let host: HostAndPort

  private static let flavor = HTTPField.Name("Metadata-Flavor")

  /// Creates the server that `GCE_METADATA_HOST` names, or Google's own.
  ///
  /// - Throws: ``JobError`` `invalidCredentials` if the variable is not a host and port.
  init(_ environment: CredentialEnvironment) throws(JobError) {
    let name = environment.value("GCE_METADATA_HOST") ?? "metadata.google.internal"
    guard let host = HostAndPort(name) else {
      throw JobError(.invalidCredentials, "GCE_METADATA_HOST is not a host and port: correct it, or unset it.")
    }
    self.host = host
  }

  /// The request that probes for the server.
  var probe: HTTPExchangeRequest { request("/", timeout: .seconds(1)) }

  /// The request for the project id.
  var projectRequest: HTTPExchangeRequest { request("/computeMetadata/v1/project/project-id") }

  /// Returns the request for a token.
  func tokenRequest(scopes: [String]) -> HTTPExchangeRequest {
    let path = "/computeMetadata/v1/instance/service-accounts/default/token"
    return request(scopes.isEmpty ? path : "\(path)?scopes=\(PercentEncoding.encode(scopes.joined(separator: ",")))")
  }

  /// Returns whether a response comes from a metadata server, not from another server at its address.
  static func isGenuine(_ response: HTTPExchangeResponse) -> Bool {
    flavor.flatMap { response.headers[$0] } == "Google"
  }

  private func request(_ path: String, timeout: Duration = .seconds(5)) -> HTTPExchangeRequest {
    var headers = HTTPFields()
    if let name = Self.flavor { headers[name] = "Google" }
    return HTTPExchangeRequest(url: "http://\(host.text)\(path)", headers: headers, timeout: timeout)
  }
}

/// A host with an optional port, as environment variables name servers: `127.0.0.1:8085`, `localhost`, `[::1]:8085`.
struct HostAndPort: Hashable {
  /// The text, valid as the authority of a URL.
  let text: String

  /// Parses a host and port, with or without the prefix `http://`, which some tools write; nil for anything else.
  init?(_ text: String) {
    let text = text.hasPrefix("http://") ? text.dropFirst(7) : text[...]
    var rest = text
    if rest.first == "[" {
      guard let end = rest.firstIndex(of: "]") else { return nil }
      let address = rest[rest.index(after: rest.startIndex)..<end]
      guard !address.isEmpty, address.utf8.allSatisfy({ Self.isHexadecimal($0) || $0 == UInt8(ascii: ":") }) else {
        return nil
      }
      rest = rest[rest.index(after: end)...]
    } else {
      let host = rest.prefix { $0 != ":" }
      guard !host.isEmpty, host.utf8.allSatisfy({ Self.isHostByte($0) }) else { return nil }
      rest = rest[host.endIndex...]
    }
    if !rest.isEmpty {
      let digits = rest.dropFirst()
      guard rest.first == ":", !digits.isEmpty, digits.utf8.allSatisfy({ Self.isDigit($0) }),
        let port = UInt16(digits), port > 0
      else { return nil }
    }
    self.text = String(text)
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
  }

  private static func isHostByte(_ byte: UInt8) -> Bool {
    isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
      || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
  }
}
#endif
