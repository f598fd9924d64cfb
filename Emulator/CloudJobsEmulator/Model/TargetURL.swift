import CloudJobsCore

/// The rules for the URLs of targets: what is encoded, and what is refused because it could never be delivered.
///
/// Source: `HttpRequest.url` (<https://cloud.google.com/tasks/docs/reference/rest/v2/HttpRequest>): unsafe characters
/// are encoded, and the length counts after that. Which ones are unsafe is not documented; here all are that RFC 3986
/// does not allow in a path or query.
enum TargetURL {
  /// Maximum length of an encoded URL, in characters.
  static let maximumLength = 2_083

  /// Returns a URL with its unsafe characters encoded.
  ///
  /// - Parameters:
  ///   - text: the URL as the caller sent it.
  ///   - field: the field's name in messages, such as `HttpRequest.url`.
  ///   - addsPath: whether an empty path becomes `/`, as Cloud Scheduler shows it.
  /// - Returns: the encoded URL.
  /// - Throws: ``ServiceFault`` `invalidArgument` if it is empty, too long, or no URL for HTTP with a host.
  static func encoded(_ text: String, field: String, addsPath: Bool = false) throws(ServiceFault) -> String {
    guard !text.isEmpty else { throw .invalidArgument("\(field) is required.") }
    let start = text.prefix(8).lowercased()
    guard let scheme = ["http://", "https://"].first(where: { start.hasPrefix($0) }) else {
      throw .invalidArgument("HttpTarget.url must start with 'http://' or 'https://'.")
    }
    let rest = text.dropFirst(scheme.count)
    let authority = rest.prefix { !"/?#".contains($0) }
    guard isAuthority(authority) else {
      throw .invalidArgument(
        "\(field) must have a valid host, and a port of at most 65535 if it has one: \"\(authority)\" is none.")
    }
    let tail = rest.dropFirst(authority.count)
    let path = addsPath && !tail.hasPrefix("/") ? "/" : ""
    let encoded = text.prefix(scheme.count) + authority + path + encodedTail(tail)
    guard encoded.utf8.count <= maximumLength else {
      throw .invalidArgument("\(field) must be at most \(maximumLength) characters.")
    }
    return String(encoded)
  }

  /// Returns a path with a query and fragment, its unsafe characters encoded.
  static func encodedTail(_ text: some StringProtocol) -> String {
    let bytes = Array(text.utf8)
    // A `%` that begins no escape stands for itself.
    let escaped = bytes.indices.flatMap {
      bytes[$0] == UInt8(ascii: "%") && !isEscape(bytes, at: $0) ? Array("%25".utf8) : [bytes[$0]]
    }
    return PercentEncoding.encode(String(decoding: escaped, as: UTF8.self)) { !isAllowed($0) }
  }

  /// Returns whether a text is a path, with or without a query and a fragment, that needs no encoding.
  static func isRelative(_ text: String) -> Bool { text.hasPrefix("/") && encodedTail(text) == text }

  private static func isAuthority(_ text: Substring) -> Bool {
    let host = text[(text.lastIndex(of: "@").map { text.index(after: $0) } ?? text.startIndex)...]
    guard text.utf8.allSatisfy({ isAllowed($0) && $0 != UInt8(ascii: "\\") }) else { return false }
    if host.hasPrefix("[") {
      guard let end = host.firstIndex(of: "]") else { return false }
      return isPort(host[host.index(after: end)...])
        && host[host.index(after: host.startIndex)..<end].contains(":")
    }
    let name = host.prefix { $0 != ":" }
    return !name.isEmpty && !name.contains { "[]".contains($0) } && isPort(host.dropFirst(name.count))
  }

  /// Whether what follows a host is nothing, or a colon and a port.
  private static func isPort(_ text: Substring) -> Bool {
    text.isEmpty || text.first == ":" && (text.count == 1 || UInt16(text.dropFirst()) != nil)
  }

  private static func isEscape(_ bytes: [UInt8], at index: Int) -> Bool {
    bytes.count > index + 2
      && bytes[(index + 1)...(index + 2)].allSatisfy { Character(Unicode.Scalar($0)).isHexDigit }
  }

  /// Whether a byte may stand in a URL as it is (RFC 3986, <https://www.rfc-editor.org/rfc/rfc3986#appendix-A>).
  private static func isAllowed(_ byte: UInt8) -> Bool {
    guard (0x21...0x7E).contains(byte) else { return false }
    return !Self.unsafe.contains(byte)
  }

  private static let unsafe = Array(#""<>\^`{|}"#.utf8)
}
