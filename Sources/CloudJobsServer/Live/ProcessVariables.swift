#if Server
#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The environment variables of this process.
enum ProcessVariables {
  /// All variables.
  static var all: [String: String] { ProcessInfo.processInfo.environment }
}
#endif
