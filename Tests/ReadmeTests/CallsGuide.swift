#if Server && SQLite
import CloudJobsServer
import Logging

/// The examples of `Documentation/calls.md` and `Documentation/events.md`: compiled, and not executed.
enum CallsGuide {
  struct WelcomeEmail: JobInput {
    static let jobID: JobID = "send_welcome_email"
    var userID: String
  }

  struct SendInvoice: JobInput {
    static let jobID: JobID = "send_invoice"
    var id: Int
  }

  static func calls(_ runtime: JobRuntime) async throws {
    try await runtime.enqueue(WelcomeEmail(userID: "7"), after: .seconds(300), key: "welcome-7")
    try await runtime.run(SendInvoice(id: 7), timeout: .seconds(30))
    var request = EnqueueRequest(SendInvoice(id: 7), key: "invoice-7")
    (request.maxAttempts, request.priority, request.queue) = (5, 10, "critical")
    request.metadata = ["team": "billing"]
    try await runtime.enqueue([request])
  }

  static func events(_ runtime: JobRuntime) async {
    let failures = runtime.events.subscribe(EventFilter(job: "send_invoice", names: [.failed])) { event in
      runtime.options.logger.error("\(event.job) failed: \(event.failure?.message ?? "")")
    }
    for await event in runtime.events.stream(EventFilter(names: [.completed, .event])) {
      runtime.options.logger.notice("\(event.name) of \(event.job) \(event.customName ?? "")")
    }
    failures.cancel()
  }

  static func emit(_ context: JobContext) throws {
    try context.emit("row-imported", ["row": 7])
  }
}
#endif
