#if HTTP
/// Rules over numeric peer addresses, to build a peer filter from.
public enum PeerAddress {
  /// Whether an address never leaves the machine: `127.0.0.0/8` or `::1`.
  ///
  /// The ranges are those of RFC 6890, https://www.rfc-editor.org/rfc/rfc6890.html#section-2.2.2.
  ///
  /// - Parameter address: the numeric form, as ``HTTPClientOptions/peerFilter`` gets it.
  /// - Returns: true for loopback addresses alone.
  public static func isLoopback(_ address: String) -> Bool {
    if let parts = octets(address) { return parts[0] == 127 }
    return address == "::1"
  }

  /// Whether an address may serve the metadata, and so the credentials, of a cloud machine.
  ///
  /// True for all of `169.254.0.0/16` and `fe80::/10` (link-local), for `fd00:ec2::254`, for `100.100.100.200`, and
  /// for the IPv6 forms that carry an IPv4 address: compatible (`::/96`), 6to4 (`2002::/16`) and the translation
  /// prefix `64:ff9b::/96`. These are refused whole, since no service of ours has such an address.
  ///
  /// - Parameter address: the numeric form, as ``HTTPClientOptions/peerFilter`` gets it.
  /// - Returns: true where a request must not be sent there on behalf of someone else.
  public static func mayServeMetadata(_ address: String) -> Bool {
    if let parts = octets(address) {
      return (parts[0] == 169 && parts[1] == 254) || parts == [100, 100, 100, 200]
    }
    let lowered = address.lowercased()
    if lowered == "::1" || lowered == "::" { return false }
    if lowered == "fd00:ec2::254" || lowered.hasPrefix("64:ff9b:") || lowered.hasPrefix("2002:") { return true }
    if lowered.hasPrefix("::") && lowered.contains(".") { return true }
    guard let first = lowered.split(separator: ":", maxSplits: 1).first, let word = UInt16(first, radix: 16) else {
      return false
    }
    return word & 0xFFC0 == 0xFE80
  }

  /// The four numbers of a dotted IPv4 address; nil for any other text.
  private static func octets(_ address: String) -> [UInt8]? {
    let parts = address.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    let numbers = parts.compactMap { UInt8($0) }
    return numbers.count == 4 ? numbers : nil
  }
}
#endif
