#if Google
import ArgumentParser
import CloudJobs
import CloudJobsCore
import CloudJobsGoogle

/// `infra`.
struct InfraCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "infra",
    abstract: "Prints a script of gcloud commands that sets up a service on Google Cloud, and changes nothing itself.",
    discussion: """
      It makes the queues, the jobs of Cloud Scheduler, the Firestore database with its indexes, two service accounts \
      with the roles that they need, and the Cloud Run service; a repetition is harmless. Without the jobs' code it \
      has no queue and no schedule but those that every service needs.
      """)

  @OptionGroup var cloud: CloudOptions
  @Option(help: "The name of the Cloud Run service, and the beginning of its accounts' names.") var service = "jobs"
  @Option(help: "The image to deploy, which has the program with the jobs; without it, nothing is deployed.")
  var image: String?
  @Option(help: "The Firestore database.") var database = "(default)"
  @Flag(help: "Lets the service keep its queues and Cloud Scheduler jobs itself, for which it gets two more roles.")
  var sync = false
  @OptionGroup var output: OutputOptions

  func validate() throws {
    let isPlain = service.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
    guard isPlain, service.first?.isLetter == true, service.count <= 20 else {
      throw ValidationError("--service has at most 20 lower-case letters, digits and -, and begins with a letter.")
    }
  }

  func run() async throws {
    try await CommandFailure.reporting {
      var options = cloud
      options.serviceURL = cloud.serviceURL ?? InfraScript.unknownURL
      let configuration = try options.configuration(for: nil)
      let documents = JobDocuments(definitions: JobCommand.registry?.definitions ?? [])
      var script = InfraScript(configuration, CloudSync.firstPlan(configuration, documents), service: service)
      (script.image, script.database, script.syncs) = (image, database, sync)
      let text = script.text
      try output.show(["script": .string(text)]) { _, _ in
        text.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }.dropLast()
      }
    }
  }
}
#endif
