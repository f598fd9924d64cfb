import CloudJobsCore

/// The files of a new package: pure.
///
/// `Examples/starter` is such a package, which the tests of this one build and run.
struct StarterPackage {
  /// A file of the package.
  struct File {
    /// Its path within the package.
    var path: String
    /// Its contents.
    var text: String
  }

  /// Where the package gets this one from.
  enum Dependency {
    /// A folder.
    case path(String)
    /// A branch of a repository.
    case repository(url: String, branch: String)
  }

  /// The name of the package and its program.
  let name: String
  private let dependency: Dependency

  /// Creates a package.
  ///
  /// - Parameters:
  ///   - name: its name: letters, digits, `_` and `-`, the first a letter.
  ///   - dependency: where it gets this one from.
  /// - Throws: ``JobError`` `invalidField` for another name.
  init(name: String, _ dependency: Dependency) throws(JobError) {
    guard Self.name(of: name) == name else {
      throw JobError(
        .invalidField, "A package's name has letters, digits, _ and -, and begins with a letter.", field: "--name")
    }
    (self.name, self.dependency) = (name, dependency)
  }

  /// Returns the name of a package in a folder: the folder's, without what a name can't have.
  static func name(of folder: String) -> String {
    let plain = folder.split(separator: "/").last ?? ""
    let name = String(
      plain.map { $0.isASCII && ($0.isLetter || $0.isNumber) || $0 == "_" || $0 == "-" ? $0 : "_" }.prefix(64))
    return name.first?.isLetter == true ? name : "jobs_\(name)"
  }

  /// The name of the program's module.
  private var module: String { name.replacing("-", with: "_") }

  /// The files.
  var files: [File] {
    [
      File(path: "Package.swift", text: manifest),
      File(path: "Sources/\(name)/Jobs.swift", text: jobs),
      File(path: "Sources/\(name)/Main.swift", text: main),
      File(path: "Tests/\(name)Tests/JobsTests.swift", text: tests),
      File(path: "README.md", text: readme),
      File(path: "Dockerfile", text: dockerfile),
      File(path: ".dockerignore", text: ignored),
      File(path: ".gitignore", text: ignored),
    ]
  }

  /// Returns the commands to begin with.
  ///
  /// - Parameter folder: the folder, unless it is the working one.
  /// - Returns: a command a line.
  func firstSteps(in folder: String?) -> [String] {
    (folder.map { ["cd \($0)"] } ?? []) + [
      "swift test        # the first build takes some minutes",
      "swift run \(name) serve",
      "swift run \(name) enqueue greet --input '{\"name\": \"Ada\"}'   # in another terminal",
      "swift run \(name) status",
    ]
  }

  // MARK: Contents

  /// The name by which targets name this package.
  private var packageName: String {
    guard case .repository(let url, _) = dependency else { return "swift-cloud-jobs" }
    let last = String(url.split(separator: "/").last ?? "swift-cloud-jobs")
    return last.hasSuffix(".git") ? String(last.dropLast(4)) : last
  }

  /// The folder that the package gets this one from; nil if it is a repository.
  var localPath: String? { if case .path(let path) = dependency { path } else { nil } }

  private var requirement: String {
    switch dependency {
    case .path(let path): "name: \"\(packageName)\", path: \"\(path)\""
    case .repository(let url, let branch): "url: \"\(url)\", branch: \"\(branch)\""
    }
  }

  private var manifest: String {
    """
    // swift-tools-version: 6.2
    import PackageDescription

    let package = Package(
      name: "\(name)",
      platforms: [.macOS(.v15)],
      dependencies: [
        // Add the trait "PostgreSQL" for a database, and "Google" for Google Cloud.
        .package(
          \(requirement),
          traits: ["Server", "SQLite"])
      ],
      targets: [
        .executableTarget(
          name: "\(name)",
          dependencies: [.product(name: "CloudJobsCommands", package: "\(packageName)")]),
        .testTarget(
          name: "\(name)Tests",
          dependencies: ["\(name)", .product(name: "CloudJobsTesting", package: "\(packageName)")]),
      ]
    )

    """
  }

  private var main: String {
    """
    import CloudJobsCommands

    @main
    enum Main {
      static func main() async {
        await JobCommand.main(store: "sqlite:jobs.db") { try makeJobs() }
      }
    }

    """
  }

  private var jobs: String {
    """
    import CloudJobsCommands

    /// The input of the job `greet`: the contract between the job and its callers, which the compiler checks.
    struct Greeting: JobInput {
      static let jobID: JobID = "greet"
      var name: String
    }

    /// Returns the jobs of this program.
    func makeJobs() throws -> JobRegistry {
      try JobRegistry {
        EndpointJob(Greeting.self) { greeting, context in
          // The run id is the same in every attempt: the key that makes outside effects idempotent.
          context.logger.notice("Hello, \\(greeting.name)! This is run \\(context.runID).")
        }
        .retry(RetryPolicy(maxAttempts: 5, backoff: .fixed(.seconds(2))))

        ScheduledJob("good_morning", cron: "0 9 * * *", in: "Europe/Berlin") { context in
          try await context.enqueue(Greeting(name: "world"))
        }
      }
    }

    """
  }

  private var tests: String {
    """
    import CloudJobsTesting
    import Testing

    @testable import \(module)

    @Suite("Jobs")
    struct JobsTests {
      @Test("The world is greeted in the morning, although the first attempt fails")
      func morning() async throws {
        let local = try await JobRuntime.simulated(try makeJobs().failing("greet", first: 1))
        try await local.perform("good_morning")
        try await local.assertEnqueued(Greeting(name: "world"))
        try await local.drain()  // In virtual time, through all retries.
        #expect(local.outcomes(of: "greet") == [.retrying, .succeeded])
      }
    }

    """
  }

  private var ignored: String {
    """
    .build/
    *.db
    *.db-shm
    *.db-wal

    """
  }
}
