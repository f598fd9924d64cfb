import ArgumentParser
import CloudJobs
import CloudJobsCore

#if Google
import CloudJobsGoogle
#endif

/// `infra`.
struct InfraCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "infra",
    abstract: "Prints what sets up a service, and changes nothing itself.",
    discussion: """
      gcloud is a script and terraform a configuration of the same resources on Google Cloud: the queues, the jobs of \
      Cloud Scheduler, the Firestore database with its indexes, two service accounts with the roles that they need, \
      and the Cloud Run service; both can be applied again. kubernetes is workers over PostgreSQL, compose the program \
      with the emulator and with PostgreSQL, and dockerfile the recipe of the program's image. Without the jobs' code \
      there is no queue and no schedule but those that every service needs.
      """)

  /// What is printed.
  enum Format: String, ExpressibleByArgument, CaseIterable {
    #if Google
    case gcloud, terraform, compose
    #endif
    case kubernetes, dockerfile

    static var standard: Format { allCases[0] }
  }

  @Option(help: "What to print.") var format = Format.standard
  #if Google
  @OptionGroup var cloud: CloudOptions
  @Option(help: "The Firestore database.") var database = "(default)"
  @Flag(help: "Lets the service keep its queues and Cloud Scheduler jobs itself, for which it gets two more roles.")
  var sync = false
  #endif
  @Option(help: "The name of the service, and the beginning of its accounts' names.") var service = "jobs"
  @Option(
    help: "The image with the program that has the jobs; without it, gcloud deploys nothing and Terraform asks.")
  var image: String?
  @OptionGroup var cluster: ClusterOptions
  @OptionGroup var build: BuildOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    let isPlain = service.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
    guard isPlain, service.first?.isLetter == true, service.last != "-", service.count <= 20 else {
      throw ValidationError("--service has at most 20 lower-case letters, digits and -, and begins with a letter.")
    }
    #if Google
    let words: [(String, String?)] = [
      ("--project", cloud.project), ("--location", cloud.location), ("--service-url", cloud.serviceURL),
      ("--caller", cloud.caller), ("--queue", cloud.queue), ("--owner", cloud.owner), ("--database", database),
    ]
    #else
    let words: [(String, String?)] = []
    #endif
    for (option, text) in words + [("--image", image)] {
      // They stand in lists with commas, and within addresses.
      guard text?.utf8.allSatisfy({ (33...126).contains($0) && !"\"',\\`${}".utf8.contains($0) }) != false else {
        throw ValidationError("\(option) has no spaces, quotes, commas, braces, \\ and $.")
      }
    }
  }

  func run() async throws {
    try await CommandFailure.reporting {
      let text = try text()
      try output.show(["format": .string(format.rawValue), "script": .string(text)]) { _, _ in
        text.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }.dropLast()
      }
    }
  }

  private func text() throws(JobError) -> String {
    switch format {
    #if Google
    case .gcloud: return InfraScript(try resources()).text
    case .terraform: return TerraformFile(try resources()).text
    case .compose:
      let tasks = try configuration(project: "demo", location: "europe-west1").tasks
      var file = ComposeFile(tasks: tasks, product: try build.name())
      (file.context, file.dockerfile, file.package) = (build.context, build.dockerfile, build.package)
      return file.text
    #endif
    case .kubernetes:
      guard let image else {
        throw JobError(.invalidField, "Name it, such as registry.example/jobs:1.", field: "--image")
      }
      var manifests = KubernetesManifests(service: service, image: image)
      (manifests.scaling, manifests.isMonitored) = (cluster.scaling, cluster.podMonitor)
      (manifests.replicas, manifests.maxReplicas) = (cluster.replicas, cluster.maxReplicas)
      return manifests.text
    case .dockerfile: return ImageRecipe(product: try build.name()).text
    }
  }

  #if Google
  private func configuration(
    project: String? = nil, location: String? = nil
  ) throws(JobError) -> CloudSyncConfiguration {
    var options = cloud
    options.serviceURL = cloud.serviceURL ?? ServiceResources.unknownURL
    (options.project, options.location) = (cloud.project ?? project, cloud.location ?? location)
    return try options.configuration(for: nil)
  }

  private func resources() throws(JobError) -> ServiceResources {
    let configuration = try configuration()
    let documents = JobDocuments(definitions: JobCommand.registry?.definitions ?? [])
    var resources = ServiceResources(
      configuration, CloudSync.firstPlan(configuration, documents), service: service)
    (resources.image, resources.database, resources.syncs) = (image, database, sync)
    return resources
  }
  #endif
}

/// The options of `infra` for Kubernetes.
struct ClusterOptions: ParsableArguments {
  @Option(help: "For kubernetes: what changes the number of workers.") var scaling = KubernetesManifests.Scaling.none
  @Option(help: "For kubernetes: the number of workers, or the least of them where it changes.") var replicas = 2
  @Option(help: "For kubernetes: the largest number of workers.") var maxReplicas = 20
  @Flag(help: "For kubernetes: has Prometheus find the workers by a PodMonitor.") var podMonitor = false

  func validate() throws {
    guard (1...1_000).contains(replicas), (replicas...1_000).contains(maxReplicas) else {
      throw ValidationError(
        "--replicas and --max-replicas are numbers from 1 to 1,000, the second not below the first.")
    }
  }
}

extension KubernetesManifests.Scaling: ExpressibleByArgument {}

/// The options of `infra` for builds of images.
struct BuildOptions: ParsableArguments {
  @Option(help: "For compose and dockerfile: the program, a product of its package; by default the one that prints.")
  var product: String?
  @Option(help: "For compose: the folder of the program's package.") var context = "."
  @Option(help: "For compose: the recipe of its image, in that folder.") var dockerfile = "Dockerfile"
  @Option(help: "For compose: the folder of swift-cloud-jobs, for the emulator's image.")
  var package = "../swift-cloud-jobs"

  /// Returns the program.
  ///
  /// - Returns: its name.
  /// - Throws: ``JobError`` `invalidField` if none is named, or a name can't be that of a program.
  func name() throws(JobError) -> String {
    let name = product ?? (JobCommand.registry == nil ? nil : JobCommand.Root.configuration.commandName) ?? ""
    guard !name.isEmpty, name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }),
      name.first?.isLetter == true
    else {
      throw JobError(
        .invalidField, "Name the program: letters, digits, _ and -, the first a letter, such as my-jobs.",
        field: "--product")
    }
    return name
  }
}
