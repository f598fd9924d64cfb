#if HTTP && Server
import CloudJobs
import CloudJobsCore

/// Takes tasks and keeps nothing: for jobs that a pass executes itself.
struct NoQueue: TaskQueue {
  var retryOwner: RetryOwner { .runtime }

  func enqueue(_ tasks: [QueuedTask]) async throws(JobError) {}
}
#endif
