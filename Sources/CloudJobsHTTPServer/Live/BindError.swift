#if Server
package import CloudJobsCore
import NIOCore
import NIOPosix

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

extension JobError {
  /// Creates the error for a failed bind, with its remedy; nil for any other error.
  package init?(binding host: String, port: Int, remedy: String, _ error: any Error) {
    guard let error = error as? IOError else {
      guard error is NIOConnectionError else { return nil }
      self.init(
        .addressUnavailable, "The host \(host) is unknown. Give an address of this machine, such as 127.0.0.1.",
        field: "HOST")
      return
    }
    self.init(bindingErrno: error.errnoCode, host: host, port: port, remedy: remedy)
  }

  private init?(bindingErrno code: CInt, host: String, port: Int, remedy: String) {
    switch BindFailure(code) {
    case .inUse:
      self.init(
        .addressUnavailable, "Port \(port) is in use. Stop the other program, or \(remedy).", field: "PORT",
        nativeCode: "EADDRINUSE")
    case .notPermitted:
      self.init(
        .addressUnavailable, "Port \(port) requires privileges that this process does not have; \(remedy).",
        field: "PORT",
        nativeCode: "EACCES")
    case .notHere:
      self.init(
        .addressUnavailable, "This machine does not have the address \(host). Bind 127.0.0.1 or 0.0.0.0.",
        field: "HOST", nativeCode: "EADDRNOTAVAIL")
    case nil: return nil
    }
  }
}

/// The reason for which an address can't be bound, by the system's error number.
enum BindFailure {
  case inUse
  case notPermitted
  case notHere

  init?(_ code: CInt) {
    switch code {
    case EADDRINUSE: self = .inUse
    case EACCES: self = .notPermitted
    case EADDRNOTAVAIL: self = .notHere
    default: return nil
    }
  }
}
#endif
