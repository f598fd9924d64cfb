#if Server && HTTP && SQLite
import CloudJobs
import CloudJobsCore
import CloudJobsGoogle
import Synchronization

/// A sync that is known only once both servers listen: it needs their addresses.
final class DeferredSync: Sendable {
  private let sync = Mutex<CloudSync?>(nil)

  func connect(_ sync: CloudSync) {
    self.sync.withLock { $0 = sync }
  }

  /// Brings what the documents say to Cloud Scheduler; does nothing before the servers listen.
  func run(_ documents: JobDocuments) async throws(JobError) {
    try await sync.withLock { $0 }?.sync(documents)
  }
}
#endif
