#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Why an address can't be bound, out of the system's error numbers.
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
