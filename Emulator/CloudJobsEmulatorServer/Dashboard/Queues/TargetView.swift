#if Server
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsPages

/// The request of a task or job, as pages show it.
struct TargetView: Sendable {
  /// A header field.
  struct Field: Sendable {
    /// The name.
    var fieldName: String
    /// The value, or what stands for a secret one.
    var fieldValue: String
  }

  /// The kind of the target in words.
  var targetKind: String
  /// Method and URL.
  var line: String
  /// The header fields.
  var headerFields: [Field]
  /// The token that the service attaches; nil for none.
  var authorization: String?
  /// The body.
  var body: BodyView

  /// Creates the values of a task's target.
  init(_ target: CloudTasks.Target) {
    switch target {
    case .http(let request): self.init(request)
    case .appEngine(let request): self.init(request)
    }
  }

  /// Creates the values of a job's target.
  init(_ target: CloudScheduler.Target) {
    switch target {
    case .http(let request): self.init(request)
    case .appEngine(let request): self.init(request)
    case .pubsub(let message):
      let attributes = message.attributes.sorted { $0.key < $1.key }.map { HeaderField($0.key, $0.value) }
      self.init(
        kind: "Pub/Sub message", line: message.topicName, headers: attributes, body: message.data, authorization: nil)
    }
  }

  private init(_ request: HTTPTarget) {
    self.init(
      kind: "HTTP request", line: "\(request.method.name) \(request.url)", headers: request.headers,
      body: request.body, authorization: request.authorization?.resolved(for: request.url))
  }

  private init(_ request: AppEngineTarget) {
    self.init(
      kind: "App Engine request to \(request.routing.host)", line: "\(request.method.name) \(request.relativeURI)",
      headers: request.headers, body: request.body, authorization: nil)
  }

  private init(
    kind: String, line: String, headers: [HeaderField], body: [UInt8], authorization: TargetAuthorization?
  ) {
    targetKind = kind
    self.line = BoundedText.cut(line, to: 2_100)
    headerFields = headers.prefix(100).map { field in
      Field(
        fieldName: BoundedText.cut(field.name, to: 100),
        fieldValue: SecretHeaders.shown(field.name, field.value))
    }
    self.body = BodyView(body)
    switch authorization {
    case .oidc(let email, let audience): self.authorization = "OIDC token of \(email) for \(audience ?? "its URL")"
    case .oauth(let email, let scope): self.authorization = "OAuth token of \(email) for \(scope ?? "all scopes")"
    case nil: self.authorization = nil
    }
    self.authorization = self.authorization.map { BoundedText.cut($0, to: 2_100) }
  }

  /// Returns method and URL of a task's target.
  static func requestLine(_ target: CloudTasks.Target) -> String {
    switch target {
    case .http(let request): "\(request.method.name) \(request.url)"
    case .appEngine(let request): "\(request.method.name) \(request.relativeURI)"
    }
  }

  /// Returns what a job's target is, in one line.
  static func requestLine(_ target: CloudScheduler.Target) -> String {
    switch target {
    case .http(let request): "\(request.method.name) \(request.url)"
    case .appEngine(let request): "\(request.method.name) \(request.relativeURI)"
    case .pubsub(let message): "publish to \(message.topicName)"
    }
  }
}

/// Header fields whose values are credentials.
enum SecretHeaders {
  private static let names: Set<String> = [
    "authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-auth-token", "x-goog-api-key",
  ]

  /// Returns whether the value of a field is a credential.
  static func contains(_ name: String) -> Bool { names.contains(name.lowercased()) }

  /// Returns the value of a field as pages show it: a credential by its scheme and length alone.
  static func shown(_ name: String, _ value: String) -> String {
    guard contains(name) else { return BoundedText.cut(value, to: 1_000) }
    let parts = value.split(separator: " ", maxSplits: 1)
    let hasScheme = parts.count == 2 && ["bearer", "basic", "digest"].contains(parts[0].lowercased())
    return "\(hasScheme ? "\(parts[0]) " : "")••• (\(PageNumber.text(value.utf8.count, "byte")), hidden)"
  }
}

/// A body as pages show it: decoded if it is JSON or text.
struct BodyView: Sendable {
  /// The maximum number of characters that are shown.
  static let limit = 16_000

  /// The form in words, with the size; nil without a body.
  var bodyKind: String?
  /// The text.
  var bodyText: String
  /// Whether the text is only the beginning.
  var isCut: Bool

  /// Creates the form of bytes.
  init(_ bytes: [UInt8]) {
    (bodyText, isCut) = ("", false)
    guard !bytes.isEmpty else { return }
    let size = PageNumber.text(bytes.count, "byte")
    if bytes.count <= 256 << 10, [UInt8(ascii: "{"), UInt8(ascii: "[")].contains(bytes.first { $0 > 0x20 }),
      let value = try? JSONValue(parsing: bytes, limits: .service)
    {
      bodyKind = "JSON, \(size)"
      set(PrettyJSON.text(value, limit: Self.limit))
    } else if let text = Self.text(bytes) {
      bodyKind = "text, \(size)"
      set(text)
      isCut = isCut || bytes.count > Self.limit * 4
    } else {
      bodyKind = "binary, \(size)"
      set(Self.hex(bytes.prefix(512)))
      isCut = bytes.count > 512
    }
  }

  private mutating func set(_ text: String) {
    isCut = text.unicodeScalars.count > Self.limit
    bodyText = BoundedText.cut(text, to: Self.limit)
  }

  /// Returns the text of bytes that are UTF-8, at least as far as they are shown; nil for others.
  private static func text(_ bytes: [UInt8]) -> String? {
    for cut in 0..<4 {
      let shown = bytes.count > limit * 4 ? bytes.prefix(limit * 4 - cut) : bytes[...]
      if let text = String(validating: shown, as: UTF8.self) {
        return text.unicodeScalars.contains { $0.value < 0x20 && !"\t\r\n".unicodeScalars.contains($0) } ? nil : text
      }
      if bytes.count <= limit * 4 { return nil }
    }
    return nil
  }

  /// Returns bytes in the form of `hexdump`, sixteen in a line.
  private static func hex(_ bytes: ArraySlice<UInt8>) -> String {
    func two(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
    return stride(from: bytes.startIndex, to: bytes.endIndex, by: 16).map { start in
      bytes[start..<min(start + 16, bytes.endIndex)].map(two).joined(separator: " ")
    }.joined(separator: "\n")
  }
}

/// JSON with a member or element in each line.
enum PrettyJSON {
  /// Returns the text of a value.
  ///
  /// - Parameters:
  ///   - value: the value.
  ///   - limit: the number of bytes after which nothing is added; the text is then longer than it.
  /// - Returns: the text.
  static func text(_ value: JSONValue, limit: Int) -> String {
    var text = ""
    write(value, "", limit, &text)
    return text
  }

  private static func write(_ value: JSONValue, _ indent: String, _ limit: Int, _ text: inout String) {
    guard text.utf8.count <= limit else { return }
    let inner = indent + "  "
    switch value {
    case .object(let members) where !members.isEmpty:
      text += "{"
      for (index, key) in members.keys.sorted().enumerated() where text.utf8.count <= limit {
        text += (index == 0 ? "\n" : ",\n") + inner + JSONValue.string(key).text + ": "
        write(members[key] ?? .null, inner, limit, &text)
      }
      text += "\n\(indent)}"
    case .array(let elements) where !elements.isEmpty:
      text += "["
      for (index, element) in elements.enumerated() where text.utf8.count <= limit {
        text += (index == 0 ? "\n" : ",\n") + inner
        write(element, inner, limit, &text)
      }
      text += "\n\(indent)]"
    default: text += value.text
    }
  }
}
#endif
