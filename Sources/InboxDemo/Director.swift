#if Server && HTTP && SQLite
import CloudJobs
import CloudJobsCore
import CloudJobsGoogle
import CloudJobsHTTP
import HTTPTypes
import ProgramConsole
import ServiceLifecycle

/// What an operator would do: syncs queue and scheduler jobs with the registry, presses "run now" so that nobody has to
/// wait for the next minute, and ends the demo when the inbox is done.
struct Director: Service {
  let demo: Demo
  let registry: JobRegistry
  let runtime: JobRuntime
  let queue: DeferredQueue
  let sync: DeferredSync
  let client: HTTPClient
  let board: ScanBoard
  let writer: ReportWriter
  let ports: PortBoard

  /// How long a fired report is waited for before it is fired again.
  private static let patience = Duration.seconds(15)

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
    let (port, emulator) = try await ports.both(demo.clock)
    let google = try demo.google(at: emulator, client)
    let tasks = CloudTasksConfiguration(
      project: google.project, location: "local", queue: "default", handler: "http://127.0.0.1:\(port)/jobs")
    var configuration = CloudSyncConfiguration(tasks)
    configuration.owner = "inbox-demo"
    configuration.queueSettings.maxConcurrentDispatches = 16
    let cloud = CloudSync(configuration, in: google)
    let plan = try await Patience.insist { try await cloud.sync(registry, store: runtime.store) }
    for line in plan.description.split(separator: "\n") {
      Console.write("Sync: \(line).")
    }
    sync.connect(cloud)
    queue.connect(.cloudTasks(tasks, in: google))
    Console.write("The service listens at \(tasks.handler), the emulator at \(google.cloudTasks.endpoint).")
    let recovered = try await runtime.takeOver()
    if recovered > 0 { Console.write("Took over \(recovered) runs of a process that had ended before them.") }
    var isReported = false
    while true {
      try await demo.clock.sleep(until: demo.clock.now() + .seconds(1))
      do {
        try await fire(.master, cloud.configuration, google)
        demo.troubles.worked(.emulator)
        guard !isReported, board.isQuiet, try await !writer.isAnythingWaiting() else { continue }
        isReported = try await report(cloud.configuration, google)
      } catch let error where demo.emulator != nil && !(error is CancellationError) {
        // An emulator in another process may be restarted at any time: what it has lost is made again.
        demo.troubles.failed(.emulator, ProgramFailure(error).description)
        _ = try? await cloud.sync(registry, store: runtime.store)
        continue
      }
      guard isReported else { continue }
      guard demo.stays else { return }
      Console.write("The inbox is done, the report is written. Serving until you press Ctrl-C.")
    }
  }

  /// Fires the report's scheduler job, and waits until it has run.
  ///
  /// - Returns: whether it has run in time.
  private func report(_ configuration: CloudSyncConfiguration, _ google: GoogleCloud) async throws -> Bool {
    let begin = demo.clock.now()
    try await fire(DemoJobs.report, configuration, google)
    while demo.clock.now() < begin + Self.patience {
      let filter = RunFilter(job: DemoJobs.report, statuses: [.succeeded, .failed], createdFrom: begin)
      let reports = try await Patience.insist {
        try await runtime.store.runs(matching: filter, after: nil, limit: 1).records
      }
      if !reports.isEmpty { return true }
      try await demo.clock.sleep(until: demo.clock.now() + .milliseconds(50))
    }
    return false
  }

  /// Presses "run now" on a job of Cloud Scheduler.
  private func fire(_ job: JobID, _ configuration: CloudSyncConfiguration, _ google: GoogleCloud) async throws {
    try await post("\(google.cloudScheduler.endpoint)/v1/\(configuration.schedulerJobName(of: job)):run", [:])
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
