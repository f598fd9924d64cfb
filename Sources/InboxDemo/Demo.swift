#if Server && HTTP && SQLite
import CloudJobs
import CloudJobsCore
import CloudJobsEmulatorServer
import CloudJobsGoogle
import CloudJobsHTTP
import CloudJobsSQLite
import CloudJobsServer
import Foundation
import Logging
import ServiceLifecycle

/// The service on its store, and the emulator beside it in one process or in another; between them is only HTTP.
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
  let troubles: TroubleBoard

  /// A demo over a folder.
  ///
  /// - Throws: ``JobError`` where the inbox is no folder that can be read.
  init(
    inbox path: String?, folder: DataFolder, port: Int, emulatorPort: Int, emulatorData: String?,
    emulator: String?, storage: DemoStore, stays: Bool
  ) throws {
    if path == nil { try DefaultInbox.make(at: folder.defaultInbox) }
    let path = path ?? folder.defaultInbox.path
    guard let root = realpath(path, nil) else {
      throw JobError(.invalidField, "The inbox \(path) is not there. Name a folder that exists.", field: "--inbox")
    }
    defer { free(root) }
    inbox = Inbox(root: String(cString: root), excluded: folder.url.resolvingSymlinksInPath().path)
    guard inbox.isReadableFolder else {
      throw JobError(.invalidField, "The inbox \(path) is no folder that can be read.", field: "--inbox")
    }
    self.folder = folder
    self.port = port
    self.emulatorPort = emulatorPort
    self.emulator = emulator
    self.storage = storage
    self.emulatorData = emulatorData
    self.stays = stays
    troubles = TroubleBoard(clock: clock)
  }

  /// Runs until the inbox is done, or until a signal comes.
  ///
  /// - Returns: whether all that the store holds can be read and reported.
  func run() async throws -> Bool {
    let file = storage == .sqlite ? try SQLiteStore(path: folder.database) : nil
    return try await withHTTPClient { client in
      let store: any JobStore = try file ?? .firestore(google(at: emulator ?? "", client))
      return try await run(on: store.watched(by: troubles), client)
    }
  }

  private func run(on store: any JobStore, _ client: HTTPClient) async throws -> Bool {
    let start = clock.now()
    let board = ScanBoard()
    let writer = ReportWriter(store: store, inbox: inbox.root, file: folder.report, board: board)
    let registry = try DemoJobs.registry(inbox: inbox, board: board) { try await writer.write() }
    let queue = DeferredQueue()
    let sync = DeferredSync()
    var options = RuntimeOptions()
    options.logger = Self.quietLogger("cloud-jobs")
    options.housekeeping = .minutes(1)
    options.onHousekeeping = { documents throws(JobError) in try await sync.run(documents) }
    let runtime = try await JobRuntime(
      registry, store: store, queue: queue, authentication: .trustLoopback, options: options)
    let events = runtime.events.stream(buffering: 100_000)
    let timeline = Timeline(board: board, start: start)
    let ports = PortBoard()
    let director = Director(
      demo: self, registry: registry, runtime: runtime, queue: queue, sync: sync, client: client, board: board,
      writer: writer, ports: ports)
    Console.write("The inbox is \(Console.printable(inbox.root)); data and report.json are in \(folder.url.path).")
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { await timeline.run(events, clock: clock) }
      var configuration = JobServerConfiguration(port: port)
      // The emulator's connections are closed after those of the service.
      configuration.drainLimit = .seconds(5)
      try await JobServer.runUntilSignal(
        services(runtime, configuration, ports, director), draining: runtime, configuration,
        logger: Self.quietLogger("lifecycle"))
      await runtime.drain(within: .zero)
      try await tasks.waitForAll()
    }
    return try await Summary(writer: writer, store: store, report: folder.report, start: start).show()
  }

  /// Google Cloud in an emulator.
  ///
  /// - Throws: ``JobError`` where the address is none.
  func google(at emulator: String, _ client: HTTPClient) throws(JobError) -> GoogleCloud {
    try GoogleCloud(emulator: emulator, project: "demo", client: client, clock: clock)
  }

  private func services(
    _ runtime: JobRuntime, _ configuration: JobServerConfiguration, _ ports: PortBoard, _ director: Director
  ) -> [ServiceGroupConfiguration.ServiceConfiguration] {
    let server = JobServer(runtime, configuration: configuration) { port in ports.set(service: port) }
    var services: [ServiceGroupConfiguration.ServiceConfiguration] = []
    if let emulator {
      ports.set(emulator: emulator)
    } else {
      var emulator = EmulatorConfiguration()
      emulator.port = emulatorPort
      emulator.dataFolder = emulatorData
      emulator.logger = Self.quietLogger("cloud-jobs.emulator")
      emulator.onReady = { port in ports.set(emulator: "127.0.0.1:\(port)") }
      services.append(
        .init(service: EmulatorServer(configuration: emulator), failureTerminationBehavior: .gracefullyShutdownGroup))
    }
    return services + [
      .init(service: server, failureTerminationBehavior: .gracefullyShutdownGroup),
      .init(
        service: director, successTerminationBehavior: .gracefullyShutdownGroup,
        failureTerminationBehavior: .gracefullyShutdownGroup),
    ]
  }

  /// A log of what goes wrong only: the timeline tells the rest.
  private static func quietLogger(_ label: String) -> Logger {
    var logger = Logger(label: label) { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = .critical
    return logger
  }
}
#endif
