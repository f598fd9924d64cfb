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
      what comes due, too, and admits this machine's programs, or callers with the secret in CLOUD_JOBS_SERVER_SECRET. \
      Over Firestore, Cloud Tasks and Cloud Scheduler call it: give --location, --service-url and --caller.
      """)

  @Option(help: "The address to listen at; the variable HOST if it is left out, or loopback.") var host: String?
  @Option(help: "The port, 0 to 65535, where 0 is any; the variable PORT if it is left out, or 8080.")
  var port: UInt16?
  @Flag(
    inversion: .prefixedNo,
    help: "Has the dashboard at /dashboard; by default where only this machine is served, or with its password set.")
  var dashboard: Bool?
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
    if dashboard == false { configuration.dashboard = nil }
    if dashboard == true { configuration.dashboard = configuration.dashboard ?? .loopback }
    let options = store.falling(back: settings.store)
    let address = try options.address()
    if settings.secret != nil, program.authentication != nil {
      throw Self.uselessSecret("the program has an authentication of its own")
    }
    let store = try await options.open(creates: true)
    guard store is any DueTimeStore else {
      if settings.secret != nil { throw Self.uselessSecret("Google's tokens are the callers' credentials") }
      return try await serveOnGoogle(program, store, at: address, settings.runtime, configuration)
    }
    let runtime = JobRuntime(
      program.registry, store: store, authentication: program.authentication ?? settings.authentication,
      options: settings.runtime)
    let isLocal = !runtime.authentication.allowsRemotePeers
    if dashboard == nil, isLocal { configuration.dashboard = configuration.dashboard ?? .loopback }
    try await serve(runtime, configuration, over: "\(address)")
  }

  private static func uselessSecret(_ reason: String) -> JobError {
    JobError(
      .invalidField, "The secret has no effect here, as \(reason). Unset it.", field: "CLOUD_JOBS_SERVER_SECRET")
  }

  private func serve(_ runtime: JobRuntime, _ configuration: JobServerConfiguration, over store: String) async throws {
    let path = configuration.mountPath
    let dashboard = configuration.dashboard?.path
    try await JobServer(runtime, configuration: configuration) { [json = output.json] port in
      var state: [String: JSONValue] = [
        "state": "serving", "store": .string(store), "port": .integer(Int64(port)),
      ]
      state["dashboard"] = dashboard.map { .string($0) }
      let paths = path + (dashboard.map { ", with the dashboard at \($0)" } ?? "")
      StandardStreams.writeLine(
        json ? JSONValue.object(state).text : "Serving \(store) at port \(port), \(paths). Stop it with Ctrl-C.")
    }.runUntilSignal()
    let state: JSONValue = ["state": "stopped", "store": .string(store)]
    try output.show(state) { _, _ in ["Stopped."] }
  }

  #if Google
  /// Returns the authentication of Cloud Tasks' calls; nil without a calling account.
  ///
  /// An emulator calls the service itself, and its tokens are verified here; on Cloud Run, IAM has verified them.
  private static func authentication(of tasks: CloudTasksConfiguration, in google: GoogleCloud) -> Authentication? {
    guard let caller = tasks.serviceAccount else { return nil }
    guard google.cloudTasks.isEmulator else {
      return .cloudRunIAM(audience: tasks.tokenAudience, serviceAccounts: [caller])
    }
    let issuer = TokenIssuer.emulator(jwksURL: "\(google.cloudTasks.endpoint)/oauth2/v3/certs")
    return .oidc(audience: tasks.tokenAudience, serviceAccounts: [caller], issuer: issuer, client: google.client)
  }
  #endif

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
      guard let authentication = program.authentication ?? Self.authentication(of: resources.tasks, in: google) else {
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
