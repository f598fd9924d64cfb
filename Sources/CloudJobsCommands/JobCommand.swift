package import ArgumentParser
public import CloudJobs
import CloudJobsCore
import ProgramConsole

/// The command line for a store's jobs and runs.
///
/// A program with jobs gets it by one line:
///
/// ```swift
/// await JobCommand.main(jobs)
/// ```
///
/// It has the subcommands of `cloud-jobs`, and what needs the jobs' code works too.
public enum JobCommand {
  /// The jobs of the program; nil for the tool, which has none.
  @TaskLocal static var registry: JobRegistry?

  /// Runs the command line of this process, and ends the process with an exit code if it fails.
  ///
  /// - Parameter jobs: the program's jobs.
  public static func main(_ jobs: JobRegistry) async {
    StandardStreams.prepare()
    await $registry.withValue(jobs) { await Root.main() }
  }

  /// The subcommands for stores and schedules.
  package static var subcommands: [any ParsableCommand.Type] {
    [
      CronCommand.self, StatusCommand.self, JobsCommand.self, RunsCommand.self, DeadLettersCommand.self,
      WorkersCommand.self, TriggerCommand.self, MigrateCommand.self, ForecastCommand.self,
    ]
  }

  /// The command of a program.
  struct Root: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows and changes the jobs and runs of a store.", discussion: JobCommand.exitCodes,
      subcommands: JobCommand.subcommands)
  }

  /// What the exit codes mean.
  package static let exitCodes = """
    Exit codes: 0 done; 1 the store or another service failed; 2 what was named does not exist, or is not in a state \
    that allows it; 3 a forecast is above its budget; 64 the command line is wrong.
    """
}
