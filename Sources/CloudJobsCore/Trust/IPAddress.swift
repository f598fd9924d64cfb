/// An IP address in its numeric form.
package enum IPAddress: Hashable, Sendable {
  /// Four octets.
  case v4([UInt8])
  /// Eight groups of 16 bits.
  case v6([UInt16])

  /// Parses a numeric address strictly; nil for anything else, including names and shortened forms such as `127.1`.
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

  /// Whether the address is a loopback address: `127.0.0.0/8`, `::1`, or `::ffff:127.0.0.0/104`, the form of an IPv4
  /// peer on a dual-stack socket.
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

  /// Returns the parts before and after the first `::`; no second part if there is no `::`.
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
