#if HTTP && Server
import CloudJobs
import CloudJobsCore
import CloudJobsGoogle

/// Every kind of request of the Cloud Tasks queue; the queues `default` and `mail` must exist.
enum QueueRequests {
  static func send(_ tasks: CloudTasksConfiguration, in google: GoogleCloud) async throws {
    let queue = CloudTasksQueue(tasks, in: google)
    let now = google.clock.now()
    let owner = tasks.serviceAccount == nil ? "open" : "signed"
    func task(_ name: String, queue: String? = nil, at time: Timestamp? = nil, deadline: Duration = .seconds(60))
      -> QueuedTask
    {
      QueuedTask(
        name: "\(owner)-\(name)", queue: queue, body: JSONText(["jobId": "greet", "payload": ["é": [1, nil]]]),
        notBefore: time, deadline: deadline)
    }
    try await queue.enqueue([
      task("plain"), task("mail", queue: "mail"), task("later", at: now + .milliseconds(90_500)),
      task("staged", at: now + .days(60)), task("late", at: now - .hours(1)),
      task("patient", deadline: .milliseconds(20_500)), task("long", deadline: .hours(2)),
    ])
    try await queue.enqueue([task("plain")])
    try await queue.enqueue((0..<100).map { task("batch-\($0)", at: now + .hours(1)) })
    // The second time, there is no such task any more.
    for _ in 0..<2 { try await queue.cancel(task("batch-0").name, in: nil) }
    do throws(JobError) {
      try await queue.enqueue([task("lost", queue: "no-such-queue")])
    } catch {
      guard error.code == .queueUnavailable else { throw error }
    }
  }
}
#endif
