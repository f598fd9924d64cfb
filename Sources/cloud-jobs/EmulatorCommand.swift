#if Server && HTTP
import ArgumentParser
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsEmulatorServer
import Logging
import ProgramConsole

/// The command `cloud-jobs emulator`.
struct EmulatorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "emulator",
    abstract: "Runs Cloud Tasks, Cloud Scheduler and Firestore on this machine, until it is interrupted.")

  @Option(help: "The address to listen at, such as 127.0.0.1; any but a loopback address admits other machines.")
  var host = "127.0.0.1"

  @Option(help: "The port to listen at, 0 to 65535; 0 lets the system choose.")
  var port: UInt16 = 8_123

  @Option(help: "A folder that keeps all state across restarts and crashes; without it, state is in memory.")
  var data: String?

  @Option(help: "A host besides this machine that deliveries may go to; * allows all. May be repeated.")
  var allowHost: [String] = []

  @Option(help: "Resolves a host and port to an address: worker.test:80=127.0.0.1. May be repeated.")
  var resolve: [String] = []

  @Option(help: "The number of seconds for which the name of a completed task can't be reused.")
  var taskTombstone = 3_600

  @Option(help: "The number of seconds for which the name of a deleted queue can't be reused.")
  var queueTombstone = 259_200

  @Option(help: "A file of initial queues: a queue.yaml, or a JSON list of Cloud Tasks v2 Queue objects.")
  var queues: String?

  @Option(
    help: ArgumentHelp(
      "The location of queues whose names don't begin with projects/; by default \(QueuesFile.defaultLocation)."
    ))
  var queuesLocation: String?

  @Option(help: "A firestore.indexes.json; queries that need another composite index are refused. Without it, none is.")
  var indexes: String?

  @Option(help: "Pushes a topic's messages: projects/P/topics/T=http://127.0.0.1:8080/push. May be repeated.")
  var push: [String] = []

  @Option(help: "The origin that replaces App Engine, such as http://127.0.0.1:8080.")
  var appEngineOrigin: String?

  @Option(help: "The issuer of the deliveries' OIDC tokens; by default the emulator's own address.")
  var issuer: String?

  @Flag(
    inversion: .prefixedNo,
    help: "Serves a dashboard at /_emulator/dashboard; by default only if the address is a loopback one.")
  var dashboard: Bool?

  @Option(help: "The seed of the names that services generate.")
  var seed: UInt64 = 0

  func validate() throws {
    do throws(JobError) {
      try configuration().validate()
    } catch {
      throw ValidationError(ProgramFailure(error).description)
    }
    if queuesLocation != nil, queues == nil {
      throw ValidationError("--queues-location has no effect without --queues. Leave it out, or name a file of queues.")
    }
  }

  func run() async throws {
    do {
      var configuration = try configuration()
      configuration.logger = Logger(label: "cloud-jobs.emulator") { StreamLogHandler.standardError(label: $0) }
      configuration.logger.logLevel = .warning
      try readFiles(into: &configuration)
      let lines = configuration
      configuration.onReady = { port in
        StandardStreams.writeLine("cloud-jobs emulator is ready at http://\(lines.host):\(port)")
        for line in lines.environmentLines(port: port) { StandardStreams.writeLine("export \(line)") }
        for line in lines.clientLines(port: port) { StandardStreams.writeLine("# \(line)") }
        if lines.hasDashboard { StandardStreams.writeLine("# Dashboard: \(lines.dashboardURL(port: port))") }
      }
      try await EmulatorServer(configuration: configuration).runUntilSignal()
    } catch {
      throw ProgramFailure(error)
    }
  }

  /// Returns the configuration of the options, without the files that they name.
  private func configuration() throws(JobError) -> EmulatorConfiguration {
    var configuration = EmulatorConfiguration()
    configuration.host = host
    configuration.port = Int(port)
    configuration.dataFolder = data.flatMap { $0.isEmpty ? nil : $0 }
    configuration.allowedHosts = allowHost
    configuration.seed = seed
    configuration.issuer = issuer
    configuration.dashboard = dashboard
    configuration.tasks.taskTombstone = .seconds(taskTombstone)
    configuration.tasks.queueTombstone = .seconds(queueTombstone)
    configuration.tasks.appEngineOrigin = appEngineOrigin
    configuration.scheduler.appEngineOrigin = appEngineOrigin
    configuration.hostAddresses = try Self.pairs(resolve, of: "--resolve", form: "host:port=address")
    configuration.scheduler.pushEndpoints = try Self.pairs(push, of: "--push", form: "topic=URL")
    return configuration
  }

  private func readFiles(into configuration: inout EmulatorConfiguration) throws(JobError) {
    if let queues {
      let file = try InputFile.read(queues, of: "--queues") { (text) throws(JobError) in
        try QueuesFile(parsing: text, location: queuesLocation ?? QueuesFile.defaultLocation)
      }
      for note in file.notes { configuration.logger.warning("\(queues): \(note)") }
      configuration.queues = file
    }
    if let indexes {
      configuration.indexes = try InputFile.read(indexes, of: "--indexes") { (text) throws(JobError) in
        try Firestore.IndexConfiguration(parsing: text)
      }
    }
  }

  /// Parses rules into names and values, each name once.
  private static func pairs(_ rules: [String], of option: String, form: String) throws(JobError) -> [String: String] {
    var pairs = [String: String]()
    for rule in rules {
      let parts = rule.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else {
        throw JobError(.invalidField, "\"\(rule)\" has no equals sign. Give \(form).", field: option)
      }
      guard pairs.updateValue(String(parts[1]), forKey: String(parts[0])) == nil else {
        throw JobError(.invalidField, "\(parts[0]) is given twice. Remove one of the two.", field: option)
      }
    }
    return pairs
  }
}
#endif
