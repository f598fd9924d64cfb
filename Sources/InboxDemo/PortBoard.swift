import CloudJobs
import CloudJobsCore
import Synchronization

/// The ports of the two servers, once they listen.
final class PortBoard: Sendable {
  private let ports = Mutex<(service: Int?, emulator: Int?)>((nil, nil))

  func set(service port: Int) { ports.withLock { $0.service = port } }
  func set(emulator port: Int) { ports.withLock { $0.emulator = port } }

  /// Waits until both listen.
  func both(_ clock: any JobClock) async throws -> (service: Int, emulator: Int) {
    while true {
      if case (let service?, let emulator?) = ports.withLock({ $0 }) { return (service, emulator) }
      try await clock.sleep(until: clock.now() + .milliseconds(10))
    }
  }
}
