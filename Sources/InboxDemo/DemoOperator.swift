#if Server && HTTP && SQLite
import CloudJobs
import CloudJobsCore
import CloudJobsGoogle
import CloudJobsHTTP
import HTTPTypes
import ProgramConsole
import ServiceLifecycle

/// The demo's operator: synchronizes queues and scheduler jobs, triggers jobs with "run now", and ends the demo.
struct DemoOperator: Service {
  let demo: Demo
  let registry: JobRegistry
  let runtime: JobRuntime
  let queue: DeferredQueue
  let sync: DeferredSync
  let client: CurlHTTPClient
  let progress: ScanProgress
  let writer: ReportWriter
  let addresses: ServerAddresses

  /// The time to wait for a triggered report before it is triggered again.
  private static let reportTimeout = Duration.seconds(15)

  func run() async throws {
    try await cancelWhenGracefulShutdown {
      do {
        try await operate()
      } catch is CancellationError {
        return
      }
    }
  }

  private func operate() async throws {
    let (port, emulator) = try await addresses.both(demo.clock)
    let google = try demo.google(at: emulator, client)
    let tasks = CloudTasksConfiguration(
      project: google.project, location: "local", queue: "default", handler: "http://127.0.0.1:\(port)/jobs")
    var configuration = CloudSyncConfiguration(tasks)
    configuration.owner = "inbox-demo"
    configuration.queueSettings.maxConcurrentDispatches = 16
    let cloud = CloudSync(configuration, in: google)
    let plan = try await Retry.whileUnavailable { try await cloud.sync(registry, store: runtime.store) }
    for line in plan.description.split(separator: "\n") {
      Console.write("Sync: \(line).")
    }
    sync.connect(cloud)
    queue.connect(.cloudTasks(tasks, in: google))
    Console.write("The service listens at \(tasks.handler), the emulator at \(google.cloudTasks.endpoint).")
    let recovered = try await runtime.takeOver()
    if recovered > 0 { Console.write("Took over \(recovered) runs of a process that has ended.") }
    var isReported = false
    while true {
      try await demo.clock.sleep(until: demo.clock.now() + .seconds(1))
      do {
        try await fire(.master, cloud.configuration, google)
        demo.outages.worked(.emulator)
        guard !isReported, progress.isQuiet, try await !writer.isAnythingWaiting() else { continue }
        isReported = try await report(cloud.configuration, google)
      } catch let error where demo.emulator != nil && !(error is CancellationError) {
        // An emulator in another process may restart at any time: what it has lost is created again.
        demo.outages.failed(.emulator, ProgramFailure(error).description)
        _ = try? await cloud.sync(registry, store: runtime.store)
        continue
      }
      guard isReported else { continue }
      guard demo.stays else { return }
      Console.write("The inbox is done, the report is written. Serving until you press Ctrl-C.")
    }
  }

  /// Triggers the report's scheduler job, and waits until it has run.
  ///
  /// - Returns: whether it ran in time.
  private func report(_ configuration: CloudSyncConfiguration, _ google: GoogleCloud) async throws -> Bool {
    let begin = demo.clock.now()
    try await fire(DemoJobs.report, configuration, google)
    while demo.clock.now() < begin + Self.reportTimeout {
      let filter = RunFilter(job: DemoJobs.report, statuses: [.succeeded, .failed], createdFrom: begin)
      let reports = try await Retry.whileUnavailable {
        try await runtime.store.runs(matching: filter, after: nil, limit: 1).records
      }
      if !reports.isEmpty { return true }
      try await demo.clock.sleep(until: demo.clock.now() + .milliseconds(50))
    }
    return false
  }

  /// Calls "run now" on a Cloud Scheduler job.
  private func fire(_ job: JobID, _ configuration: CloudSyncConfiguration, _ google: GoogleCloud) async throws {
    try await post("\(google.cloudScheduler.endpoint)/v1/\(configuration.schedulerJobName(of: job)):run", [:])
  }

  private func post(_ url: String, _ body: JSONValue) async throws {
    let request = HTTPExchangeRequest(
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
