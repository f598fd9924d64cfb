#if Google
import ArgumentParser
import CloudJobs
import CloudJobsCore
import CloudJobsGoogle
import CloudJobsHTTP
import CloudJobsStores

/// The options that name the queues and the Cloud Scheduler jobs of a service.
///
/// Cloud Tasks and Cloud Scheduler are called with Application Default Credentials, or at the addresses in
/// `CLOUD_TASKS_EMULATOR_HOST` and `CLOUD_SCHEDULER_EMULATOR_HOST`.
struct CloudOptions: ParsableArguments {
  @Option(help: "The Google Cloud project; that of a Firestore store if it is left out.") var project: String?
  @Option(help: "The location of the queues and of Cloud Scheduler's jobs, such as europe-west1.") var location: String?
  @Option(
    name: .customLong("service-url"),
    help: "The address of the service, such as https://jobs.example; /jobs follows it.")
  var serviceURL: String?
  @Option(help: "The service account whose tokens Cloud Tasks and Cloud Scheduler send to the service.")
  var caller: String?
  @Option(help: "The queue of jobs that name none.") var queue = "default"
  @Option(help: "The owner of Cloud Scheduler's jobs, of several services in one location.") var owner = "cloud-jobs"

  func validate() throws {
    if let serviceURL, !serviceURL.hasPrefix("https://"), !serviceURL.hasPrefix("http://") {
      throw ValidationError("--service-url begins with https:// or http://.")
    }
  }

  /// Returns the project: the option's, or that of a Firestore store.
  func project(of address: StoreAddress?) -> String? {
    if case .firestore(let project, _)? = address?.kind { return self.project ?? project }
    return project
  }

  /// Returns the resources of the service.
  ///
  /// - Parameter address: the store, whose project is the default.
  /// - Returns: the configuration of a sync.
  /// - Throws: ``JobError`` `invalidField` for an option that is missing.
  func configuration(for address: StoreAddress?) throws(JobError) -> CloudSyncConfiguration {
    func require(_ value: String?, _ option: String, _ example: String) throws(JobError) -> String {
      guard let value, !value.isEmpty else {
        throw JobError(.invalidField, "Name it, such as \(example).", field: option)
      }
      return value
    }
    let project = try require(project(of: address), "--project", "my-project")
    let location = try require(location, "--location", "europe-west1")
    var url = try require(serviceURL, "--service-url", "https://jobs.example")
    while url.last == "/" { url.removeLast() }
    var tasks = CloudTasksConfiguration(
      project: project, location: location, queue: queue, handler: "\(url)\(JobCommand.mountPath)")
    tasks.serviceAccount = caller
    var configuration = CloudSyncConfiguration(tasks)
    configuration.owner = owner
    return configuration
  }

  /// Calls a function with access to Cloud Tasks and Cloud Scheduler.
  ///
  /// - Parameters:
  ///   - project: the project.
  ///   - body: the function.
  /// - Returns: its result.
  /// - Throws: ``JobError`` of the credentials, and the function's errors.
  static func withGoogle<Result>(
    _ project: String, _ body: (GoogleCloud) async throws -> Result
  ) async throws -> Result {
    try await withCurlHTTPClient { client in
      var environment = CredentialEnvironment.process
      // The store is called by its own access: where the other two are emulated, no credentials are needed.
      let names = [GoogleService.cloudTasks, .cloudScheduler].map(\.emulatorVariable)
      let emulators = names.compactMap { environment.variables[$0] }.filter { !$0.isEmpty }
      if emulators.count == names.count {
        environment.variables[GoogleService.firestore.emulatorVariable] = emulators[0]
      }
      return try await body(
        try await GoogleCloud.applicationDefault(project: project, environment: environment, client: client))
    }
  }
}
#endif
