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
/// It has the subcommands of `cloud-jobs`, and what needs the jobs' code works too: `worker`, `serve`, `sync` and
/// `trigger`.
public enum JobCommand {
  /// The program that the command line is of; nil for the tool, which has no jobs.
  @TaskLocal static var program: JobProgram?

  /// The jobs of the program; nil for the tool, which has none.
  static var registry: JobRegistry? { program?.registry }

  /// Runs the command line of this process, and ends the process with an exit code if it fails.
  ///
  /// - Parameters:
  ///   - jobs: the program's jobs.
  ///   - store: the address of the store, such as `sqlite:jobs.db`, if neither `--store` nor the variable
  ///     `CLOUD_JOBS_STORE` names one.
  ///   - options: the options of the runtime, such as the payload codec, middleware and dependencies; `worker` and
  ///     `serve` read the settings of the environment over them.
  ///   - authentication: the authentication of the callers of `serve`; nil for this machine's programs over a file or a
  ///     database, and for Cloud Run's over Firestore.
  public static func main(
    _ jobs: JobRegistry, store: String? = nil, options: RuntimeOptions = RuntimeOptions(),
    authentication: Authentication? = nil
  ) async {
    await main(store: store, options: options, authentication: authentication) { jobs }
  }

  /// Runs the command line of this process with jobs that are made first; otherwise like
  /// ``main(_:store:options:authentication:)``.
  ///
  /// ```swift
  /// await JobCommand.main { try JobRegistry { PeriodicJob("cleanup", every: .seconds(30)) { _ in } } }
  /// ```
  ///
  /// - Parameters:
  ///   - store: the address of the store if nothing else names one.
  ///   - options: the options of the runtime.
  ///   - authentication: the authentication of the callers of `serve`.
  ///   - makeJobs: makes the program's jobs; its error is told in one line, and the exit code is 1.
  public static func main(
    store: String? = nil, options: RuntimeOptions = RuntimeOptions(), authentication: Authentication? = nil,
    _ makeJobs: () async throws -> JobRegistry
  ) async {
    StandardStreams.prepare()
    let jobs: JobRegistry
    do {
      jobs = try await makeJobs()
    } catch {
      Root.exit(withError: CommandFailure.report(error))
    }
    let program = JobProgram(registry: jobs, store: store, options: options, authentication: authentication)
    await $program.withValue(program) { await Root.main() }
  }

  /// The subcommands for stores and schedules.
  package static var subcommands: [any ParsableCommand.Type] {
    [
      CronCommand.self, StatusCommand.self, JobsCommand.self, RunsCommand.self, DeadLettersCommand.self,
      WorkersCommand.self, EnqueueCommand.self, TriggerCommand.self, MigrateCommand.self, DoctorCommand.self,
      WhyCommand.self, ForecastCommand.self, InitCommand.self, InfraCommand.self,
    ] + ofGoogle + ofServers
  }

  /// The subcommands that need the trait Google.
  private static var ofGoogle: [any ParsableCommand.Type] {
    #if Google
    [SyncCommand.self]
    #else
    []
    #endif
  }

  /// The subcommands that need the trait Server.
  private static var ofServers: [any ParsableCommand.Type] {
    #if Server
    [WorkerCommand.self, ServeCommand.self, DashboardCommand.self]
    #else
    []
    #endif
  }

  /// The command of a program, by the name of its executable, as help and completions show it.
  struct Root: AsyncParsableCommand {
    private static var programName: String? {
      CommandLine.arguments.first?.split(separator: "/").last.map { String($0) }
    }

    static let configuration = CommandConfiguration(
      commandName: programName, abstract: "Shows and changes the jobs and runs of a store, and executes them.",
      discussion: JobCommand.exitCodes, version: JobCommand.version, subcommands: JobCommand.subcommands)
  }

  /// The version of this package; there is no release yet.
  package static let version = "0.1.0-dev"

  /// The path under which `serve` has the handler.
  static let mountPath = "/jobs"

  /// What the exit codes mean.
  package static let exitCodes = """
    Exit codes: 0 done; 1 the store or another service failed; 2 what was named does not exist, or is not in a state \
    that allows it; 3 a forecast is above its budget; 64 the command line is wrong.
    """

  /// Returns the program, without which a command does nothing.
  ///
  /// - Parameter purpose: what the command needs the jobs' code for, such as "execute runs".
  /// - Returns: the program.
  /// - Throws: ``JobError`` `unknownJob` in the tool.
  static func program(to purpose: String) throws(JobError) -> JobProgram {
    guard let program else {
      throw JobError(
        .unknownJob,
        "This tool has no job's code to \(purpose). Run the command line of the program that has it: "
          + "JobCommand.main(jobs).")
    }
    return program
  }
}

/// A program with jobs, as its `main` describes it.
struct JobProgram: Sendable {
  var registry: JobRegistry
  /// The address of the store if nothing else names one.
  var store: String?
  var options: RuntimeOptions
  /// The authentication of the callers of `serve`; nil for the store's default.
  var authentication: Authentication?
}
