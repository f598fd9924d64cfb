#if PostgreSQL
import CPostgres
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Dedicated threads for work that blocks in C: one for the I/O of each store, and one for each attempt to connect.
///
/// The exit handlers of libpq's TLS library free memory that running threads use. Therefore the threads are asked to
/// end, and awaited for a second, before those handlers run.
enum PostgresThread {
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
    var stopsAtExit = false
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
    threads.withLock { threads in
      threads.lastNumber += 1
      let work = Unmanaged.passRetained(Work(number: threads.lastNumber, body))
      guard create(work.toOpaque()) else {
        work.release()
        return false
      }
      threads.running[threads.lastNumber] = stop
      return true
    }
  }

  /// Makes all threads end before the exit handlers registered so far run; called once a TLS library is in use.
  static func stopAllAtExit() {
    let isFirst = threads.withLock { threads in
      defer { threads.stopsAtExit = true }
      return !threads.stopsAtExit
    }
    guard isFirst else { return }
    atexit {
      let stops = PostgresThread.threads.withLock { Array($0.running.values) }
      for stop in stops { stop() }
      for _ in 0..<PostgresThread.exitLimit {
        if PostgresThread.threads.withLock({ $0.running.isEmpty }) { break }
        usleep(1_000)
      }
    }
  }

  private static func create(_ work: UnsafeMutableRawPointer) -> Bool {
    #if canImport(Darwin)
    var thread: pthread_t?
    let code = pthread_create(&thread, nil, { PostgresThread.run($0) }, work)
    if code == 0, let thread { pthread_detach(thread) }
    #else
    var thread = pthread_t()
    let code = pthread_create(&thread, nil, { $0.flatMap { PostgresThread.run($0) } }, work)
    if code == 0 { pthread_detach(thread) }
    #endif
    return code == 0
  }

  private static func run(_ pointer: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    // A TLS library may write to a socket that the peer has closed; the resulting signal must not end the process.
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    cloud_jobs_postgres_name_thread("cloud-jobs-pg")
    let work = Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue()
    work.body()
    threads.withLock { _ = $0.running.removeValue(forKey: work.number) }
    return nil
  }
}

/// The machine's monotonic clock, for the deadlines of requests.
enum MonotonicClock {
  /// Returns the number of milliseconds since an arbitrary start.
  static func milliseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
  }
}

/// A pipe by which other threads wake the one that polls.
final class WakeUpPipe: Sendable {
  /// The end to poll.
  let readEnd: Int32
  private let writeEnd: Int32

  /// Creates a pipe; nil if the process has no file descriptors left.
  init?() {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return nil }
    for end in ends {
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
    }
    (readEnd, writeEnd) = (ends[0], ends[1])
  }

  deinit {
    close(readEnd)
    close(writeEnd)
  }

  /// Wakes the polling thread, now or when it polls next.
  func wake() {
    var byte: UInt8 = 1
    // A full pipe wakes it as well.
    _ = write(writeEnd, &byte, 1)
  }

  /// Takes back all calls of ``wake()``.
  func clear() {
    var buffer: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    while withUnsafeMutableBytes(of: &buffer, { read(readEnd, $0.baseAddress, $0.count) }) > 0 {}
  }
}
#endif
