import CloudJobsCore
import CloudJobsEmulator

/// Keeps web pages that a browser on this machine shows from using the emulator, and others from reaching one that
/// listens on this machine only.
struct RequestGuard: Sendable {
  private let rule: LocalCallerRule

  /// A guard for a server at an address; one that is open to other machines may be called by any name.
  init(host: String) {
    let isLocal = host.lowercased() == "localhost" || IPAddress(host)?.isLoopback ?? false
    rule = LocalCallerRule(servesOthers: !isLocal, alternative: "have the emulator listen at another address (--host)")
  }

  /// Why a request is refused; nil where it may be served.
  func refusal(of request: LocalCallerRule.Request) -> ServiceFault? {
    rule.refusal(of: request).map { ServiceFault(.permissionDenied, $0) }
  }
}
