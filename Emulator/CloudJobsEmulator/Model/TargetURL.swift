import CloudJobsCore

/// The rules for the URLs of targets: what is encoded, and what is refused because it could never be delivered.
///
/// Source: `HttpRequest.url` (<https://cloud.google.com/tasks/docs/reference/rest/v2/HttpRequest>): unsafe characters
/// are encoded, and the length counts after that. Which ones are unsafe is not documented; here all are that RFC 3986
/// does not allow in a path or query, but for brackets, which clients send in queries.
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
    let tooLong = ServiceFault.invalidArgument("\(field) must be at most \(maximumLength) characters.")
    // Encoding never makes it shorter.
    guard text.utf8.count <= maximumLength else { throw tooLong }
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
    guard encoded.utf8.count <= maximumLength else { throw tooLong }
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
  static func isRelative(_ text: String) -> Bool {
    text.hasPrefix("/") && text.utf8.count <= maximumLength && encodedTail(text) == text
  }

  private static func isAuthority(_ text: Substring) -> Bool {
    let host = text[(text.lastIndex(of: "@").map { text.index(after: $0) } ?? text.startIndex)...]
    guard text.utf8.allSatisfy(isAllowed) else { return false }
    let end = host.hasPrefix("[") ? host.firstIndex(of: "]").map { host.index(after: $0) } : host.firstIndex(of: ":")
    let name = host[..<(end ?? host.endIndex)]
    return isHost(name) && isPort(host[name.endIndex...])
  }

  /// Returns whether a text is a host: a name, an IPv4 address, or an IPv6 address in brackets.
  static func isHost(_ text: some StringProtocol) -> Bool {
    if text.hasPrefix("["), text.hasSuffix("]") {
      let address = text.dropFirst().dropLast()
      return address.contains(":") && IPAddress(address) != nil
    }
    return !text.isEmpty && text.utf8.allSatisfy { isAllowed($0) && !"[]%@:/?#".utf8.contains($0) }
  }

  /// Whether what follows a host is nothing, or a colon and a port.
  private static func isPort(_ text: Substring) -> Bool {
    guard let first = text.first else { return true }
    let digits = text.dropFirst()
    guard first == ":", digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
      return false
    }
    return digits.isEmpty || UInt16(digits).map { $0 > 0 } ?? false
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
