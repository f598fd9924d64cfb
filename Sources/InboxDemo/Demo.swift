#if Server && HTTP && SQLite
import CloudJobs
import CloudJobsCore
import CloudJobsEmulatorServer
import CloudJobsGoogle
import CloudJobsHTTP
import CloudJobsServer
import CloudJobsStores
import Foundation
import Logging
import ServiceLifecycle

/// The service on its store with the emulator, in the same or another process; they communicate over HTTP only.
struct Demo {
  let inbox: Inbox
  let folder: DataFolder
  let port: Int
  let emulatorPort: Int
  /// The address of an emulator in another process.
  let emulator: String?
  let storage: DemoStore
  let emulatorData: String?
  let stays: Bool
  let clock = SystemClock()
  let outages: OutageReporter

  /// Creates a demo for an inbox and a data folder.
  ///
  /// - Throws: ``JobError`` if the inbox is not a readable folder.
  init(
    inbox path: String?, folder: DataFolder, port: Int, emulatorPort: Int, emulatorData: String?,
    emulator: String?, storage: DemoStore, stays: Bool
  ) throws {
    if path == nil { try DefaultInbox.make(at: folder.defaultInbox) }
    let path = path ?? folder.defaultInbox.path
    guard let root = realpath(path, nil) else {
      throw JobError(.invalidField, "The inbox \(path) does not exist. Name an existing folder.", field: "--inbox")
    }
    defer { free(root) }
    inbox = Inbox(root: String(cString: root), excluded: folder.url.resolvingSymlinksInPath().path)
    guard inbox.isReadableFolder else {
      throw JobError(.invalidField, "The inbox \(path) is not a readable folder. Name another one.", field: "--inbox")
    }
    self.folder = folder
    self.port = port
    self.emulatorPort = emulatorPort
    self.emulator = emulator
    self.storage = storage
    self.emulatorData = emulatorData
    self.stays = stays
    outages = OutageReporter(clock: clock)
  }

  /// Runs until the inbox is processed, or until a signal.
  ///
  /// - Returns: whether everything in the store could be read and reported.
  func run() async throws -> Bool {
    let address: StoreAddress? =
      switch storage {
      case .sqlite: try StoreAddress("sqlite:\(folder.database)")
      case .postgres(let address): address
      case .firestore: nil
      }
    let local = try await address?.open()
    return try await withCurlHTTPClient { client in
      let store: any JobStore = try local ?? .firestore(google(at: emulator ?? "", client))
      return try await run(on: store.reportingOutages(to: outages), client)
    }
  }

  private func run(on store: any JobStore, _ client: CurlHTTPClient) async throws -> Bool {
    let start = clock.now()
    let progress = ScanProgress()
    let writer = ReportWriter(store: store, inbox: inbox.root, file: folder.report, progress: progress)
    let registry = try DemoJobs.registry(inbox: inbox, progress: progress) { try await writer.write() }
    let queue = DeferredQueue()
    let sync = DeferredSync()
    var options = RuntimeOptions()
    options.logger = Self.quietLogger("cloud-jobs")
    options.housekeeping = .minutes(1)
    options.onHousekeeping = { documents throws(JobError) in try await sync.run(documents) }
    let runtime = JobRuntime(
      registry, store: store, queue: queue, authentication: .trustLoopback, options: options)
    let events = runtime.events.stream(buffering: 100_000)
    let printer = EventPrinter(progress: progress, start: start)
    let addresses = ServerAddresses()
    let demoOperator = DemoOperator(
      demo: self, registry: registry, runtime: runtime, queue: queue, sync: sync, client: client, progress: progress,
      writer: writer, addresses: addresses)
    Console.write("The inbox is \(Console.printable(inbox.root)); data and report.json are in \(folder.url.path).")
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { await printer.run(events, clock: clock) }
      var configuration = JobServerConfiguration(port: port)
      // The emulator's connections close after those of the service.
      configuration.drainLimit = .seconds(5)
      try await JobServer.runUntilSignal(
        services(runtime, configuration, addresses, demoOperator), draining: runtime, configuration,
        logger: Self.quietLogger("lifecycle"))
      await runtime.drain(within: .zero)
      try await tasks.waitForAll()
    }
    return try await Summary(writer: writer, store: store, report: folder.report, start: start).show()
  }

  /// Returns Google Cloud in an emulator.
  ///
  /// - Throws: ``JobError`` if the address is invalid.
  func google(at emulator: String, _ client: CurlHTTPClient) throws(JobError) -> GoogleCloud {
    try GoogleCloud(emulator: emulator, project: "demo", client: client, clock: clock)
  }

  private func services(
    _ runtime: JobRuntime, _ configuration: JobServerConfiguration, _ addresses: ServerAddresses,
    _ demoOperator: DemoOperator
  ) -> [ServiceGroupConfiguration.ServiceConfiguration] {
    let server = JobServer(runtime, configuration: configuration) { port in addresses.set(service: port) }
    var services: [ServiceGroupConfiguration.ServiceConfiguration] = []
    if let emulator {
      addresses.set(emulator: emulator)
    } else {
      var emulator = EmulatorConfiguration()
      emulator.port = emulatorPort
      emulator.dataFolder = emulatorData
      emulator.logger = Self.quietLogger("cloud-jobs.emulator")
      emulator.onReady = { port in addresses.set(emulator: "127.0.0.1:\(port)") }
      services.append(
        .init(service: EmulatorServer(configuration: emulator), failureTerminationBehavior: .gracefullyShutdownGroup))
    }
    return services + [
      .init(service: server, failureTerminationBehavior: .gracefullyShutdownGroup),
      .init(
        service: demoOperator, successTerminationBehavior: .gracefullyShutdownGroup,
        failureTerminationBehavior: .gracefullyShutdownGroup),
    ]
  }

  /// Returns a logger for critical errors only; the event printer reports the rest.
  private static func quietLogger(_ label: String) -> Logger {
    var logger = Logger(label: label) { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = .critical
    return logger
  }
}
#endif
