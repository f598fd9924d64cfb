import ArgumentParser

/// The command `cloud-jobs`.
@main
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
