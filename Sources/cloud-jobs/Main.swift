import ArgumentParser
import CloudJobsCommands
import ProgramConsole

/// The entry point, which prepares the standard streams before it runs the command.
@main
enum Main {
  static func main() async {
    StandardStreams.prepare()
    await CloudJobsCommand.main()
  }
}

/// The command `cloud-jobs`.
struct CloudJobsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cloud-jobs", abstract: "Background jobs: their stores, their schedules, and an emulator of Google's.",
    discussion: JobCommand.exitCodes, version: JobCommand.version, subcommands: JobCommand.subcommands + own)

  private static var own: [any ParsableCommand.Type] {
    #if Server && HTTP
    [EmulatorCommand.self]
    #else
    []
    #endif
  }
}
