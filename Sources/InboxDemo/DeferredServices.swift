#if Server && HTTP && SQLite
import CloudJobs
import CloudJobsCore
import CloudJobsGoogle
import Synchronization

/// A queue that is connected once both servers listen, because each needs the other's port.
final class DeferredQueue: TaskQueue {
  private let queue = Mutex<(any TaskQueue)?>(nil)

  var retryOwner: RetryOwner { .runtime }

  func connect(_ queue: any TaskQueue) {
    self.queue.withLock { $0 = queue }
  }

  func enqueue(_ tasks: [QueuedTask]) async throws(JobError) {
    try await connected().enqueue(tasks)
  }

  private func connected() throws(JobError) -> any TaskQueue {
    guard let queue = queue.withLock({ $0 }) else {
      throw JobError(.queueUnavailable, "The queue is not connected yet. Retry shortly.")
    }
    return queue
  }
}

/// A sync that is connected once both servers listen, because it needs their addresses.
final class DeferredSync: Sendable {
  private let sync = Mutex<CloudSync?>(nil)

  func connect(_ sync: CloudSync) {
    self.sync.withLock { $0 = sync }
  }

  /// Synchronizes the documents with Cloud Scheduler; does nothing before the servers listen.
  func run(_ documents: JobDocuments) async throws(JobError) {
    try await sync.withLock { $0 }?.sync(documents)
  }
}

/// The addresses of the two servers, once they listen.
final class ServerAddresses: Sendable {
  private let addresses = Mutex<(service: Int?, emulator: String?)>((nil, nil))

  func set(service port: Int) { addresses.withLock { $0.service = port } }
  func set(emulator address: String) { addresses.withLock { $0.emulator = address } }

  /// Waits until both servers listen.
  func both(_ clock: any JobClock) async throws -> (service: Int, emulator: String) {
    while true {
      if case (let service?, let emulator?) = addresses.withLock({ $0 }) { return (service, emulator) }
      try await clock.sleep(until: clock.now() + .milliseconds(10))
    }
  }
}
#endif
