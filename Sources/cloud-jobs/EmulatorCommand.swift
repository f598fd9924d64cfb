#if Server && HTTP
import ArgumentParser
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsEmulatorServer
import Logging

/// The command `cloud-jobs emulator`.
struct EmulatorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "emulator",
    abstract: "Runs Cloud Tasks, Cloud Scheduler and Firestore on this machine, until it is interrupted.")

  @Option(help: "The address to listen at.")
  var host = "127.0.0.1"

  @Option(help: "The port to listen at; 0 lets the system choose.")
  var port: UInt16 = 8_123

  @Option(help: "A folder that keeps all state across restarts and crashes; without it, state is in memory.")
  var data: String?

  @Option(help: "A host besides this machine that deliveries may go to; * allows all. May be repeated.")
  var allowHost: [String] = []

  @Option(help: "Has a host and port stand for an address: worker.test:80=127.0.0.1. May be repeated.")
  var resolve: [String] = []

  @Option(help: "For how many seconds the name of a task that ended can't be used again.")
  var taskTombstone = 3_600

  @Option(help: "For how many seconds the name of a deleted queue can't be used again.")
  var queueTombstone = 259_200

  @Option(help: "A file of queues to begin with: a queue.yaml, or a JSON list of Cloud Tasks v2 Queue objects.")
  var queues: String?

  @Option(help: "Where queues of the file go whose names don't begin with projects/.")
  var queuesLocation = QueuesFile.defaultLocation

  @Option(help: "A firestore.indexes.json; queries that need another composite index are refused. Without it, none is.")
  var indexes: String?

  @Option(help: "Pushes a topic's messages: projects/P/topics/T=http://127.0.0.1:8080/push. May be repeated.")
  var push: [String] = []

  @Option(help: "What stands for App Engine, such as http://127.0.0.1:8080.")
  var appEngineOrigin: String?

  @Option(help: "What the OIDC tokens of deliveries say as their issuer; by default the emulator's own address.")
  var issuer: String?

  @Option(help: "Draws the names that clients leave to the services.")
  var seed: UInt64 = 0

  func validate() throws {
    guard taskTombstone >= 0, queueTombstone >= 0 else { throw ValidationError("A span can't be negative.") }
    for rule in resolve where rule.split(separator: "=", maxSplits: 1).count != 2 {
      throw ValidationError("--resolve takes host:port, an equals sign and an address; this is not: \(rule)")
    }
    for rule in push where rule.split(separator: "=", maxSplits: 1).count != 2 {
      throw ValidationError("--push takes a topic's name, an equals sign and a URL; this is not: \(rule)")
    }
  }

  func run() async throws {
    var configuration = EmulatorConfiguration()
    configuration.host = host
    configuration.port = Int(port)
    configuration.dataFolder = data.flatMap { $0.isEmpty ? nil : $0 }
    configuration.allowedHosts = allowHost
    configuration.seed = seed
    configuration.issuer = issuer
    configuration.tasks.taskTombstone = .seconds(taskTombstone)
    configuration.tasks.queueTombstone = .seconds(queueTombstone)
    configuration.tasks.appEngineOrigin = appEngineOrigin
    configuration.scheduler.appEngineOrigin = appEngineOrigin
    for rule in resolve {
      let parts = rule.split(separator: "=", maxSplits: 1)
      configuration.hostAddresses[String(parts[0])] = String(parts[1])
    }
    for rule in push {
      let parts = rule.split(separator: "=", maxSplits: 1)
      configuration.scheduler.pushEndpoints[String(parts[0])] = String(parts[1])
    }
    configuration.logger = Logger(label: "cloud-jobs.emulator") { StreamLogHandler.standardError(label: $0) }
    configuration.logger.logLevel = .warning
    if let queues {
      let file = try QueuesFile(parsing: try InputFile.text(at: queues, of: "--queues"), location: queuesLocation)
      for note in file.notes { configuration.logger.warning("\(queues): \(note)") }
      configuration.queues = file
    }
    if let indexes {
      configuration.indexes = try Firestore.IndexConfiguration(
        parsing: try InputFile.text(at: indexes, of: "--indexes"))
    }
    let lines = configuration
    configuration.onReady = { port in
      StandardOutput.write("cloud-jobs emulator is ready at http://\(lines.host):\(port)")
      for line in lines.environmentLines(port: port) { StandardOutput.write("export \(line)") }
      for line in lines.clientLines(port: port) { StandardOutput.write("# \(line)") }
    }
    try await EmulatorServer(configuration: configuration).runUntilSignal()
  }
}
#endif
