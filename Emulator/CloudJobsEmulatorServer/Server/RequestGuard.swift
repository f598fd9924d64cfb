import CloudJobsEmulator

/// Keeps web pages that a browser on this machine shows from using the emulator.
///
/// A page can send simple requests to any address without being asked, and through DNS rebinding even read the answers;
/// no client library sends an `Origin`, and none calls a loopback address by a foreign name.
struct RequestGuard: Sendable {
  private let checksHost: Bool

  /// A guard for a server at an address; one that is open to other machines may be called by any name.
  init(host: String) {
    checksHost = Self.isLocal(host)
  }

  /// Why a request is refused, or nil where it may be served.
  ///
  /// - Parameters:
  ///   - authority: the request's host and port.
  ///   - origin: its `Origin` header.
  /// - Returns: the refusal.
  func refusal(authority: String?, origin: String?) -> ServiceFault? {
    if let origin {
      return ServiceFault(.permissionDenied, "The emulator does not serve web pages; one at \(origin) called it.")
    }
    guard checksHost, let authority else { return nil }
    let host = authority.hasPrefix("[") ? authority.prefix { $0 != "]" } + "]" : authority.prefix { $0 != ":" }
    guard !Self.isLocal(String(host)) else { return nil }
    return ServiceFault(
      .permissionDenied, "The emulator listens on this machine only and was called as \(host); call it as 127.0.0.1.")
  }

  private static func isLocal(_ host: String) -> Bool {
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    let isLoopback = parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    return isLoopback || ["localhost", "[::1]", "::1"].contains(host.lowercased())
  }
}
