import CloudJobs
import CloudJobsCore
import Synchronization

/// Where the two servers are reached, once they listen.
final class PortBoard: Sendable {
  private let ports = Mutex<(service: Int?, emulator: String?)>((nil, nil))

  func set(service port: Int) { ports.withLock { $0.service = port } }
  func set(emulator address: String) { ports.withLock { $0.emulator = address } }

  /// Waits until both listen.
  func both(_ clock: any JobClock) async throws -> (service: Int, emulator: String) {
    while true {
      if case (let service?, let emulator?) = ports.withLock({ $0 }) { return (service, emulator) }
      try await clock.sleep(until: clock.now() + .milliseconds(10))
    }
  }
}
