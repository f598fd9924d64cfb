/// Validation and parsing of host names in URLs and options.
package enum HostName {
  /// Returns whether text is a host name: labels of letters, digits, `-` and `_`, at most 63 bytes each and 253 in
  /// total.
  ///
  /// Source: RFC 1123, section 2.1; `_` occurs in the names of container networks. A last label of only digits would be
  /// read as an IPv4 address (<https://url.spec.whatwg.org/#ends-in-a-number-checker>) and is rejected.
  package static func isName(_ text: some StringProtocol) -> Bool {
    let name = text.hasSuffix(".") ? text.dropLast() : text[...]
    guard !name.isEmpty, name.utf8.count <= 253 else { return false }
    let labels = name.split(separator: ".", omittingEmptySubsequences: false)
    guard let last = labels.last, !last.utf8.allSatisfy({ isDigit($0) }) else { return false }
    return labels.allSatisfy { label in
      (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
        && label.utf8.allSatisfy {
          isDigit($0) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20) || $0 == UInt8(ascii: "-")
            || $0 == UInt8(ascii: "_")
        }
    }
  }

  /// Returns whether text is a host name or a numeric IP address, as in a server's address.
  package static func isNameOrAddress(_ text: some StringProtocol) -> Bool {
    IPAddress(text) != nil || isName(text)
  }

  /// Returns whether an authority's host is always this machine: `localhost`, a name below it, or a loopback address.
  ///
  /// Names below `localhost` are never resolved outside the machine (RFC 6761, section 6.3).
  ///
  /// - Parameter authority: `host` or `host:port`, an IPv6 address in brackets.
  /// - Returns: false for any other host and for an invalid authority.
  package static func isLoopback(authority: some StringProtocol) -> Bool {
    guard let host = split(authority)?.host else { return false }
    if let address = IPAddress(host) { return address.isLoopback }
    let name = host.lowercased()
    return isName(name) && !name.hasSuffix(".") && (name == "localhost" || name.hasSuffix(".localhost"))
  }

  /// Splits an authority into host and port.
  ///
  /// - Parameter authority: `host` or `host:port`, an IPv6 address in brackets.
  /// - Returns: the host without brackets and the port, if any; nil for an invalid authority.
  package static func split(_ authority: some StringProtocol) -> (host: Substring, port: UInt16?)? {
    var rest = Substring(authority)
    let host: Substring
    if rest.first == "[" {
      guard let end = rest.firstIndex(of: "]") else { return nil }
      host = rest[rest.index(after: rest.startIndex)..<end]
      guard case .v6 = IPAddress(host) else { return nil }
      rest = rest[rest.index(after: end)...]
    } else {
      host = rest.prefix { $0 != ":" }
      guard isNameOrAddress(host) else { return nil }
      rest = rest[host.endIndex...]
    }
    guard !rest.isEmpty else { return (host, nil) }
    let digits = rest.dropFirst()
    guard rest.first == ":", !digits.isEmpty, digits.utf8.allSatisfy({ isDigit($0) }), let port = UInt16(digits) else {
      return nil
    }
    return (host, port)
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }
}
