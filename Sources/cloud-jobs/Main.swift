import ArgumentParser
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
    commandName: "cloud-jobs", abstract: "Background jobs: tools for development.",
    subcommands: subcommands)

  private static var subcommands: [any ParsableCommand.Type] {
    #if Server && HTTP
    [EmulatorCommand.self]
    #else
    []
    #endif
  }
}
