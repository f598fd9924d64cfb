#if Server
import ArgumentParser
import CloudJobs
import CloudJobsCore
import CloudJobsServer
import CloudJobsStores
import ProgramConsole

#if Google
import CloudJobsGoogle
#endif

/// `worker`.
struct WorkerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker", abstract: "Executes what comes due in a store, until SIGTERM or Ctrl-C.",
    discussion: """
      It needs the jobs' code: use the command line of the program that has it. The settings of the environment apply. \
      After the signal, attempts have some seconds to end; the others are cancelled, and their runs continue elsewhere.
      """)

  @Option(help: "The largest number of attempts at once, 1 to 10,000; by default 64.") var concurrency: Int?
  @Option(help: "The worker's name in the list of workers; by default the host and the process.") var name: String?
  @OptionGroup var store: StoreOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard (1...10_000).contains(concurrency ?? 1) else {
      throw ValidationError("--concurrency is a number from 1 to 10,000.")
    }
  }

  func run() async throws {
    try await CommandFailure.reporting {
      let program = try JobCommand.program(to: "execute runs")
      let settings = try await JobSettings.load(over: JobSettings(runtime: program.options)).observed
      try await ProgramObservation.run(settings.server) { try await work(settings) }
    }
  }

  private func work(_ settings: JobSettings) async throws {
    let store = store.falling(back: settings.store)
    let runtime = try await store.runtime(creates: true, options: settings.runtime)
    guard runtime.needsWorker else {
      throw JobError(
        .invalidField, "Firestore's runs are delivered by Cloud Tasks, not taken by workers. Run `serve` instead.",
        field: "--store")
    }
    var configuration = settings.server
    var worker = configuration.worker ?? JobWorker.Options()
    worker.concurrency = concurrency ?? worker.concurrency
    worker.name = name ?? worker.name
    configuration.worker = worker
    let address = try store.address()
    // A subprocess of the worker for heavy work executes its attempt here, and ends.
    await runtime.runSubprocessAttempt()
    var state: [String: JSONValue] = [
      "state": "working", "store": .string("\(address)"), "concurrency": .integer(Int64(worker.concurrency)),
    ]
    state["name"] = worker.name.map { .string($0) }
    try output.show(.object(state)) { _, _ in ["Working on \(address). Stop it with Ctrl-C."] }
    try await JobRuntimeService(runtime, configuration).runUntilSignal()
    state["state"] = "stopped"
    try output.show(.object(state)) { _, _ in ["Stopped."] }
  }
}

/// `serve`.
struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Serves the program's jobs over HTTP, until SIGTERM or Ctrl-C.",
    discussion: """
      It needs the jobs' code: use the command line of the program that has it. Over a file or a database it executes \
      what comes due, too. Over Firestore, Cloud Tasks and Cloud Scheduler call it: give --location, --service-url and \
      --caller.
      """)

  @Option(help: "The address to listen at; the variable HOST if it is left out, or loopback.") var host: String?
  @Option(help: "The port, 0 to 65535, where 0 is any; the variable PORT if it is left out, or 8080.")
  var port: UInt16?
  #if Google
  @Flag(
    inversion: .prefixedNo,
    help: "Over Firestore: makes the queues and Cloud Scheduler jobs, at the start and with each housekeeping.")
  var sync = true
  @OptionGroup var cloud: CloudOptions
  #endif
  @OptionGroup var store: StoreOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    try await CommandFailure.reporting {
      let program = try JobCommand.program(to: "serve")
      let settings = try await JobSettings.load(over: JobSettings(runtime: program.options)).observed
      try await ProgramObservation.run(settings.server) { try await serve(program, settings) }
    }
  }

  private func serve(_ program: JobProgram, _ settings: JobSettings) async throws {
    var configuration = settings.server
    configuration.mountPath = JobCommand.mountPath
    configuration.host = host ?? configuration.host
    configuration.port = port.map { Int($0) } ?? configuration.port
    let options = store.falling(back: settings.store)
    let address = try options.address()
    let store = try await options.open(creates: true)
    guard store is any DueTimeStore else {
      return try await serveOnGoogle(program, store, at: address, settings.runtime, configuration)
    }
    let runtime = JobRuntime(
      program.registry, store: store, authentication: program.authentication ?? .trustLoopback,
      options: settings.runtime)
    try await serve(runtime, configuration, over: "\(address)")
  }

  private func serve(_ runtime: JobRuntime, _ configuration: JobServerConfiguration, over store: String) async throws {
    let path = configuration.mountPath
    try await JobServer(runtime, configuration: configuration) { [json = output.json] port in
      let state: JSONValue = ["state": "serving", "store": .string(store), "port": .integer(Int64(port))]
      StandardStreams.writeLine(json ? state.text : "Serving \(store) at port \(port), \(path). Stop it with Ctrl-C.")
    }.runUntilSignal()
    let state: JSONValue = ["state": "stopped", "store": .string(store)]
    try output.show(state) { _, _ in ["Stopped."] }
  }

  /// Serves over Firestore, where Cloud Tasks is the queue.
  private func serveOnGoogle(
    _ program: JobProgram, _ store: any JobStore, at address: StoreAddress, _ options: RuntimeOptions,
    _ configuration: JobServerConfiguration
  ) async throws {
    #if Google
    let resources = try cloud.configuration(for: address)
    try await CloudOptions.withGoogle(resources.tasks.project) { google in
      let sync = CloudSync(resources, in: google)
      var options = options
      if self.sync, options.onHousekeeping == nil {
        options.onHousekeeping = { documents throws(JobError) in _ = try await sync.sync(documents) }
      }
      let caller = resources.tasks.serviceAccount.map { [$0] } ?? []
      let authentication =
        program.authentication
        ?? .cloudRunIAM(audience: resources.tasks.tokenAudience, serviceAccounts: Set(caller))
      guard program.authentication != nil || !caller.isEmpty else {
        throw JobError(.invalidField, "Name the service account that calls this service.", field: "--caller")
      }
      let runtime = JobRuntime(
        program.registry, store: store, queue: .cloudTasks(resources.tasks, in: google),
        authentication: authentication, options: options)
      if self.sync { try await sync.sync(program.registry, store: store) }
      try await serve(runtime, configuration, over: "\(address)")
    }
    #endif
  }
}
#endif
