#if HTTP && Server
import CloudJobs
import CloudJobsCore
import CloudJobsGoogle
import CloudJobsHTTP
import CloudJobsTesting

/// Has our clients of Google's services send all that they can send.
///
/// ```
/// google-driver                   runs the conformance suite of stores over Firestore, and tells each exchange
/// google-driver 127.0.0.1:8085    has sync and the Cloud Tasks queue do all that they do, at an emulator there
/// ```
///
/// The suite sets the time of the service, which is therefore in this process. Each line that is told is one exchange,
/// `{"method","target","request","status","answer"}` with the bodies as they were sent. The last line,
/// `{"failed":[…]}`, names the cases that did not pass.
@main
enum GoogleDriver {
  static func main() async throws {
    if CommandLine.arguments.count > 1 {
      try await tour(GoogleCloud(emulator: CommandLine.arguments[1], project: "p", client: HTTPClient()))
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
    for testCase in StoreConformance.cases(offering: [.purging]) {
      do { try await testCase.run(harness) } catch { failed.append(.string(testCase.name)) }
    }
    print(JSONValue.object(["failed": .array(failed)]).text)
  }

  private static func tour(_ google: GoogleCloud) async throws {
    var tasks = CloudTasksConfiguration(
      project: google.project, location: "l", queue: "default", handler: "https://service.example/jobs")
    for account in [nil, "runner@p.iam.gserviceaccount.com"] {
      tasks.serviceAccount = account
      try await SyncTour.run(tasks, in: google)
      try await QueueTour.run(tasks, in: google)
    }
    try await SyncTour.runBeyondOnePage(tasks, in: google)
  }
}
#else
/// Without the traits HTTP and Server there are no clients, or nothing to answer them.
@main
enum GoogleDriver {
  static func main() {}
}
#endif
