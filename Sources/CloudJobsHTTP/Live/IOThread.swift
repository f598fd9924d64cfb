#if HTTP
import CCurl
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Dedicated threads for work that blocks in C.
///
/// The exit handlers of libcurl's TLS library free memory that running and ending threads use. Therefore every thread
/// is joined: finished ones when the next one starts, and all of them before those handlers run.
enum IOThread {
  /// The argument of a new thread: its number and its work.
  private final class Work: Sendable {
    let number: UInt64
    let body: @Sendable () -> Void

    init(number: UInt64, _ body: @escaping @Sendable () -> Void) { (self.number, self.body) = (number, body) }
  }

  private struct Threads {
    var lastNumber: UInt64 = 0
    /// The functions that ask running threads to end.
    var running: [UInt64: @Sendable () -> Void] = [:]
    /// The handles of all unjoined threads, as bit patterns.
    var handles: [UInt64: UInt] = [:]
  }

  private static let threads = Mutex(Threads())
  /// The number of milliseconds that the exit of the process waits for threads; a name look-up may block one.
  private static let exitLimit = 1_000

  /// Starts a thread.
  ///
  /// - Parameters:
  ///   - stop: asks the thread to end; called at the exit of the process.
  ///   - body: the thread's work.
  /// - Returns: false if the system can't create a thread.
  static func start(stop: @escaping @Sendable () -> Void, _ body: @escaping @Sendable () -> Void) -> Bool {
    joinEnded()
    return threads.withLock { threads in
      threads.lastNumber += 1
      let number = threads.lastNumber
      guard let handle = create(Work(number: number, body)) else { return false }
      threads.running[number] = stop
      threads.handles[number] = handle
      return true
    }
  }

  /// Makes all threads end before the exit handlers registered so far run.
  static func stopAllAtExit() {
    atexit {
      let stops = IOThread.threads.withLock { Array($0.running.values) }
      for stop in stops { stop() }
      for _ in 0..<IOThread.exitLimit {
        if IOThread.threads.withLock({ $0.running.isEmpty }) { break }
        usleep(1_000)
      }
      IOThread.joinEnded()
    }
  }

  /// Joins threads whose work is done, which takes no longer than the system needs to end them.
  private static func joinEnded() {
    let ended = threads.withLock { threads in
      let numbers = threads.handles.keys.filter { threads.running[$0] == nil }
      return numbers.compactMap { threads.handles.removeValue(forKey: $0) }
    }
    for handle in ended {
      #if canImport(Darwin)
      if let thread = pthread_t(bitPattern: handle) { pthread_join(thread, nil) }
      #else
      pthread_join(pthread_t(handle), nil)
      #endif
    }
  }

  private static func create(_ work: Work) -> UInt? {
    let work = Unmanaged.passRetained(work)
    #if canImport(Darwin)
    var thread: pthread_t?
    let code = pthread_create(&thread, nil, { IOThread.run($0) }, work.toOpaque())
    let handle = thread.map { UInt(bitPattern: $0) }
    #else
    var thread = pthread_t()
    let code = pthread_create(&thread, nil, { $0.flatMap { IOThread.run($0) } }, work.toOpaque())
    let handle: UInt? = UInt(thread)
    #endif
    if code != 0 { work.release() }
    return code == 0 ? handle : nil
  }

  private static func run(_ pointer: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    // A TLS library may write to a socket that the peer has closed; the resulting signal must not end the process.
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    cloud_jobs_name_thread("cloud-jobs-http")
    let work = Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue()
    work.body()
    threads.withLock { _ = $0.running.removeValue(forKey: work.number) }
    return nil
  }
}
#endif
