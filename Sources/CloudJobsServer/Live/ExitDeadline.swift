#if Server
import Dispatch
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Ends the process some time after SIGTERM, even where every thread of the cooperative pool is blocked.
///
/// The signal arrives on a queue of its own, which Dispatch serves with a thread of its own.
final class ExitDeadline: Sendable {
  private let source: Mutex<(any DispatchSourceSignal)?>

  /// Arms the deadline.
  ///
  /// - Parameter span: how long after SIGTERM the process ends.
  init(after span: Duration) {
    let queue = DispatchQueue(label: "cloud-jobs.exit-deadline")
    let source = DispatchSource.makeSignalSource(signal: SIGTERM, queue: queue)
    let microseconds = Int(clamping: span.components.seconds * 1_000_000)
    source.setEventHandler {
      queue.asyncAfter(deadline: .now() + .microseconds(microseconds)) { _exit(EXIT_FAILURE) }
    }
    source.activate()
    self.source = Mutex(source)
  }

  /// Takes the deadline back: the process ends by itself.
  func disarm() {
    source.withLock { source in
      source?.cancel()
      source = nil
    }
  }
}
#endif
