#if Server && HTTP && SQLite
import CloudJobs
import CloudJobsCore
import CloudJobsGoogle
import CloudJobsHTTP
import HTTPTypes
import ServiceLifecycle

/// What an operator would do with the Google Cloud console: makes the queue and the scheduler jobs over REST, presses
/// "run now" so that nobody has to wait for the next minute, and ends the demo when the inbox is done.
struct Director: Service {
  let demo: Demo
  let runtime: JobRuntime
  let queue: DeferredQueue
  let client: HTTPClient
  let board: ScanBoard
  let writer: ReportWriter
  let ports: PortBoard

  private static let location = "projects/demo/locations/local"

  func run() async throws {
    try await cancelWhenGracefulShutdown {
      do {
        try await direct()
      } catch is CancellationError {
        return
      }
    }
  }

  private func direct() async throws {
    let (service, emulator) = try await ports.both(demo.clock)
    let endpoint = "http://127.0.0.1:\(emulator)"
    let handler = "http://127.0.0.1:\(service)/jobs"
    var tasks = CloudTasksConfiguration(
      project: "demo", location: "local", queue: "default", target: "\(handler)/trigger")
    tasks.endpoint = endpoint
    try await setUp(endpoint: endpoint, handler: handler)
    queue.connect(CloudTasksQueue(tasks, client: client))
    Console.write("The service listens at \(handler), the emulator at \(endpoint).")
    let recovered = try await runtime.takeOver()
    if recovered > 0 { Console.write("Took over \(recovered) runs of a process that had ended before them.") }
    var isReported = false
    while true {
      try await post("\(endpoint)/v1/\(Self.location)/jobs/\(JobID.master):run", [:])
      try await demo.clock.sleep(until: demo.clock.now() + .seconds(1))
      guard !isReported, board.isQuiet, try await !writer.isAnythingWaiting() else { continue }
      try await report(endpoint)
      isReported = true
      guard demo.stays else { return }
      Console.write("The inbox is done, the report is written. Serving until you press Ctrl-C.")
    }
  }

  /// Fires the report's scheduler job, and waits until it has run.
  private func report(_ endpoint: String) async throws {
    let begin = demo.clock.now()
    try await post("\(endpoint)/v1/\(Self.location)/jobs/\(DemoJobs.report):run", [:])
    while true {
      let filter = RunFilter(job: DemoJobs.report, statuses: [.succeeded, .failed], createdFrom: begin)
      if try await !runtime.store.runs(matching: filter, after: nil, limit: 1).records.isEmpty { return }
      try await demo.clock.sleep(until: demo.clock.now() + .milliseconds(50))
    }
  }

  private func setUp(endpoint: String, handler: String) async throws {
    try await post(
      "\(endpoint)/v2/\(Self.location)/queues",
      ["name": .string("\(Self.location)/queues/default"), "rateLimits": ["maxConcurrentDispatches": 16]])
    try await schedule(JobID.master, "* * * * *", "\(handler)/master", endpoint)
    try await schedule(DemoJobs.report, "0 2 * * *", "\(handler)/scheduled/\(DemoJobs.report)", endpoint)
  }

  private func schedule(_ id: JobID, _ cron: String, _ url: String, _ endpoint: String) async throws {
    try await post(
      "\(endpoint)/v1/\(Self.location)/jobs",
      [
        "name": .string("\(Self.location)/jobs/\(id)"), "schedule": .string(cron), "timeZone": "Etc/UTC",
        "httpTarget": ["uri": .string(url), "httpMethod": "POST"],
      ])
  }

  private func post(_ url: String, _ body: JSONValue) async throws {
    let request = HTTPClientRequest(
      method: .post, url: url, headers: [.contentType: "application/json"], body: body.encoded,
      timeout: .seconds(30))
    let response = try await client.send(request)
    guard (200..<300).contains(response.status) else {
      let answer = String(decoding: response.body.prefix(500), as: UTF8.self)
      throw JobError(.queueUnavailable, "The emulator answered \(response.status) to \(url): \(answer)")
    }
  }
}
#endif
