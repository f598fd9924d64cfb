#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The names of workers.
enum WorkerName {
  /// The names of this host and this process, such as `web-3:417`.
  static var ofProcess: String {
    var name = [CChar](repeating: 0, count: 256)
    let isKnown = gethostname(&name, name.count - 1) == 0
    let host = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return "\(isKnown && !host.isEmpty ? host : "localhost"):\(getpid())"
  }
}
