/// The HTTP request that a task or a scheduler's job makes.
public struct HTTPTarget: Hashable, Sendable, Codable {
  /// Where to: an `http://` or `https://` URL.
  public var url: String
  /// How; POST where the caller said nothing.
  public var method: HTTPMethod
  /// The caller's headers, sorted by name.
  public var headers: [HeaderField]
  /// The body; empty where there is none.
  @Base64Bytes public var body: [UInt8]
  /// The token to attach.
  public var authorization: TargetAuthorization?

  /// The longest URL, in characters.
  public static let maximumURLLength = 2_083
  /// The most that all headers together may have, in bytes.
  public static let maximumHeaderBytes = 80 * 1_024

  /// A request to a URL.
  public init(
    url: String, method: HTTPMethod = .post, headers: [HeaderField] = [], body: [UInt8] = [],
    authorization: TargetAuthorization? = nil
  ) {
    self.url = url
    self.method = method
    self.headers = headers.sorted { ($0.name, $0.value) < ($1.name, $1.value) }
    self.body = body
    self.authorization = authorization
  }

  /// Checks the request.
  ///
  /// - Parameter field: what the service calls the request in its messages, such as `HttpRequest.url`.
  /// - Throws: ``ServiceFault`` `invalidArgument`.
  func validate(field: String) throws(ServiceFault) {
    guard !url.isEmpty else { throw .invalidArgument("\(field) is required.") }
    let scheme = url.prefix(8).lowercased()
    guard scheme.hasPrefix("http://") || scheme.hasPrefix("https://") else {
      throw .invalidArgument("HttpTarget.url must start with 'http://' or 'https://'.")
    }
    guard url.utf8.count <= Self.maximumURLLength else {
      throw .invalidArgument("\(field) must be at most \(Self.maximumURLLength) characters.")
    }
    guard body.isEmpty || method.allowsBody else {
      throw .invalidArgument("HttpTarget.body is not allowed with the method \(method.name).")
    }
    let size = headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
    guard size < Self.maximumHeaderBytes else {
      throw .invalidArgument("HttpTarget.headers must be less than 80KB.")
    }
  }
}
