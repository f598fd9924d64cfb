#if Google && Server
import CloudJobs
import CloudJobsCore
import CloudJobsGoogle
import CloudJobsHTTP
import CloudJobsServer

func serveOnCloudRun(_ jobs: JobRegistry, _ environment: [String: String]) async throws {
  guard let url = environment["SERVICE_URL"], let caller = environment["CALLER"] else {
    throw JobError(.invalidField, "Set SERVICE_URL to the service's address and CALLER to the calling account.")
  }
  try await withCurlHTTPClient { client in
    let google = try await GoogleCloud.applicationDefault(client: client)
    var tasks = CloudTasksConfiguration(
      project: google.project, location: environment["REGION"] ?? "europe-west1", queue: "default",
      handler: "\(url)/jobs")
    tasks.serviceAccount = caller
    let sync = CloudSync(CloudSyncConfiguration(tasks), in: google)
    var options = RuntimeOptions()
    options.onHousekeeping = { documents throws(JobError) in _ = try await sync.sync(documents) }
    let runtime = JobRuntime(
      jobs, store: .firestore(google), queue: .cloudTasks(tasks, in: google),
      authentication: .cloudRunIAM(audience: tasks.tokenAudience, serviceAccounts: [caller]), options: options)
    try await sync.sync(jobs, store: runtime.store)
    try await JobServer(runtime, configuration: JobServerConfiguration(environment: environment)).runUntilSignal()
  }
}
#endif
