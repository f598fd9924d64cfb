#if HTTP && Server
import CloudJobs
import CloudJobsCore
import CloudJobsGoogle
import CloudJobsHTTP
import CloudJobsTesting

/// Sends every kind of request that the package's clients of Google's services can send.
///
/// ```
/// google-client-driver                   runs the store conformance suite on Firestore and prints each exchange
/// google-client-driver 127.0.0.1:8085    runs the sync and the Cloud Tasks queue against an emulator at that address
/// ```
///
/// The suite controls the service's time, so the service runs in this process. Each output line is one exchange,
/// `{"method","target","request","status","answer"}`, with the bodies as sent. The last line, `{"failed":[…]}`, lists
/// the cases that failed.
@main
enum GoogleClientDriver {
  static func main() async throws {
    if CommandLine.arguments.count > 1 {
      try await sendRequests(GoogleCloud(emulator: CommandLine.arguments[1], project: "p", client: CurlHTTPClient()))
    } else {
      try await runSuite()
    }
  }

  private static func runSuite() async throws {
    let harness = StoreConformance.Harness(makeStore: { clock in
      let google = try GoogleCloud(emulator: "127.0.0.1:1", project: "p", client: EmulatedFirestore(clock: clock))
      return FirestoreStore(FirestoreConfiguration(project: google.project), in: google)
    })
    var failed: [JSONValue] = []
    for testCase in StoreConformance.cases(offering: [.purging, .counting]) {
      do { try await testCase.run(harness) } catch { failed.append(.string(testCase.name)) }
    }
    print(JSONValue.object(["failed": .array(failed)]).text)
  }

  private static func sendRequests(_ google: GoogleCloud) async throws {
    var tasks = CloudTasksConfiguration(
      project: google.project, location: "l", queue: "default", handler: "https://service.example/jobs")
    for account in [nil, "runner@p.iam.gserviceaccount.com"] {
      tasks.serviceAccount = account
      try await SyncRequests.send(tasks, in: google)
      try await QueueRequests.send(tasks, in: google)
    }
    try await SyncRequests.sendMoreThanOnePage(tasks, in: google)
  }
}
#else
/// A placeholder for builds without the traits HTTP and Server.
@main
enum GoogleClientDriver {
  static func main() {}
}
#endif
