#if Server && HTTP && SQLite
import ArgumentParser
import CloudJobsCore
import CloudJobsServer
import Foundation

/// Processes a folder of files with three jobs, an SQLite file and an emulated Google Cloud beside them.
@main
struct InboxDemo: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inbox-demo",
    abstract: "Processes a folder of files: a periodic job finds them, an endpoint job ingests each, a scheduled job "
      + "writes a report.")

  @Option(help: "The folder to process; a small one is made in the data folder when none is given.")
  var inbox: String?

  @Option(help: "The folder for the database and report.json.")
  var data = ".data"

  @Option(help: "The service's port; 0 takes a free one. Without it the variable PORT counts.")
  var port: Int?

  @Option(help: "The emulator's port; 0 takes a free one.")
  var emulatorPort = 0

  @Option(help: "Where documents and runs live: sqlite, or firestore in the emulator that --emulator names.")
  var store = DemoStore.sqlite

  @Option(help: "What delivers runs: cloud-tasks.")
  var queue = DemoQueue.cloudTasks

  @Option(
    help: "The address of an emulator in another process, such as 127.0.0.1:8085; without it one is started here.")
  var emulator: String?

  @Option(help: "A folder for the emulator's own state; in memory when none is given.")
  var emulatorData: String?

  @Flag(help: "Keep serving when the inbox is done.")
  var stay = false

  private var environment: [String: String] { ProcessInfo.processInfo.environment }

  func run() async throws {
    do {
      let port = try port ?? JobServerConfiguration(environment: ["PORT": "0"].merging(environment) { $1 }).port ?? 0
      let folder = try DataFolder(path: data.isEmpty ? ".data" : data)
      let demo = try Demo(
        inbox: inbox.flatMap { $0.isEmpty ? nil : $0 }, folder: folder, port: port, emulatorPort: emulatorPort,
        emulatorData: emulatorData, emulator: emulator.flatMap { $0.isEmpty ? nil : $0 }, storage: store, stays: stay)
      try await demo.run()
    } catch let error as JobError {
      throw ValidationError("\(error.message)" + (error.field.map { " (\($0))" } ?? ""))
    }
  }
}
#else
/// The demo needs the package's default traits.
@main
enum InboxDemo {
  static func main() {
    Console.write("The demo was built without the traits Server, HTTP and SQLite. Build it with the default traits.")
  }
}
#endif
