#if HTTP
import CCurl

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A thread of its own for work that blocks in C.
enum IOThread {
  /// What the new thread is handed: the name for tools, and the work.
  private final class Work: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  /// Starts a detached thread; false where the machine has no more threads.
  static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
    let work = Unmanaged.passRetained(Work(body))
    #if canImport(Darwin)
    var thread: pthread_t?
    let code = pthread_create(&thread, nil, { IOThread.run($0) }, work.toOpaque())
    guard code == 0, let thread else {
      work.release()
      return false
    }
    #else
    var thread = pthread_t()
    let code = pthread_create(&thread, nil, { $0.flatMap { IOThread.run($0) } }, work.toOpaque())
    guard code == 0 else {
      work.release()
      return false
    }
    #endif
    pthread_detach(thread)
    return true
  }

  private static func run(_ pointer: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    // A TLS library may write to a socket that the peer has closed; the signal of that must not end the process.
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    cloud_jobs_name_thread("cloud-jobs-http")
    Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue().body()
    return nil
  }
}
#endif
