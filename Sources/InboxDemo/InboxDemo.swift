#if Server && HTTP && SQLite
import ArgumentParser
import CloudJobs
import CloudJobsCore
import CloudJobsServer
import CloudJobsStores
import Foundation
import ProgramConsole

/// The entry point, which prepares the standard streams before it runs the command.
@main
enum Main {
  static func main() async {
    StandardStreams.prepare()
    await InboxDemo.main()
  }
}

/// Processes a folder of files with three jobs, an SQLite file and an emulated Google Cloud.
struct InboxDemo: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inbox-demo",
    abstract: "Processes a folder of files: a periodic job finds them, an endpoint job ingests each, a scheduled job "
      + "writes a report.",
    discussion: "Exit code 0: all that was asked for is done, or waits in the data folder for the next start. "
      + "1: something was lost or can't be read, or the demo could not run. 64: an invalid option.")

  @Option(help: "The folder to process; by default a small one is created in the data folder.")
  var inbox: String?

  @Option(help: "The folder for the database and report.json.")
  var data = ".data"

  @Option(help: "The service's port, 0 to 65535; 0 for a free one. Defaults to the variable PORT.")
  var port: UInt16?

  @Option(help: "The emulator's port, 0 to 65535; 0 for a free one.")
  var emulatorPort: UInt16 = 0

  @Option(help: "The store: sqlite, firestore in the emulator that --emulator names, or postgres://user@host/database.")
  var store = DemoStore.sqlite

  @Option(help: "The queue that delivers runs: cloud-tasks.")
  var queue = DemoQueue.cloudTasks

  @Option(
    help:
      "The address of an emulator in another process, such as 127.0.0.1:8085; by default one is started here."
  )
  var emulator: String?

  @Option(help: "A folder for the emulator's own state; by default it is in memory.")
  var emulatorData: String?

  @Flag(help: "Keep serving after the inbox is processed.")
  var stay = false

  private var environment: [String: String] { ProcessInfo.processInfo.environment }
  /// The address of the other emulator; the Makefile passes an empty one for none.
  private var address: String? { emulator.flatMap { $0.isEmpty ? nil : $0 } }

  func validate() throws {
    guard let address else {
      if store == .firestore {
        throw ValidationError("--store firestore needs an emulator in another process. Name it by --emulator.")
      }
      return
    }
    let hostAndPort = address.hasPrefix("http://") ? address.dropFirst(7) : address[...]
    guard let parts = HostName.split(hostAndPort), parts.port != 0 else {
      throw ValidationError("--emulator takes a host and a port, such as 127.0.0.1:8085.")
    }
    if emulatorPort != 0 || emulatorData?.isEmpty == false {
      throw ValidationError("--emulator-port and --emulator-data have no effect with --emulator. Leave them out.")
    }
  }

  func run() async throws {
    let isWhole: Bool
    do {
      let variable = environment["PORT"].flatMap { $0.isEmpty ? nil : $0 } ?? "0"
      let port = try port.map { Int($0) } ?? JobServerConfiguration(environment: ["PORT": variable]).port ?? 0
      let folder = try DataFolder(path: data.isEmpty ? ".data" : data)
      let demo = try Demo(
        inbox: inbox.flatMap { $0.isEmpty ? nil : $0 }, folder: folder, port: port, emulatorPort: Int(emulatorPort),
        emulatorData: emulatorData.flatMap { $0.isEmpty ? nil : $0 }, emulator: address, storage: store, stays: stay)
      isWhole = try await demo.run()
    } catch let error as StoreError {
      throw ProgramFailure(error.message + (error.nativeCode.map { " [\($0)]" } ?? ""))
    } catch {
      throw ProgramFailure(error)
    }
    if !isWhole { throw ExitCode.failure }
  }
}

/// The store of the demo's documents and runs.
enum DemoStore: Hashable, Sendable, ExpressibleByArgument {
  /// An SQLite file in the data folder.
  case sqlite
  /// A PostgreSQL database.
  case postgres(StoreAddress)
  /// Cloud Firestore, in an emulator in another process.
  case firestore

  init?(argument: String) {
    switch argument {
    case "sqlite": self = .sqlite
    case "firestore": self = .firestore
    default:
      guard let address = try? StoreAddress(argument), case .postgres = address.kind else { return nil }
      self = .postgres(address)
    }
  }

  var defaultValueDescription: String { "sqlite" }
}

/// The queue that delivers the demo's runs.
enum DemoQueue: String, ExpressibleByArgument, CaseIterable {
  /// Cloud Tasks, in an emulator.
  case cloudTasks = "cloud-tasks"
}
#else
import ProgramConsole

/// The demo needs the package's default traits.
@main
enum InboxDemo {
  static func main() {
    Console.write("The demo was built without the traits Server, HTTP and SQLite. Build it with the default traits.")
  }
}
#endif
