/// An IP address in its numeric form.
package enum IPAddress: Hashable, Sendable {
  /// Four octets.
  case v4([UInt8])
  /// Eight groups of 16 bits.
  case v6([UInt16])

  /// Parses a numeric address, strictly; nil for anything else, names and shortened forms such as `127.1` included.
  ///
  /// Source: dotted decimal without leading zeros (RFC 6943, section 3.1.1) and the forms of RFC 4291, section 2.2. A
  /// zone (`fe80::1%eth0`) is allowed after an IPv6 address and ignored. Brackets are not part of an address.
  ///
  /// - Parameter text: the address.
  package init?(_ text: some StringProtocol) {
    if let octets = Self.octets(text) {
      self = .v4(octets)
    } else if let groups = Self.groups(text) {
      self = .v6(groups)
    } else {
      return nil
    }
  }

  /// Whether packets to the address never leave the machine: `127.0.0.0/8`, `::1`, and `::ffff:127.0.0.0/104`, which is
  /// how a dual-stack socket shows an IPv4 peer.
  package var isLoopback: Bool {
    switch self {
    case .v4(let octets): octets[0] == 127
    case .v6(let groups):
      groups == [0, 0, 0, 0, 0, 0, 0, 1] || (groups[..<6] == [0, 0, 0, 0, 0, 0xFFFF] && groups[6] >> 8 == 127)
    }
  }

  private static func octets(_ text: some StringProtocol) -> [UInt8]? {
    let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    let octets = parts.compactMap { digits -> UInt8? in
      guard let first = digits.first, digits.count == 1 || first != UInt8(ascii: "0"),
        digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
      else { return nil }
      return UInt8(String(decoding: digits, as: UTF8.self))
    }
    return octets.count == 4 ? octets : nil
  }

  private static func groups(_ text: some StringProtocol) -> [UInt16]? {
    let parts = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
    if parts.count == 2, parts[1].isEmpty { return nil }
    guard let address = parts.first, address.utf8.contains(UInt8(ascii: ":")) else { return nil }
    let halves = Self.halves(address)
    guard let head = groupList(halves.head, mayEndInOctets: halves.tail == nil) else { return nil }
    guard let tail = halves.tail else { return head.count == 8 ? head : nil }
    guard let rest = groupList(tail, mayEndInOctets: true), head.count + rest.count < 8 else { return nil }
    return head + Array(repeating: 0, count: 8 - head.count - rest.count) + rest
  }

  /// The texts before and after the first `::`; no tail where there is none.
  private static func halves(_ text: some StringProtocol) -> (head: Substring, tail: Substring?) {
    let text = Substring(text)
    guard let gap = text.firstRange(of: "::") else { return (text, nil) }
    return (text[..<gap.lowerBound], text[gap.upperBound...])
  }

  private static func groupList(_ text: Substring, mayEndInOctets: Bool) -> [UInt16]? {
    if text.isEmpty { return [] }
    var groups = [UInt16]()
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    for (index, part) in parts.enumerated() {
      if mayEndInOctets, index == parts.count - 1, let octets = octets(part) {
        groups += [UInt16(octets[0]) << 8 | UInt16(octets[1]), UInt16(octets[2]) << 8 | UInt16(octets[3])]
        continue
      }
      guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy(isHexadecimal), let group = UInt16(part, radix: 16)
      else { return nil }
      groups.append(group)
    }
    return groups
  }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
  }
}

/// A host as URLs and options name it.
package enum HostName {
  /// Whether a text is a host name: labels of letters, digits, `-` and `_`, at most 63 bytes each and 253 together.
  ///
  /// Source: RFC 1123, section 2.1; `_` occurs in the names of container networks. A last label of digits alone would
  /// be read as an IPv4 address (<https://url.spec.whatwg.org/#ends-in-a-number-checker>) and is refused.
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

  /// Whether a text is a host name or a numeric IP address, as a server's address is given.
  package static func isNameOrAddress(_ text: some StringProtocol) -> Bool {
    IPAddress(text) != nil || isName(text)
  }

  /// Whether the host of an authority can only mean this machine: `localhost`, a name below it, or a loopback address.
  ///
  /// Names under `localhost` never leave the machine (RFC 6761, section 6.3).
  ///
  /// - Parameter authority: `host` or `host:port`, an IPv6 address in brackets.
  /// - Returns: false for any other host, and for what is no authority.
  package static func isLoopback(authority: some StringProtocol) -> Bool {
    guard let host = split(authority)?.host else { return false }
    if let address = IPAddress(host) { return address.isLoopback }
    let name = host.lowercased()
    return isName(name) && !name.hasSuffix(".") && (name == "localhost" || name.hasSuffix(".localhost"))
  }

  /// Takes an authority apart; nil where it is none.
  ///
  /// - Parameter authority: `host` or `host:port`, an IPv6 address in brackets.
  /// - Returns: the host without brackets, and the port where there is one.
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
