#if HTTP
import CCurl

/// The library as a whole: initialised once in a process.
struct CurlLibrary: Sendable {
  /// Its version at run time, such as `7.88.1`.
  let version: String
  /// Whether it speaks HTTP/2.
  let hasHTTP2: Bool

  /// The library, initialised at the first use; a Swift static is initialised once, whatever threads ask for it.
  static let shared = CurlLibrary()

  private init() {
    curl_global_init(Int(CURL_GLOBAL_DEFAULT))
    // After the library and what it is made of have registered their own handlers, so that this one runs first.
    IOThread.stopAllAtExit()
    let info = cloud_jobs_version()
    version = info?.pointee.version.map { String(cString: $0) } ?? ""
    hasHTTP2 = ((info?.pointee.features ?? 0) & CURL_VERSION_HTTP2) != 0
  }
}
#endif
