#if HTTP
/// Rules for numeric peer addresses, for use in a peer filter.
public enum PeerAddress {
  /// Returns whether an address never leaves the machine: `127.0.0.0/8` or `::1`.
  ///
  /// The ranges are those of RFC 6890, https://www.rfc-editor.org/rfc/rfc6890.html#section-2.2.2.
  ///
  /// - Parameter address: the numeric address, as passed to ``CurlHTTPClient/Options/peerFilter``.
  /// - Returns: true only for loopback addresses.
  public static func isLoopback(_ address: String) -> Bool {
    if let parts = octets(address) { return parts[0] == 127 }
    return address == "::1"
  }

  /// Returns whether an address may belong to a cloud machine's metadata server, which hands out credentials.
  ///
  /// True for all of `169.254.0.0/16` and `fe80::/10` (link-local), for `fd00:ec2::254`, for `100.100.100.200`, and for
  /// IPv6 forms that embed an IPv4 address: compatible (`::/96`), 6to4 (`2002::/16`) and the translation prefix
  /// `64:ff9b::/96`. These are covered entirely, because no supported service has such an address.
  ///
  /// - Parameter address: the numeric address, as passed to ``CurlHTTPClient/Options/peerFilter``.
  /// - Returns: true if no request must be sent there on behalf of another party.
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

  /// Returns the four numbers of a dotted IPv4 address; nil for any other text.
  private static func octets(_ address: String) -> [UInt8]? {
    let parts = address.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    let numbers = parts.compactMap { UInt8($0) }
    return numbers.count == 4 ? numbers : nil
  }
}
#endif
